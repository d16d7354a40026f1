/* SPDX-License-Identifier: MIT */
/* What the writers of formats share: the URL that most of them begin with, quoting, and the password's only
 * way out. */
#ifndef OUTPUT_WRITE_H
#define OUTPUT_WRITE_H

#include <output/format.h>

#define MASK "********"
/* The most that a format may come to: a password of 64 KiB, percent-encoded, and a file of authorities. */
#define FORMAT_TEXT_MOST (1024 * 1024)

/* How a text is written so that a reader gets it back. */
typedef void encoder(struct buf *out, const char *s, size_t n);
void encode_percent(struct buf *out, const char *s, size_t n); /* text_percent_encode() */
void encode_raw(struct buf *out, const char *s, size_t n);

/* Writes the password with that encoder, or the mask unchanged. Writes nothing if there is none. */
void put_password(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode);
void put_encoded(struct buf *out, const char *s);

/* SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, each part percent-encoded; without a host: localhost. */
void url_begin(struct buf *out, const char *scheme, const struct connection *c, const struct format_how *how);
/* "USER:PASSWORD@", or less, or nothing. */
void url_login(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode);

/* Behind it, its parameters, key and value percent-encoded; a NULL value is none. */
struct query {
    struct buf *out;
    char separator;
};
#define QUERY(buf)                                                                                           \
    {                                                                                                        \
        (buf), '?'                                                                                           \
    }
void query_put(struct query *q, const char *key, const char *value);

/* What Go's driver, and those that use it, can be told. */
#define GO_LEVELS (LEVEL(DISABLED) | LEVEL(PREFERRED) | LEVEL(REQUIRED) | LEVEL(VERIFY_IDENTITY))
/* USER:PASSWORD@tcp(HOST:PORT)/DATABASE, the login by that encoder. */
void go_dsn_put(struct buf *out, const struct connection *c, const struct format_how *how, encoder *encode);
/* The parameters of Go's driver for TLS and clear-text passwords. */
void go_tls_put(struct query *q, const struct connection *c);

/* What a connection at verify-ca or stricter is to trust, by the format's means: NULL below, and where the
 * reader has no place for it. */
const char *authorities_of(const struct connection *c);
/* The client's certificate or key, where there is TLS. */
const char *cert_of(const struct connection *c);
const char *key_of(const struct connection *c);
const char *ciphers_of(const struct connection *c);
/* Only where the profile sets it. */
const char *version_of(const struct connection *c);

/* "# valid until TIME", where there is an expiry. */
void put_expiry(struct buf *out, const struct connection *c);

/* In single quotes for that shell. */
void quote_always(struct buf *out, enum shell shell, const char *s, size_t n);

/* One `KEY=VALUE` line of a .env file, the value quoted so that all its readers agree. */
int dotenv_put(struct buf *out, const char *format, const char *key, const char *value, struct err *e);
int dotenv_put_password(struct buf *out, const char *format, const char *key, const struct connection *c,
                        const struct format_how *how, struct err *e);

#endif
