/* SPDX-License-Identifier: MIT */
/*
 * libcurl, set up once for the life of the helper so that connections are reused. TLS 1.2 or later, the
 * system's or the given CA certificates, no cookies, no .netrc, no credentials in URLs. A redirect is
 * followed only to the same origin, because the headers contain secrets for that server alone.
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
 * OpenSSL needs about 25 ms to read the file of all the system's CA certificates. In the folder of the same
 * certificates, if libcurl knows one, it only opens the one that it needs, by the hash of its name. So the
 * folder is tried alone first. If it does not lead to trust, both count, as libcurl has it: some systems
 * have certificates in the file only.
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

    /* A status line begins the headers of another answer (100 Continue, a proxy's, a redirect's). */
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

/* A line end in a value would start another header. */
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
            return err_set(e, ERR_DATA, "a header with a line end in it");
        buf_add(&line, f.bytes, f.len);
        /* libcurl drops "Name:" without a value; "Name;" sends an empty header. */
        if (line.len > 2 && strcmp(buf_str(&line) + line.len - 2, ": ") == 0) {
            line.data[line.len - 2] = ';';
            line.data[line.len - 1] = '\0';
        }
        append(list, buf_str(&line));
    }
    /* Removes headers that the caller did not set. */
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

/* Decrypted data would stay in OpenSSL's buffer while the connection is kept, and in freed memory afterwards.
 */
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
 * a CGI program the upper-case one comes from the request. Like the AWS SDKs, we ignore it only in a CGI
 * program, and we ignore ALL_PROXY, which libcurl knows but the SDKs do not.
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

/* The URL then has the name that the certificate is verified for, and another host is dialled. */
static void set_up_route(const struct record *r)
{
    static struct curl_slist *route; /* libcurl reads it until the end of the exchange */
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
        /* Only these, without the system's folder. */
        set_text(CURLOPT_CAINFO, ca);
        set_text(CURLOPT_CAPATH, NULL);
    } else if (folder_will_do) {
        set_text(CURLOPT_CAINFO, NULL);
    }
    if (cert)
        set_text(CURLOPT_SSLCERT, cert);
    if (key)
        set_text(CURLOPT_SSLKEY, key);
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
    /* 0 would be no limit. */
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)clock_left(until) + !clock_left(until));
}

/* Length of "scheme://authority". */
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

/* The next URL if the answer is a redirect to the same origin; malloced, else NULL. */
static char *redirect_of(const struct exchange *x, const char *url)
{
    const char *to = NULL;

    if ((x->status != 307 && x->status != 308) ||
        curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to || !is_same_origin(url, to))
        return NULL;
    return mem_strdup(to);
}

/* The folder alone did not lead to trust, and the request has not been sent. */
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
        return err_set(e, ERR_PROTOCOL, "a request without a URL");
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
    /* It may hold a code. */
    mem_wipe_free(url);
    url = NULL;
    return gathered;
}
