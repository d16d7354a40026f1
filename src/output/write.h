/* SPDX-License-Identifier: MIT */
/* What the writers of formats share: the URL with which most of them begin, quoting, and the only function
 * that writes the password. */
#ifndef OUTPUT_WRITE_H
#define OUTPUT_WRITE_H

#include <output/format.h>

#define MASK "********"
/* The size limit of a format's text: a password of 64 KiB, percent-encoded, and a file of CA certificates. */
#define FORMAT_TEXT_MOST (1024 * 1024)

/* Appends `n` bytes, encoded so that the format's reader decodes them to the same bytes. */
typedef void encoder(struct buf *out, const char *s, size_t n);
void encode_percent(struct buf *out, const char *s, size_t n); /* calls text_percent_encode() */
void encode_raw(struct buf *out, const char *s, size_t n);

/* Appends the password with this encoder, or the mask unencoded. Appends nothing if there is no password. */
void put_password(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode);
void put_encoded(struct buf *out, const char *s);

/* Appends SCHEME://USER:PASSWORD@HOST:PORT/DATABASE with each part percent-encoded; without a host, localhost
 * is used. */
void url_begin(struct buf *out, const char *scheme, const struct connection *c, const struct format_how *how);
/* Appends "USER:PASSWORD@", or "USER@" without a password, or nothing without a user. */
void url_login(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode);

/* The parameters of a URL, with key and value percent-encoded. A parameter whose value is NULL is left out.
 */
struct query {
    struct buf *out;
    char separator;
};
#define QUERY(buf)                                                                                           \
    {                                                                                                        \
        (buf), '?'                                                                                           \
    }
void query_put(struct query *q, const char *key, const char *value);

/* The TLS levels of Go's driver and of programs that use it. */
#define GO_LEVELS (LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(REQUIRED) | LEVEL(VERIFY_IDENTITY))
/* Appends USER:PASSWORD@tcp(HOST:PORT)/DATABASE; user and password are encoded with `encode`. */
void go_dsn_put(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode);
/* Appends the parameters of Go's driver for TLS and cleartext passwords. */
void go_tls_put(struct query *q, const struct connection *c);

/* Returns the file of CA certificates for a connection at verify-ca or stricter; NULL below, and if the
 * format has no place for it. */
const char *ca_of(const struct connection *c);
/* Return the client's certificate and key; NULL if TLS is off. */
const char *cert_of(const struct connection *c);
const char *key_of(const struct connection *c);
const char *ciphers_of(const struct connection *c);
/* Returns the TLS version if the profile sets it, else NULL. */
const char *version_of(const struct connection *c);

/* Appends the comment "# valid until TIME" if the credential expires. */
void put_expiry(struct buf *out, const struct connection *c);

/* Appends `s` in single quotes for this shell. */
void quote_always(struct buf *out, enum shell shell, const char *s, size_t n);

/* Appends one `KEY=VALUE` line of a .env file, quoted so that all readers get the same value. */
int dotenv_put(struct buf *out, const char *format, const char *key, const char *value, struct err *e);
int dotenv_put_password(struct buf *out, const char *format, const char *key, const struct connection *c,
                        const struct format_how *how, struct err *e);

#endif
