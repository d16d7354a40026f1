/* SPDX-License-Identifier: MIT */
/* The names of the TLS levels, in order of strictness, and the host as other programs need it. */
#include <output/connection.h>

#include <stddef.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>

static const char *const names[] = {"disabled", "preferred", "required", "verify-ca", "verify-identity"};

const char *tls_level_name(enum tls_level level)
{
    return names[level];
}

enum tls_level tls_level_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (text_equal(names[i], name))
            return (enum tls_level)i;
    }
    return TLS_VERIFY_IDENTITY;
}

const char *tls_level_ssl_mode(enum tls_level level)
{
    static const char *const modes[] = {"DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"};

    return modes[level];
}

void connection_by_tcp(struct connection *c)
{
    if (c->tls < TLS_VERIFY_IDENTITY)
        c->host = host_by_tcp(c->host);
}
