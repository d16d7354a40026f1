/* SPDX-License-Identifier: MIT */
/*
 * profile add: a new section made from a URL, from options, or from a few questions. All questions are asked
 * before anything is written, so that cancelling leaves nothing behind. A URL's password is never written to
 * the file: on a terminal the user is asked whether to store it in the keychain, otherwise it is dropped with
 * a warning.
 */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>
#include <model/config_edit.h>
#include <model/identity.h>
#include <model/kinds.h>
#include <model/url.h>
#include <store/store.h>

#include "begin.h"

#define SETTINGS_MAX ((size_t)KEY_COUNT + (size_t)TUNNEL_COUNT + 1)
#define STORE_TIMEOUT_MS 30000

struct answers {
    struct override set[SETTINGS_MAX];
    size_t count;
    struct words owned;
};

static void answers_release(struct answers *a)
{
    words_release(&a->owned);
}

static void answer(struct answers *a, enum key k, const char *value)
{
    words_add(&a->owned, value);
    a->set[a->count++] =
        (struct override){key_infos[k].name, a->owned.word[a->owned.count - 1], key_infos[k].name};
}

/* Asks for a key until the answer is valid or empty. */
static int ask_key(struct answers *a, enum key k, const char *question, struct err *e)
{
    for (;;) {
        AUTO_FREE(char *, typed);
        AUTO_FREE(char *, normal);
        struct err wrong = ERR_INIT;
        if (tty_ask_line(question, &typed, e) < 0)
            return -1;
        if (!*typed)
            return 0;
        if (key_check(&key_infos[k], typed, &normal, &wrong) == 0) {
            answer(a, k, typed);
            return 0;
        }
        print_error(&wrong);
    }
}

static const char *answered(const struct answers *a, enum key k)
{
    for (size_t i = 0; i < a->count; i++) {
        if (text_equal(a->set[i].key, key_infos[k].name))
            return a->set[i].value;
    }
    return NULL;
}

static int ask_auth(struct answers *a, struct err *e)
{
    AUTO_BUF(question, 1024);
    static const enum key companions[] = {KEY_auth_command, KEY_auth_file, KEY_auth_env};

    buf_puts(&question, "auth (");
    for (const struct kind *k = kind_providers; k->name; k++)
        buf_printf(&question, k == kind_providers ? "%s" : " %s", k->name);
    buf_printf(&question, ") [%s]: ", answered(a, KEY_user) ? "keychain" : "client");
    if (ask_key(a, KEY_auth, buf_str(&question), e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
        AUTO_FREE(char *, more);
        const char *name = key_infos[companions[i]].name, *auth = answered(a, KEY_auth);
        more = mem_printf("%s: ", name);
        if (auth && text_equal(name + sizeof "auth_" - 1, auth) && ask_key(a, companions[i], more, e) < 0)
            return -1;
    }
    return 0;
}

/* Asks for the tunnel, which must be an SSH URL or an existing section. */
static int ask_via(const struct config *c, struct answers *a, struct err *e)
{
    for (;;) {
        AUTO_PROFILE(p);
        struct err wrong = ERR_INIT;
        size_t before = a->count;
        if (ask_key(a, KEY_via, "via (ssh://USER@HOST or a tunnel, empty: direct): ", e) < 0)
            return -1;
        if (a->count == before || config_resolve(c, NULL, NULL, a->set + before, 1, &p, &wrong) == 0)
            return 0;
        a->count = before;
        print_error(&wrong);
    }
}

static int ask_all(const struct config *c, struct answers *a, struct err *e)
{
    if (ask_key(a, KEY_host, "host (empty: local socket): ", e) < 0)
        return -1;
    if (answered(a, KEY_host) && ask_key(a, KEY_port, "port [3306]: ", e) < 0)
        return -1;
    if (ask_key(a, KEY_user, "user (empty: the client's own): ", e) < 0 ||
        ask_key(a, KEY_database, "database (empty: none): ", e) < 0 || ask_auth(a, e) < 0)
        return -1;
    return answered(a, KEY_host) ? ask_via(c, a, e) : 0;
}

/* Makes a tunnel section if the URL or options set a bastion's key file or another setting that `via` cannot
 * express. */
static void take_tunnel(const struct profile *p, struct answers *a)
{
    bool needs_section = false;

    for (size_t k = 0; k < TUNNEL_COUNT; k++) {
        bool is_inline = k == TUNNEL_type || k == TUNNEL_host || k == TUNNEL_port || k == TUNNEL_user;
        needs_section =
            needs_section || (!is_inline && p->tunnel[k].origin >= ORIGIN_URL && p->tunnel[k].value);
    }
    for (size_t k = 0; needs_section && k < TUNNEL_COUNT; k++) {
        if (p->tunnel[k].origin < ORIGIN_URL || !p->tunnel[k].value)
            continue;
        words_add(&a->owned, p->tunnel[k].value);
        const char *value = a->owned.word[a->owned.count - 1];
        words_take(&a->owned, mem_printf("tunnel.%s", tunnel_key_infos[k].name));
        a->set[a->count++] = (struct override){a->owned.word[a->owned.count - 1], value, NULL};
    }
}

/* Collects the settings of the URL and the options as they would stand in the file. */
static void take_profile(const struct profile *p, struct answers *a)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (p->set[i].origin >= ORIGIN_URL && p->set[i].value)
            answer(a, (enum key)i, p->set[i].value);
    }
    take_tunnel(p, a);
}

bool profile_has_keychain(const char *identity, struct err *why)
{
    AUTO_SECRET(stored);

    return store_keychain.get(identity, clock_deadline(STORE_TIMEOUT_MS, CLOCK_NEVER), &stored, why) !=
           STORE_UNAVAILABLE;
}

