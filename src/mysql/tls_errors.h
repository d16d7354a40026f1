/* What a failed verification is called: remembered while it happens, because OpenSSL forgets the certificate.
 */
#ifndef MYSQL_TLS_ERRORS_H
#define MYSQL_TLS_ERRORS_H

#include <openssl/x509.h>

/* For SSL_CTX_set_verify(): changes nothing. */
int tls_why_verify(int good, X509_STORE_CTX *store);

#endif
