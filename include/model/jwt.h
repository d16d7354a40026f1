/* SPDX-License-Identifier: MIT */
/* JSON Web Tokens (RFC 7519) that identify the user or job to another service. */
#ifndef MODEL_JWT_H
#define MODEL_JWT_H

#include <stdbool.h>

#include <base/buf.h>

/* Appends a token's issuer and subject as fields of an identity (identity_add_field). The signature is not
 * checked, so they may only name a cache entry. Returns false if the text is not a JWT or has no issuer or no
 * subject. */
bool jwt_add_subject(const char *jwt, struct buf *out);

#endif
