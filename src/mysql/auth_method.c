/* SPDX-License-Identifier: MIT */
/*
 * The methods, and over what each may be used. What decides is what its answer shows to whoever reads or
 * receives it:
 *
 * - Digests with a scramble, and signatures, do not show the password. Over an unverified connection they let
 *   a server of an attacker guess it offline, as they do with each stock client.
 * - caching_sha2_password and sha256_password send the password itself, but over TLS or the server's own
 *   socket only; elsewhere they encrypt it with the server's RSA key, if the profile allows to ask for that.
 * - mysql_clear_password sends it to whoever asks. So it is allowed only where it is certain who that is,
 *   whatever the server names.
 *
 * A greeting arrives before TLS and can be anybody's, so it may choose only digests: the worst that a forged
 * one achieves is an answer that the true server refuses. Any other choice comes through TLS, if there is
 * any.
 */
#include "auth_method.h"

#include <base/mem.h>
#include <base/text.h>

static const struct auth_method methods[] = {
    {"mysql_native_password", 20, OVER_ANYTHING, true, auth_native},
    {"caching_sha2_password", 20, OVER_ANYTHING, true, auth_caching_sha2},
    {"sha256_password", 20, OVER_ANYTHING, false, auth_sha256},
    {"client_ed25519", 32, OVER_ANYTHING, false, auth_ed25519},
    {"parsec", 32, OVER_ANYTHING, false, auth_parsec},
    {"mysql_clear_password", 0, OVER_VERIFIED, false, auth_clear},
};

const struct auth_method *auth_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (text_equal(methods[i].name, name))
            return &methods[i];
    }
    return NULL;
}

bool auth_allowed(const struct auth_method *method, const struct auth *a)
{
    return method->over == OVER_ANYTHING || a->verified;
}
