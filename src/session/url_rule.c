/* SPDX-License-Identifier: MIT */
/*
 * The rule for URLs that needs more than the column `url` of keys.def: a URL must not lower security, and a
 * credential of this machine is sent only to the server to which it belongs. A URL with its own password, or
 * without any, cannot leak a credential of ours.
 */
#include <string.h>

#include <base/text.h>
#include <model/address.h>
#include <model/kinds.h>
#include <output/connection.h>
#include <session/plan.h>

#include "url_rule.h"

static bool gives_nothing_of_ours(const struct profile *p)
{
    return !p->is_of_url || profile_uses_url_password(p) || text_equal(profile_str(p, KEY_auth), "none");
}

/* Returns true if the server is on this machine. With a tunnel it never is. */
static bool is_here(const struct profile *p)
{
    const char *host = profile_str(p, KEY_host);

    return !profile_is_tunnelled(p) && (!host || host_is_loopback(host));
}

static int refuse(enum key k, const char *value, struct err *e)
{
    (void)err_what(e, "URL");
    return err_hint(e, "-o %s=%s, or a profile", key_infos[k].name, value);
}

/* --- TLS level and other settings that a URL must not lower --- */

/* Returns true if the URL's value of a key lowers security. `tls` and `cleartext` are judged elsewhere, by
 * the resulting level. */
static bool takes_away(const struct profile *p, const struct profile *unlowered, enum key k)
{
    switch (k) {
    case KEY_tls:
    case KEY_cleartext:
        return false;
    case KEY_server_public_key:
        return profile_bool(p, k) && !profile_bool(unlowered, k) && !is_here(p) &&
               tls_level_parse(profile_str(p, KEY_tls)) == TLS_DISABLED;
    default:
        return tls_level_parse(profile_str(unlowered, KEY_tls)) >= TLS_VERIFY_CA;
    }
}

bool url_rule_lowers(const struct profile *p, const struct profile *unlowered, struct err *e)
{
    const char *level = profile_str(p, KEY_tls), *without = profile_str(unlowered, KEY_tls);

    if (tls_level_parse(level) < tls_level_parse(without)) {
        (void)err_set(e, ERR_DATA, "tls = %s is weaker than this server's usual level, %s", level, without);
        (void)refuse(KEY_tls, level, e);
        return true;
    }
    for (size_t k = 0; k < KEY_COUNT; k++) {
        if (key_infos[k].url != URL_LEVEL || p->set[k].origin != ORIGIN_URL ||
            !takes_away(p, unlowered, (enum key)k))
            continue;
        if (k == KEY_server_public_key)
            (void)err_set(e, ERR_DATA, "%s: without TLS an attacker on the network gets the password",
                          key_infos[k].name);
        else
            (void)err_set(e, ERR_DATA, "%s: would change how this server is verified, %s", key_infos[k].name,
                          without);
        (void)refuse((enum key)k, "VALUE", e);
        return true;
    }
    return false;
}

int url_rule_levels(const struct profile *p, const struct profile *unlowered, struct err *e)
{
    return gives_nothing_of_ours(p) || !url_rule_lowers(p, unlowered, e) ? 0 : -1;
}

/* --- credentials that a URL must not redirect --- */

int plan_check_url(const struct profile *p, struct err *e)
{
    const struct setting *auth = &p->set[KEY_auth];

    if (gives_nothing_of_ours(p))
        return 0;
    if (text_equal(auth->value, "iam") && p->set[KEY_socket].origin == ORIGIN_URL &&
        profile_str(p, KEY_socket)) {
        (void)err_set(e, ERR_DATA, "auth = iam with a socket: broker cannot tell whose socket it is");
        return refuse(KEY_socket, "PATH", e);
    }
    if (kind_provider_url(auth->value) == KIND_URL_ANY || auth->origin == ORIGIN_FLAG || is_here(p))
        return 0;
    if (text_equal(auth->value, "client"))
        (void)err_set(e, ERR_DATA,
                      "no password for it, and the passwords in your option files are not for this server");
    else
        (void)err_set(e, ERR_DATA, "auth = %s: its secret is not for this server only", auth->value);
    (void)refuse(KEY_auth, auth->value, e);
    if (auth->origin == ORIGIN_DERIVED)
        return err_hint(e, "mysql://USER@HOST, or -o auth=client, or a profile");
    return -1;
}
