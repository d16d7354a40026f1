/* SPDX-License-Identifier: MIT */
/*
 * The authentication methods, and over which connections each may be used. This depends on what its answer
 * reveals to those who can read or receive it:
 *
 * - Digests with a scramble, and signatures, do not reveal the password. Over an unverified connection an
 *   attacker's server can use them to guess the password offline, as with every MySQL client.
 * - caching_sha2_password and sha256_password send the password itself, but only over TLS or the server's own
 *   socket; otherwise they encrypt it with the server's RSA key, if the profile allows to request that key.
 * - mysql_clear_password sends the password itself to any server. So it is allowed only if the server is
 *   verified.
 *
 * An attacker can forge a greeting, because it arrives before TLS, so it may choose only digests: the worst
 * result is an answer that the real server refuses. Any other choice comes through TLS, if TLS is used.
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
