/* SPDX-License-Identifier: MIT */
/* Reads the claims of a JWT. */
#include <model/jwt.h>

#include <string.h>

#include <sodium.h>

#include <base/secret.h>
#include <model/identity.h>
#include <model/json.h>

/* Returns the claims of a JWT, which are its second part; NULL if the text is not a JWT. */
static json_t *claims_of(const char *jwt)
{
    const char *from = strchr(jwt, '.'), *to = from ? strchr(from + 1, '.') : NULL;
    AUTO_BUF(text, SECRET_MAX);
    size_t n = 0;

    char *room = to ? buf_room(&text, SECRET_MAX) : NULL;
    if (!room || sodium_base642bin((unsigned char *)room, SECRET_MAX, from + 1, (size_t)(to - from) - 1, "=",
                                   &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    buf_grew(&text, n);
    json_use_wiping_memory();
    return json_loadb(buf_str(&text), n, 0, NULL);
}

static const char *claim(const json_t *claims, const char *name)
{
    const char *value = json_string_value(json_object_get(claims, name));

    return value && *value ? value : NULL;
}

bool jwt_add_subject(const char *jwt, struct buf *out)
{
    AUTO_JSON(claims);

    claims = claims_of(jwt);
    const char *issuer = claim(claims, "iss"), *subject = claim(claims, "sub");
    if (!issuer || !subject)
        return false;
    identity_add_field(out, issuer);
    identity_add_field(out, subject);
    return true;
}
