/*
 * libcurl, set up once for the life of the helper so that connections are reused. TLS 1.2 or later, the
 * system's or the given authorities, no cookies, no .netrc, no credentials in URLs. A redirect is followed
 * only to the same origin: the headers hold secrets that are that server's alone.
 */
#include "exchange.h"

#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include <base/mem.h>
#include <ipc/http.h>

#define REDIRECTS_MAX 3

static CURL *curl;

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

static struct curl_slist *gather_headers(const struct record *request, struct err *e)
{
    struct curl_slist *list = NULL;
    struct field f;
    size_t offset = 0;

    while (record_next(request, &offset, &f, e) > 0) {
        if (f.tag != HTTP_TAG_HEADER)
            continue;
        AUTO_BUF(line, 65536);
        buf_add(&line, f.bytes, f.len);
        /* libcurl drops "Name:" without a value; with a semicolon it is sent empty. */
        if (line.len > 2 && strcmp(buf_str(&line) + line.len - 2, ": ") == 0) {
            line.data[line.len - 2] = ';';
            line.data[line.len - 1] = '\0';
        }
        struct curl_slist *longer = curl_slist_append(list, buf_str(&line));
        if (!longer)
            err_out_of_memory();
        list = longer;
    }
    /* Nothing that the caller did not ask for. */
    struct curl_slist *longer = curl_slist_append(list, "Expect:");
    if (!longer)
        err_out_of_memory();
    return longer;
}

static void headers_release(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(list);
}

/* A certificate or option that cannot be right at the next try either is not transient. */
static bool is_transient(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return true;
    default:
        return false;
    }
}

static void say_failure(struct exchange *x, CURLcode code, const char *detail)
{
    const char *words = curl_easy_strerror(code);
    AUTO_BUF(text, 512);

    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        words = "no such host";
        detail = "";
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        words = "the proxy of HTTPS_PROXY: no such host";
        detail = "";
        break;
    case CURLE_OPERATION_TIMEDOUT:
        words = "no answer in time";
        detail = "";
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
        words = "its certificate is not trusted";
        break;
    case CURLE_SSL_CACERT_BADFILE:
        words = "the file of certificate authorities cannot be read";
        break;
    case CURLE_WRITE_ERROR:
        words = "its answer is over 1 MiB";
        detail = "";
        break;
    default:
        break;
    }
    buf_printf(&text, *detail ? "%s: %s" : "%s", words, detail);
    size_t n = text.len < sizeof x->failed - 1 ? text.len : sizeof x->failed - 1;
    memcpy(x->failed, buf_str(&text), n);
    x->failed[n] = '\0';
    x->transient = is_transient(code);
}

static void set_text(CURLoption option, const char *value)
{
    (void)curl_easy_setopt(curl, option, value);
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
}

static void set_up_request(const struct record *r, const char *url)
{
    AUTO_FREE(char *, method);
    AUTO_FREE(char *, ca);
    AUTO_FREE(char *, cert);
    AUTO_FREE(char *, key);
    struct field body, direct;

    method = record_str(r, HTTP_TAG_METHOD);
    ca = record_str(r, HTTP_TAG_CA_FILE);
    cert = record_str(r, HTTP_TAG_CERT);
    key = record_str(r, HTTP_TAG_KEY);
    set_text(CURLOPT_URL, url);
    if (record_find(r, HTTP_TAG_BODY, &body)) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.bytes);
    }
    set_text(CURLOPT_CUSTOMREQUEST, method);
    if (ca)
        set_text(CURLOPT_CAINFO, ca);
    if (cert)
        set_text(CURLOPT_SSLCERT, cert);
    if (key)
        set_text(CURLOPT_SSLKEY, key);
    if (record_find(r, HTTP_TAG_DIRECT, &direct))
        set_text(CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                           (long)record_u64(r, HTTP_TAG_CONNECT_TIMEOUT, 10000));
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)record_u64(r, HTTP_TAG_TIMEOUT, 60000));
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

/* The next URL where the answer is a redirect to the same origin; malloced, NULL otherwise. */
static char *redirect_of(const struct exchange *x, const char *url)
{
    const char *to = NULL;

    if ((x->status != 307 && x->status != 308) ||
        curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to || !is_same_origin(url, to))
        return NULL;
    return mem_strdup(to);
}

static void run_once(const struct record *request, const char *url, struct curl_slist *headers,
                     struct exchange *x)
{
    char detail[CURL_ERROR_SIZE] = "";

    buf_clear(&x->body);
    x->status = 0;
    set_up_always(x, detail);
    set_up_request(request, url);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        say_failure(x, code == CURLE_FILESIZE_EXCEEDED ? CURLE_WRITE_ERROR : code, detail);
    else
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &x->status);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
}

int exchange_run(const struct record *request, struct exchange *x, struct err *e)
{
    AUTO_FREE(char *, url);

    if (!curl && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(curl = curl_easy_init())))
        err_out_of_memory();
    url = record_str(request, HTTP_TAG_URL);
    if (!url)
        return err_set(e, ERR_PROTOCOL, "a request without a URL");
    struct curl_slist *headers = gather_headers(request, e);
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        run_once(request, url, headers, x);
        char *next = redirect_of(x, url);
        if (!next)
            break;
        mem_wipe_free(url);
        url = next;
    }
    headers_release(headers);
    return 0;
}
