/* SPDX-License-Identifier: MIT */
/*
 * Signature Version 4: canonical request, string to sign, signing key, signature. Everything derived from the
 * secret key is wiped. By design it does not resolve `.` and `..` in paths and has no exceptions for S3.
 */
#include <aws/sigv4.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include <base/mem.h>
#include <base/text.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define CANONICAL_MOST (4 * SECRET_MAX)
#define SHA256_HEX (2 * crypto_hash_sha256_BYTES + 1)

/* gmtime_r() is not used because it opens /etc/localtime. To convert days to a date, years start in March, so
 * that a leap day is the last day of its year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
void sigv4_date(time_t t, char out[17])
{
    unsigned long long seconds =
        t > 0 ? (unsigned long long)t % 253402300800ULL : 0; /* limited to the year 9999 */
    unsigned day = (unsigned)(seconds / 86400) + 719468, second = (unsigned)(seconds % 86400);
    unsigned era = day / 146097, of_era = day % 146097;
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;

    day = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    (void)snprintf(out, 17, "%04u%02u%02uT%02u%02u%02uZ", year % 10000, month % 100, day % 100,
                   second / 3600 % 24, second / 60 % 60, second % 60);
}

static void hash_hex(const void *bytes, size_t n, char out[SHA256_HEX])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    (void)crypto_hash_sha256(digest, bytes, n);
    (void)sodium_bin2hex(out, SHA256_HEX, digest, sizeof digest);
}

/* --- the canonical request */

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends the encoded query parameters, sorted. Between name and value is the byte \001 while sorting,
 * because it sorts before any other, and `=` afterwards. */
static void add_query(const struct sigv4_request *r, struct buf *out)
{
    AUTO_WORDS(pairs);

    for (size_t i = 0; i < r->query_count; i++) {
        AUTO_BUF(pair, CANONICAL_MOST);
        text_percent_encode(&pair, r->query[i].name, strlen(r->query[i].name));
        buf_putc(&pair, '\001');
        text_percent_encode(&pair, r->query[i].value, strlen(r->query[i].value));
        words_take(&pairs, buf_take(&pair));
    }
    if (pairs.count)
        qsort(pairs.word, pairs.count, sizeof *pairs.word, compare_strings);
    for (size_t i = 0; i < pairs.count; i++) {
        *strchr(pairs.word[i], '\001') = '=';
        if (i)
            buf_putc(out, '&');
        buf_puts(out, pairs.word[i]);
    }
}

static void add_path(const char *path, struct buf *out)
{
    for (const char *s = path; *s; s++) {
        if (*s == '/')
            buf_putc(out, '/');
        else
            text_percent_encode(out, s, 1);
    }
}

/* Appends a header value without leading and trailing spaces, and with a single space for each run of
 * spaces. */
static void add_trimmed(struct buf *out, const char *s)
{
    s += strspn(s, " \t");
    while (*s) {
        size_t word = strcspn(s, " \t");
        buf_add(out, s, word);
        s += word;
        s += strspn(s, " \t");
        if (*s)
            buf_putc(out, ' ');
    }
}

static void add_lower(struct buf *out, const char *s)
{
    for (; *s; s++)
        buf_putc(out, *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s);
}