/* Asks whether to store the URL's password in the keychain for the new profile. */
static void offer_password(const struct profile *p, const char *name)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);
    AUTO_FREE(char *, question);
    AUTO_FREE(char *, hint);
    struct err failed = ERR_INIT;

    identity = identity_password(p);
    label = identity_label(p);
    hint = mem_printf("broker password set %s", name);
    question = mem_printf("store the password of %s in the keychain? [y/N] ", label);
    if (!tty_can_ask() || !tty_present())
        log_warn(hint, "the URL's password was dropped: %s", tty_why_not());
    else if (!profile_has_keychain(identity, &failed))
        log_warn(failed.hint, "the URL's password was dropped: no keychain here: %s", failed.msg);
    else if (tty_ask_yes(question) &&
             store_keychain.put(identity, label, p->password, 0,
                                clock_deadline(STORE_TIMEOUT_MS, CLOCK_NEVER), &failed) != STORE_OK)
        log_warn(hint, "the password was not stored: %s", failed.msg);
}

static int check_name(const struct config *c, const char *name, struct err *e)
{
    const char *file;
    unsigned line;

    if (!name) {
        (void)err_set(e, ERR_USAGE, "which name?");
        return err_hint(e, "broker profile add NAME");
    }
    if (!profile_name_valid(name)) {
        (void)err_set(e, ERR_USAGE, "not a valid profile name");
        (void)err_what(e, "%s", name);
        if (url_is(name))
            return err_hint_sh(e, "the name comes first: broker profile add NAME %s",
                               url_has_password(name) ? "-" : name);
        return err_hint(e, "use up to 64 letters, digits and . _ @ + -, the first a letter or digit");
    }
    if (!config_profile_place(c, name, &file, &line))
        return 0;
    AUTO_FREE(char *, path);
    path = path_short(file);
    (void)err_set(e, ERR_CONFIG, "exists at %s:%u", path, line);
    (void)err_what(e, "%s", name);
    return err_hint(e, "edit it there, or choose another name");
}

/* Reads the new section back to check that it is valid. */
static int added(const char *name, struct err *e)
{
    AUTO_CONFIG(config);
    AUTO_PROFILE(p);
    AUTO_FREE(char *, path);

    if (config_load(&config, e) < 0 || config_resolve(config, name, NULL, NULL, 0, &p, e) < 0 ||
        plan_derive(&p, e) < 0)
        return -1;
    path = path_short(config_user_file(config));
    log_note("added [profile %s] to %s", name, path);
    log_note("next: broker test %s", name);
    return 0;
}

/* Warns about settings of the URL that lower security. They were allowed because the URL brought its own
 * password, but the profile will be used with another. */
static void warn_lowered(const struct config *c, const char *url, const struct invocation *inv,
                         const struct profile *p)
{
    AUTO_FREE(char *, hint);
    struct err why = ERR_INIT;

    hint = mem_printf("broker profile show %s", inv->word[1]);
    if (session_url_lowers(c, url, inv->override, inv->override_count, p, &why))
        log_warn(hint, "from the URL: %s", why.msg);
}

/* Makes the profile from the URL and the options. */
static int take_words(const struct config *c, const char *url, const struct invocation *inv,
                      struct profile *p, struct err *e)
{
    if (config_resolve(c, NULL, url, inv->override, inv->override_count, p, e) < 0 ||
        session_derive(c, url, inv->override, inv->override_count, p, e) < 0 || plan_check_url(p, e) < 0)
        return -1;
    if (url)
        warn_lowered(c, url, inv, p);
    return 0;
}

/* With --test, tests the connection before anything is written. Without host and socket, it tests the local
 * server's socket and not the default profile. */
static int test_first(struct invocation *inv, const char *url, struct answers *a, struct err *e)
{
    struct request r = {.name = url,
                        .overrides = inv->override,
                        .override_count = inv->override_count,
                        .verb = "profile add"};

    if (!inv->given[OPT_test])
        return 0;
    if (!url) {
        if (!answered(a, KEY_host) && !answered(a, KEY_socket))
            answer(a, KEY_socket, "auto");
        r.overrides = a->set;
        r.override_count = a->count;
    }
    return test_request(inv, &r, e);
}

int profile_add(struct invocation *inv, struct err *e)
{
    __attribute__((cleanup(answers_release))) struct answers a = {0};
    AUTO_CONFIG(config);
    AUTO_PROFILE(p);
    struct request r;
    const char *name = inv->word[1], *url = NULL;

    if (config_load(&config, e) < 0 || check_name(config, name, e) < 0)
        return -1;
    config_may_be_new(config);
    (void)snprintf(inv->label, sizeof inv->label, "%s", name);
    if (inv->word[2]) {
        if (invocation_request(inv, 2, &r, e) < 0)
            return -1;
        url = r.name;
        if (!url_is(url)) {
            (void)err_set(e, ERR_USAGE, "the argument after the name is not a URL");
            return err_hint(e, "mysql://USER@HOST/DATABASE");
        }
    }
    if (url || inv->override_count) {
        if (take_words(config, url, inv, &p, e) < 0)
            return -1;
        take_profile(&p, &a);
    } else if (ask_all(config, &a, e) < 0) {
        return e->hint[0] ? -1 : err_hint_sh(e, "broker profile add %s mysql://USER@HOST/DATABASE", name);
    } else if (config_resolve(config, NULL, NULL, a.set, a.count, &p, e) < 0 || plan_derive(&p, e) < 0) {
        return -1;
    }
    if (test_first(inv, url, &a, e) < 0)
        return -1;
    if (p.password)
        offer_password(&p, name);
    if (config_add_profile(name, a.set, a.count, e) < 0)
        return -1;
    return added(name, e);
}
