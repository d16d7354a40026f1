/* Which certificate of a file is broken: OpenSSL says only that one is. */
#ifndef MYSQL_TLS_PEM_H
#define MYSQL_TLS_PEM_H

#include <stdbool.h>

/* The first certificate of a PEM file that cannot be read: "certificate 3, at line 57, is broken", malloced.
 * NULL: there is none. */
char *tls_pem_broken(const char *path);

#endif