/* Sorts the headers by name. The sort is stable. Stores their indexes in `order` and returns their number. */
static size_t sort_headers(const struct sigv4_request *r, size_t order[SIGV4_FIELDS_MOST])
{
    size_t n = r->header_count < SIGV4_FIELDS_MOST ? r->header_count : SIGV4_FIELDS_MOST;

    for (size_t i = 0; i < n; i++) {
        size_t j = i;
        for (; j > 0 && strcasecmp(r->header[order[j - 1]].name, r->header[i].name) > 0; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    return n;
}

static bool is_repeated(const struct sigv4_request *r, const size_t *order, size_t i)
{
    return i > 0 && strcasecmp(r->header[order[i - 1]].name, r->header[order[i]].name) == 0;
}

static void add_headers(const struct sigv4_request *r, struct buf *out)
{
    size_t order[SIGV4_FIELDS_MOST], n = sort_headers(r, order);

    for (size_t i = 0; i < n; i++) {
        if (is_repeated(r, order, i)) {
            buf_putc(out, ',');
        } else {
            if (i)
                buf_putc(out, '\n');
            add_lower(out, r->header[order[i]].name);
            buf_putc(out, ':');
        }
        add_trimmed(out, r->header[order[i]].value);
    }
    buf_puts(out, "\n\n");
}

static void add_signed_headers(const struct sigv4_request *r, struct buf *out)
{
    size_t order[SIGV4_FIELDS_MOST], n = sort_headers(r, order);

    for (size_t i = 0; i < n; i++) {
        if (is_repeated(r, order, i))
            continue;
        if (i)
            buf_putc(out, ';');
        add_lower(out, r->header[order[i]].name);
    }
}

void sigv4_canonical_request(const struct sigv4_request *r, struct buf *out)
{
    char payload[SHA256_HEX];

    hash_hex(r->body ? r->body : "", r->body ? r->body_len : 0, payload);
    buf_printf(out, "%s\n", r->method);
    add_path(r->path, out);
    buf_putc(out, '\n');
    add_query(r, out);
    buf_putc(out, '\n');
    add_headers(r, out);
    add_signed_headers(r, out);
    buf_printf(out, "\n%s", payload);
}

/* --- the signature */

static void add_scope(const struct sigv4_request *r, struct buf *out)
{
    char date[17];

    sigv4_date(r->now, date);
    buf_printf(out, "%.8s/%s/%s/aws4_request", date, r->region, r->service);
}

void sigv4_string_to_sign(const struct sigv4_request *r, const char *canonical_request, struct buf *out)
{
    char date[17], hash[SHA256_HEX];

    sigv4_date(r->now, date);
    hash_hex(canonical_request, strlen(canonical_request), hash);
    buf_printf(out, ALGORITHM "\n%s\n", date);
    add_scope(r, out);
    buf_printf(out, "\n%s", hash);
}

static void hmac(const void *key, size_t n, const char *text, unsigned char out[crypto_auth_hmacsha256_BYTES])
{
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key, n);
    (void)crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
    (void)crypto_auth_hmacsha256_final(&state, out);
    explicit_bzero(&state, sizeof state);
}

static void sign(const struct sigv4_request *r, const struct secret *secret, const char *text,
                 char out[SHA256_HEX])
{
    unsigned char key[crypto_auth_hmacsha256_BYTES];
    AUTO_SECRET(first);
    char date[17];

    sigv4_date(r->now, date);
    date[8] = '\0';
    first = secret_new(secret_len(secret) + 4);
    (void)secret_add(first, "AWS4", 4);
    (void)secret_add(first, secret_bytes(secret), secret_len(secret));
    hmac(secret_bytes(first), secret_len(first), date, key);
    hmac(key, sizeof key, r->region, key);
    hmac(key, sizeof key, r->service, key);
    hmac(key, sizeof key, "aws4_request", key);
    hmac(key, sizeof key, text, key);
    (void)sodium_bin2hex(out, SHA256_HEX, key, sizeof key);
    explicit_bzero(key, sizeof key);
}

/* Computes the signature of a request that already contains all signed fields. */
static int make_signature(const struct sigv4_request *r, const struct secret *secret, char out[SHA256_HEX],
                          struct err *e)
{
    AUTO_BUF(canonical, CANONICAL_MOST);
    AUTO_BUF(text, 1024);

    sigv4_canonical_request(r, &canonical);
    sigv4_string_to_sign(r, buf_str(&canonical), &text);
    if (!buf_ok(&canonical) || !buf_ok(&text))
        return err_set(e, ERR_DATA, "the request is too long to sign");
    sign(r, secret, buf_str(&text), out);
    return 0;
}

/* Copies the caller's fields and checks that `ours` more fit. */
static int copy_fields(const struct sigv4_field *from, size_t n, size_t ours,
                       struct sigv4_field to[SIGV4_FIELDS_MOST], struct err *e)
{
    if (n + ours > SIGV4_FIELDS_MOST)
        return err_set(e, ERR_BUG, "the request has over %d fields", SIGV4_FIELDS_MOST);
    if (n)
        memcpy(to, from, n * sizeof *from);
    return 0;
}

int sigv4_authorization(const struct sigv4_request *r, const struct aws_keys *keys, struct buf *out,
                        struct err *e)
{
    struct sigv4_field field[SIGV4_FIELDS_MOST];
    struct sigv4_request own = *r;
    char date[17], signature[SHA256_HEX];
    AUTO_BUF(token, SECRET_MAX);

    if (copy_fields(r->header, r->header_count, 2, field, e) < 0)
        return -1;
    sigv4_date(r->now, date);
    own.header = field;
    field[own.header_count++] = (struct sigv4_field){"X-Amz-Date", date};
    if (keys->token) {
        buf_add(&token, secret_bytes(keys->token), secret_len(keys->token));
        field[own.header_count++] = (struct sigv4_field){"X-Amz-Security-Token", buf_str(&token)};
    }
    if (make_signature(&own, keys->secret, signature, e) < 0)
        return -1;
    buf_printf(out, ALGORITHM " Credential=%s/", keys->id);
    add_scope(r, out);
    buf_puts(out, ", SignedHeaders=");
    add_signed_headers(&own, out);
    buf_printf(out, ", Signature=%s", signature);
    return buf_ok(out) ? 0 : err_set(e, ERR_DATA, "the request is too long to sign");
}

static void add_parameter(struct buf *out, bool first, const struct sigv4_field *f)
{
    if (!first)
        buf_putc(out, '&');
    text_percent_encode(out, f->name, strlen(f->name));
    buf_putc(out, '=');
    text_percent_encode(out, f->value, strlen(f->value));
}

int sigv4_presign(const struct sigv4_request *r, const struct aws_keys *keys, unsigned expires,
                  struct buf *out, struct err *e)
{
    struct sigv4_field field[SIGV4_FIELDS_MOST];
    struct sigv4_request own = *r;
    char date[17], seconds[16], signature[SHA256_HEX];
    AUTO_BUF(credential, 4096);
    AUTO_BUF(headers, 4096);
    AUTO_BUF(token, SECRET_MAX);

    if (copy_fields(r->query, r->query_count, 6, field, e) < 0)
        return -1;
    sigv4_date(r->now, date);
    (void)snprintf(seconds, sizeof seconds, "%u", expires);
    buf_printf(&credential, "%s/", keys->id);
    add_scope(r, &credential);
    add_signed_headers(r, &headers);
    own.query = field;
    field[own.query_count++] = (struct sigv4_field){"X-Amz-Algorithm", ALGORITHM};
    field[own.query_count++] = (struct sigv4_field){"X-Amz-Credential", buf_str(&credential)};
    field[own.query_count++] = (struct sigv4_field){"X-Amz-Date", date};
    field[own.query_count++] = (struct sigv4_field){"X-Amz-Expires", seconds};
    field[own.query_count++] = (struct sigv4_field){"X-Amz-SignedHeaders", buf_str(&headers)};
    if (keys->token) {
        buf_add(&token, secret_bytes(keys->token), secret_len(keys->token));
        field[own.query_count++] = (struct sigv4_field){"X-Amz-Security-Token", buf_str(&token)};
    }
    if (!buf_ok(&credential) || !buf_ok(&headers))
        return err_set(e, ERR_DATA, "the access key ID is too long");
    if (make_signature(&own, keys->secret, signature, e) < 0)
        return -1;
    for (size_t i = 0; i < own.query_count; i++)
        add_parameter(out, i == 0, &field[i]);
    buf_printf(out, "&X-Amz-Signature=%s", signature);
    return buf_ok(out) ? 0 : err_set(e, ERR_DATA, "the signed query is too long");
}
