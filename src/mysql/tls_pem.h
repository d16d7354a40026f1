/* SPDX-License-Identifier: MIT */
/* Finds the malformed certificate in a file; OpenSSL only reports that there is one. */
#ifndef MYSQL_TLS_PEM_H
#define MYSQL_TLS_PEM_H

#include <stdbool.h>

/* Describes the first malformed certificate of a PEM file: "certificate 3, at line 57, is malformed". Returns
 * a malloced string, or NULL if all certificates are readable. */
char *tls_pem_broken(const char *path);

#endif
