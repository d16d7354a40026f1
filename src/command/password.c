/* SPDX-License-Identifier: MIT */
/* broker password: sets the keychain entry of a profile or tunnel (from the terminal or stdin, never argv),
 * or deletes it. */
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
#define ONE_LINE "send only the password"

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
    (void)err_set(e, ERR_DATA, "contains a NUL byte, which clients do not support");
    (void)err_what(e, "stdin");
    return err_hint(e, ONE_LINE);
}

/* A missing keychain is an error only here, where the user asked for it explicitly. */
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

static void ignore_entry(void *context, const char *identity, const char *label, time_t expires)
{
    (void)context;
    (void)identity;
    (void)label;
    (void)expires;
}

/* Reports a missing keychain before the user types a password for it. */
static int keychain_present(const char *identity, int64_t deadline, struct err *e)
{
    if (isatty(STDIN_FILENO) &&
        store_keychain.list(identity, ignore_entry, NULL, deadline, e) == STORE_UNAVAILABLE)
        return explain(STORE_UNAVAILABLE, e);
    err_clear(e);
    return 0;
}

static int entry_set(const char *identity, const char *label, int64_t deadline, struct err *e)
{
    AUTO_SECRET(password);

    if (keychain_present(identity, deadline, e) < 0 || read_password(label, &password, e) < 0)
        return -1;
    return explain(store_keychain.put(identity, label, password, 0, deadline, e), e);
}

static void note_stored(const char *label)
{
    log_note("stored the password of %s", label);
}

static int entry_delete(const char *identity, const char *label, int64_t deadline, struct err *e)
{
    enum store_result result = store_keychain.erase(identity, deadline, e);
    if (explain(result, e) < 0)
        return -1;
    log_note(result == STORE_OK ? "deleted the password of %s" : "no stored password for %s", label);
    return 0;
}

static int of_profile(struct invocation *inv, bool set, struct err *e)
{
    AUTO_SESSION(s);
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);

    if (begin(inv, &s, e) < 0)
        return -1;
    if (!profile_str(&s.profile, KEY_user)) {
        (void)err_set(e, ERR_CONFIG, "has no user to store a password for");
        return err_hint(e, s.profile.name ? "set user in [profile %s]" : "give --user", s.profile.name);
    }
    identity = identity_password(&s.profile);
    label = identity_label(&s.profile);
    const char *auth = profile_str(&s.profile, KEY_auth);
    int64_t deadline = clock_deadline(STORE_TIMEOUT_MS, s.deadline);
    if (!set)
        return entry_delete(identity, label, deadline, e);
    if (entry_set(identity, label, deadline, e) < 0)
        return -1;
    if (!text_equal(auth, "keychain"))
        log_warn("set auth = keychain, or leave it out", "stored, but this profile has auth = %s", auth);
    note_stored(label);
    return 0;
}

/* Runs the verb for a tunnel, given by its name or as ssh://[USER@]HOST[:PORT], as in the key `via`. */
static int of_tunnel(struct invocation *inv, bool set, struct err *e)
{
    AUTO_CONFIG(config);
    AUTO_PROFILE(p);
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);
    const char *name = inv->word[1];
    const struct override via = {"via", name, "--tunnel"};

    if (!name) {
        (void)err_set(e, ERR_USAGE, "which tunnel?");
        return err_hint(e, "broker password %s --tunnel NAME", inv->word[0]);
    }
    if (config_load(&config, e) < 0 || config_found(config, e) < 0 ||
        config_resolve(config, NULL, NULL, &via, 1, &p, e) < 0)
        return -1;
    identity = identity_tunnel(&p);
    label = identity_tunnel_label(&p);
    if (!identity) {
        (void)err_set(e, ERR_USAGE, "not a tunnel of type ssh, so it has no password");
        (void)err_what(e, "%s", name);
        return err_hint(e, "broker password %s PROFILE, for the database's", inv->word[0]);
    }
    int64_t cap = inv->timeout_ms ? clock_deadline(inv->timeout_ms, CLOCK_NEVER) : CLOCK_NEVER;
    int64_t deadline = clock_deadline(STORE_TIMEOUT_MS, cap);
    if (!set)
        return entry_delete(identity, label, deadline, e);
    if (entry_set(identity, label, deadline, e) < 0)
        return -1;
    note_stored(label);
    return 0;
}

static int password_run(struct invocation *inv, struct err *e)
{
    const char *what = inv->word[0];
    bool set = text_equal(what, "set");

    if (!set && !text_equal(what, "delete")) {
        (void)err_set(e, ERR_USAGE, what ? "unknown operation" : "no operation given");
        return err_hint(e, "broker password set NAME, or: broker password delete NAME");
    }
    return inv->given[OPT_tunnel] ? of_tunnel(inv, set, e) : of_profile(inv, set, e);
}

const struct verb verb_password = {
    .name = "password",
    .usage = "set|delete [PROFILE|URL|--tunnel NAME] [OPTION]...",
    .summary = "store or delete a password in the keychain",
    .about = "Store the password of a profile or of a tunnel in the keychain, or delete it. set reads the "
             "password from stdin, or asks for it.",
    .group = GROUP_MANAGE,
    .examples = {"broker password set shop", "pass show db/shop | broker password set shop",
                 "broker password delete shop", "broker password set --tunnel bastion"},
    .sets = SET_PROFILE | SET_RUN | SET_PASSWORD,
    .most_words = 2,
    .request_word = 1,
    .words = "set delete",
    .words2 = "profile",
    .run = password_run,
};
