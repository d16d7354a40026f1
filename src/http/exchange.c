/* SPDX-License-Identifier: MIT */
/*
 * libcurl, set up once per process so that connections are reused: TLS 1.2 or later, CA certificates from the
 * system or the request, no cookies, no .netrc, no credentials in URLs. Redirects are followed only within
 * the same origin, because the headers contain secrets meant for that server only.
 */
#include "exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/http.h>

#include "failure.h"
#include "wipe.h"

#define REDIRECTS_MAX 3

static CURL *curl;

/*
 * Whether to try the system's CA directory alone. OpenSSL needs about 25 ms to read the file of all CA
 * certificates, whereas in the directory, if libcurl knows one, it opens only the certificate it needs, found
 * by the hash of its name. If verification fails with the directory alone, both are used, which is libcurl's
 * default, because some systems have certificates only in the file.
 */
static bool folder_will_do;

void exchange_release(struct exchange *x)
{
    buf_release(&x->body);
    buf_release(&x->headers);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *to)
{
    struct buf *body = to;

    buf_add(body, bytes, size * n);
    return buf_ok(body) ? size * n : 0;
}

static size_t take_header(char *bytes, size_t size, size_t n, void *to)
{
    struct buf *headers = to;

    /* A status line starts the headers of another response (100 Continue, a proxy's, a redirect). */
    if (size * n > 5 && strncasecmp(bytes, "HTTP/", 5) == 0)
        buf_clear(headers);
    buf_add(headers, bytes, size * n);
    return buf_ok(headers) ? size * n : 0;
}

static void append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        err_out_of_memory();
    *list = longer;
}

/* Returns false if a value has a line break, which would start another header, or is empty. */
static bool is_one_line(const struct field *f)
{
    for (size_t i = 0; i < f->len; i++) {
        if (f->bytes[i] == '\r' || f->bytes[i] == '\n' || f->bytes[i] == '\0')
            return false;
    }
    return f->len > 0;
}

static int gather_headers(const struct record *request, struct curl_slist **list, struct err *e)
{
    struct field f;
    size_t offset = 0;
    int more;

    while ((more = record_next(request, &offset, &f, e)) > 0) {
        if (f.tag != HTTP_TAG_HEADER)
            continue;
        AUTO_BUF(line, 65536);
        if (!is_one_line(&f))
            return err_set(e, ERR_DATA, "a header contains a newline");
        buf_add(&line, f.bytes, f.len);
        /* libcurl drops "Name:" without a value; "Name;" sends an empty header. */
        if (line.len > 2 && strcmp(buf_str(&line) + line.len - 2, ": ") == 0) {
            line.data[line.len - 2] = ';';
            line.data[line.len - 1] = '\0';
        }
        append(list, buf_str(&line));
    }
    /* Disable the Expect header, which libcurl would add. */
    append(list, "Expect:");
    return more;
}

static void headers_release(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(list);
}

static void set_text(CURLoption option, const char *value)
{
    (void)curl_easy_setopt(curl, option, value);
}

/* Makes OpenSSL wipe decrypted data, which would otherwise stay in its buffers, and in freed memory. */
static CURLcode cleanse(CURL *handle, void *context, void *unused)
{
    (void)handle;
    (void)unused;
    (void)SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
    return CURLE_OK;
}

static bool has_openssl(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    return info->ssl_version && text_starts(info->ssl_version, "OpenSSL");
}

static void set_up_always(struct exchange *x, char *detail)
{
    curl_easy_reset(curl);
    set_text(CURLOPT_PROTOCOLS_STR, "http,https");
    set_text(CURLOPT_USERAGENT, "broker/" BROKER_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &x->body);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, &x->headers);
    (void)curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)HTTP_BODY_MAX);
    if (has_openssl())
        (void)curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, cleanse);
}

/*
 * libcurl reads HTTPS_PROXY and NO_PROXY from the environment, but HTTP_PROXY only in lower case, because in
 * a CGI program the upper-case variable comes from a request header. Like the AWS SDKs, we use HTTP_PROXY
 * except in CGI programs, and ignore ALL_PROXY.
 */
static void set_up_proxy(const struct record *r, const char *url)
{
    const char *proxy = secure_getenv("HTTP_PROXY");
    struct field direct;

    (void)unsetenv("ALL_PROXY");
    (void)unsetenv("all_proxy");
    if (record_find(r, HTTP_TAG_DIRECT, &direct))
        set_text(CURLOPT_PROXY, "");
    else if (proxy && *proxy && strncasecmp(url, "http://", 7) == 0 && !secure_getenv("http_proxy") &&
             !secure_getenv("REQUEST_METHOD"))
        set_text(CURLOPT_PROXY, proxy);
}

/* Connects to another host and port than those in the URL, which still gives the name that the certificate is
 * verified for. */
