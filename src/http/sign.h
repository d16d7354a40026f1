/* SPDX-License-Identifier: MIT */
/* Signatures and digests that need OpenSSL. */
#ifndef HTTP_SIGN_H
#define HTTP_SIGN_H

#include <ipc/record.h>

int sign_es256(const struct record *request, struct record *answer, struct err *e);
int digest_sha1(const struct record *request, struct record *answer, struct err *e);

#endif
