/* The keychain entry of a profile: set from the terminal or stdin, never from argv; deleted. */
#include "begin.h"

#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>
#include <model/identity.h>
#include <store/store.h>

#define PASSWORD_MAX 32768
#define STORE_TIMEOUT_MS 30000
#define ONE_LINE "write the password and nothing else"

static int read_password(const char *label, struct secret **out, struct err *e)
{
    AUTO_FREE(char *, question);

    if (isatty(STDIN_FILENO)) {
        question = mem_printf("password for %s: ", label);
        return tty_ask_secret(question, out, e);
    }
    if (secret_read_fd(STDIN_FILENO, PASSWORD_MAX, false, out, e) < 0) {
        (void)err_what(e, "stdin");
        return err_hint(e, ONE_LINE);
    }
    secret_chomp(*out);
    if (strlen(secret_bytes(*out)) == secret_len(*out))
        return 0;
    (void)err_set(e, ERR_DATA, "holds a NUL byte, which no client can take");
    (void)err_what(e, "stdin");
    return err_hint(e, ONE_LINE);
}

/* Only here, where a keychain was asked for by name, is its absence an error. */
static int explain(enum store_result result, struct err *e)
{
    if (result == STORE_OK || result == STORE_MISSING)
        return 0;
    if (result == STORE_UNAVAILABLE) {
        e->code = ERR_CONFIG;
        (void)err_prefix(e, "no keychain here");
    }
    return -1;
}

static int password_set(const struct profile *p, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);
    AUTO_SECRET(password);
    const char *auth = profile_str(p, KEY_auth);

    identity = identity_password(p);
    label = identity_label(p);
    if (read_password(label, &password, e) < 0 ||
        explain(store_keychain.put(identity, label, password, 0, deadline, e), e) < 0)
        return -1;
    if (!text_equal(auth, "keychain"))
        log_warn("set auth = keychain, or leave it out", "stored, but this profile has auth = %s", auth);
    log_note("stored the password of %s", label);
    return 0;
}

static int password_delete(const struct profile *p, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);

    identity = identity_password(p);
    label = identity_label(p);
    enum store_result result = store_keychain.erase(identity, deadline, e);
    if (explain(result, e) < 0)
        return -1;
    log_note(result == STORE_OK ? "deleted the password of %s" : "no stored password for %s", label);
    return 0;
}

static int password_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);
    const char *what = inv->word[0];
    bool set = text_equal(what, "set");

    if (!set && !text_equal(what, "delete")) {
        (void)err_set(e, ERR_USAGE, what ? "cannot '%s'" : "set or delete?", what);
        return err_hint(e, "broker password set NAME, or: broker password delete NAME");
    }
    if (begin(inv, &s, e) < 0)
        return -1;
    if (!profile_str(&s.profile, KEY_user)) {
        (void)err_set(e, ERR_CONFIG, "has no user to store a password for");
        return err_hint(e, s.profile.name ? "set user in [profile %s]" : "give --user", s.profile.name);
    }
    int64_t deadline = clock_deadline(STORE_TIMEOUT_MS, s.deadline);
    return set ? password_set(&s.profile, deadline, e) : password_delete(&s.profile, deadline, e);
}

const struct verb verb_password = {
    .name = "password",
    .usage = "set|delete [PROFILE|URL] [OPTION]...",
    .summary = "set or delete a stored password",
    .group = GROUP_LOOK_AFTER,
    .examples = {"broker password set shop", "pass show db/shop | broker password set shop",
                 "broker password delete shop"},
    .sets = SET_PROFILE | SET_RUN,
    .most_words = 2,
    .request_word = 1,
    .words = "set delete",
    .words2 = "profile",
    .run = password_run,
};