static void set_up_route(const struct record *r)
{
    static struct curl_slist *route; /* libcurl uses the list until the end of the exchange */
    AUTO_FREE(char *, to);
    AUTO_BUF(line, 1024);

    curl_slist_free_all(route);
    route = NULL;
    to = record_str(r, HTTP_TAG_CONNECT_TO);
    if (!to)
        return;
    buf_printf(&line, "::%s", to);
    append(&route, buf_str(&line));
    (void)curl_easy_setopt(curl, CURLOPT_CONNECT_TO, route);
}

static void set_up_certificates(const struct record *r)
{
    AUTO_FREE(char *, ca);
    AUTO_FREE(char *, cert);
    AUTO_FREE(char *, key);

    ca = record_str(r, HTTP_TAG_CA_FILE);
    cert = record_str(r, HTTP_TAG_CERT);
    key = record_str(r, HTTP_TAG_KEY);
    if (ca) {
        /* Use only this file, not the system's CA directory. */
        set_text(CURLOPT_CAINFO, ca);
        set_text(CURLOPT_CAPATH, NULL);
    } else if (folder_will_do) {
        set_text(CURLOPT_CAINFO, NULL);
    }
    if (cert)
        set_text(CURLOPT_SSLCERT, cert);
    if (key)
        set_text(CURLOPT_SSLKEY, key);
    /* Without a passphrase for an encrypted key OpenSSL would ask on the terminal, or read from stdin. */
    set_text(CURLOPT_KEYPASSWD, "");
}

static void set_up_request(const struct record *r, const char *url, int64_t until)
{
    AUTO_FREE(char *, method);
    struct field body;

    method = record_str(r, HTTP_TAG_METHOD);
    set_text(CURLOPT_URL, url);
    if (record_find(r, HTTP_TAG_BODY, &body)) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.bytes);
    }
    set_text(CURLOPT_CUSTOMREQUEST, method);
    set_up_certificates(r);
    set_up_proxy(r, url);
    set_up_route(r);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)record_u64(r, HTTP_TAG_CONNECT_TIMEOUT, 10000));
    /* 0 would mean no timeout. */
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)clock_left(until) + !clock_left(until));
}

/* Returns the length of "scheme://authority". */
static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

static bool is_same_origin(const char *a, const char *b)
{
    size_t n = origin_length(a);

    return n && n == origin_length(b) && strncasecmp(a, b, n) == 0;
}

/* Returns the next URL (malloced) if the response is a redirect to the same origin; otherwise NULL. */
static char *redirect_of(const struct exchange *x, const char *url)
{
    const char *to = NULL;

    if ((x->status != 307 && x->status != 308) ||
        curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to || !is_same_origin(url, to))
        return NULL;
    return mem_strdup(to);
}

/* Returns whether to retry with all CA certificates: verification with the directory alone failed, and so the
 * request was not sent. */
static bool is_worth_all(const struct record *request, CURLcode code)
{
    struct field ca;

    return folder_will_do && !record_find(request, HTTP_TAG_CA_FILE, &ca) &&
           (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE);
}

static void run_once(const struct record *request, const char *url, struct curl_slist *headers, int64_t until,
                     struct exchange *x)
{
    char detail[CURL_ERROR_SIZE] = "";
    CURLcode code;

    for (;; folder_will_do = false) {
        buf_clear(&x->body);
        set_up_always(x, detail);
        set_up_request(request, url, until);
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        code = curl_easy_perform(curl);
        if (!is_worth_all(request, code))
            break;
    }
    x->status = 0;
    if (code != CURLE_OK)
        failure_say(curl, code, detail, x);
    else
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
}

static CURL *start(void)
{
    const char *folder = NULL;

    if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wipe_malloc, wipe_free, wipe_realloc, wipe_strdup,
                             wipe_calloc) != CURLE_OK)
        return NULL;
    CURL *made = curl_easy_init();
    folder_will_do =
        made && has_openssl() && curl_easy_getinfo(made, CURLINFO_CAPATH, &folder) == CURLE_OK && folder;
    return made;
}

int exchange_run(const struct record *request, struct exchange *x, struct err *e)
{
    AUTO_FREE(char *, url);
    struct curl_slist *headers = NULL;
    struct field f;

    if (!curl && !(curl = start()))
        err_out_of_memory();
    url = record_str(request, HTTP_TAG_URL);
    if (!url)
        return err_set(e, ERR_PROTOCOL, "the request has no URL");
    int gathered = gather_headers(request, &headers, e);
    bool stays = record_find(request, HTTP_TAG_STAYS, &f);
    int64_t until = clock_deadline((int64_t)record_u64(request, HTTP_TAG_TIMEOUT, 60000), CLOCK_NEVER);
    for (int i = 0; gathered == 0 && i <= REDIRECTS_MAX; i++) {
        run_once(request, url, headers, until, x);
        char *next = stays ? NULL : redirect_of(x, url);
        if (!next)
            break;
        mem_wipe_free(url);
        url = next;
    }
    headers_release(headers);
    /* The URL may contain an authorization code. */
    mem_wipe_free(url);
    url = NULL;
    return gathered;
}
