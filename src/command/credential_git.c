/* SPDX-License-Identifier: MIT */
/*
 * git's credential helper protocol. A database's password comes from its provider, and only if broker was
 * called by its own name; everything else uses the password store. As git expects, unknown attributes are
 * ignored, finding nothing is exit status 0, and stdout stays empty until the whole answer is known.
 */
#include "credential.h"

#include <unistd.h>

#include <base/mem.h>

static int answer(const struct git_credential *found, struct err *e)
{
    AUTO_BUF(out, 8 * GIT_LINE_MAX);

    return git_print(found, &out, e) < 0 ? -1 : helper_answer(&out, e);
}

static int get(const struct helper_call *call, const struct git_credential *asked, struct err *e)
{
    AUTO_GIT(found);
    AUTO_ENTRIES(entries);

    if (helper_entries(call, &entries, e) < 0)
        return -1;
    int got = entries_get(&entries, asked, &found, e);
    if (got <= 0)
        return got;
    struct git_credential shown = {.can_authtype = found.authtype != NULL,
                                   .authtype = found.authtype,
                                   .credential = found.credential,
                                   .username = found.username,
                                   .password = found.password,
                                   .refresh_token = found.refresh_token,
                                   .expires = found.expires};
    /*
     * If the client supports `state`, it sends it back with `store` after a successful login, so that an
     * unchanged password is not written again. Passwords that expire are written again, because the client
     * may have replaced them.
     */
    shown.can_state = shown.has_state =
        asked->can_state && !found.expires && !found.refresh_token && found.password;
    if (entries_audit(&entries, "git", found.host, found.username, found.expires, e) < 0)
        return -1;
    return answer(&shown, e);
}

static int get_database(const struct git_credential *asked, struct err *e)
{
    AUTO_GIT(found);
    int got = database_get(asked, &found, e);

    return got <= 0 ? got : answer(&found, e);
}

static int with_request(const struct helper_call *call, const char *verb, struct err *e)
{
    AUTO_BUF(in, GIT_INPUT_MAX);
    AUTO_GIT(asked);
    AUTO_ENTRIES(entries);
    bool is_get = text_equal(verb, "get"), is_store = text_equal(verb, "store");

    if (helper_read(&in, true, e) < 0)
        return -1;
    if (git_parse(buf_str(&in), in.len, &asked, e) < 0)
        return err_what(e, "stdin");
    if (call->forwarded || is_store || !session_is_of_keeper(STDIN_FILENO))
        words_release(&asked.keys);
    if (database_is_asked(&asked)) {
        if (call->forwarded)
            return 0;
        return is_get     ? get_database(&asked, e)
               : is_store ? database_store(&asked, e)
                          : database_erase(&asked, e);
    }
    if (is_get)
        return get(call, &asked, e);
    if (helper_entries(call, &entries, e) < 0)
        return -1;
    return is_store ? entries_put(&entries, &asked, e) : entries_erase(&entries, &asked, e);
}

static int capability(struct err *e)
{
    AUTO_BUF(out, 128);

    buf_puts(&out, "version 0\ncapability authtype\ncapability state\n");
    return helper_answer(&out, e);
}

/* Forgets all entries if the store is in memory, as git-credential-cache does; keychain entries are kept. */
static int end(const struct helper_call *call, struct err *e)
{
    AUTO_ENTRIES(entries);

    if (helper_entries(call, &entries, e) < 0)
        return -1;
    return entries.store == &store_keyring ? entries_forget(&entries, GIT_IDENTITY, e) : 0;
}

int credential_git(const struct helper_call *call, struct err *e)
{
    const char *verb = helper_verb(call);

    if (!verb) {
        (void)err_set(e, ERR_USAGE, "no operation given");
        return err_hint(e, "broker help credential");
    }
    if (text_equal(verb, "capability"))
        return capability(e);
    if (text_equal(verb, "exit"))
        return end(call, e);
    if (text_equal(verb, "get") || text_equal(verb, "store") || text_equal(verb, "erase"))
        return with_request(call, verb, e);
    return 0;
}
