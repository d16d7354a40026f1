/* SPDX-License-Identifier: MIT */
/* Error texts for a failed exchange. libcurl's own text is not used if it might contain the password of a
 * proxy. */
#include "failure.h"

#include <string.h>

#include <base/net_errors.h>

static const char *connect_reason(CURL *curl)
{
    long failed = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &failed);
    return failed ? net_refused((int)failed).words : "connection failed";
}

/* In TLS 1.3, a server reports a missing client certificate only after the handshake, and closes the
 * connection. */
static bool wants_client_certificate(CURLcode code, const char *detail)
{
    return (code == CURLE_RECV_ERROR || code == CURLE_SSL_CONNECT_ERROR) &&
           strstr(detail, "certificate required");
}

/* Returns our own text for an error, or NULL to use libcurl's. Sets *transient if a retry may help, unlike
 * for example with an untrusted certificate. */
static const char *reason(CURL *curl, CURLcode code, bool *transient)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        *transient = true;
        return "no such host";
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "the proxy set in the environment: no such host, or not a URL";
    case CURLE_COULDNT_CONNECT:
        *transient = true;
        return connect_reason(curl);
    case CURLE_OPERATION_TIMEDOUT:
        *transient = true;
        return "no answer in time";
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        *transient = true;
        return "the connection broke";
    case CURLE_SSL_CACERT_BADFILE:
        return "the file of CA certificates cannot be read";
    case CURLE_SSL_CERTPROBLEM:
        return "the client certificate or its key cannot be read";
    case CURLE_LOGIN_DENIED:
        return "user and password in a URL are not sent";
    case CURLE_URL_MALFORMAT:
        return "not a valid URL";
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "only http and https are supported";
    default:
        return NULL;
    }
}

void failure_say(CURL *curl, CURLcode code, const char *detail, struct exchange *x)
{
    long from_proxy = 0;
    AUTO_BUF(text, sizeof x->failed - 1);

    (void)curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &from_proxy);
    const char *words = reason(curl, code, &x->transient);
    if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED) {
        x->broken = true;
        words = "the answer has over 1 MiB";
    }
    if (wants_client_certificate(code, detail)) {
        x->transient = false;
        buf_puts(&text, "it requires a client certificate");
    } else if (code == CURLE_RECV_ERROR && from_proxy >= 300) {
        x->transient = from_proxy >= 500;
        buf_printf(&text, "the proxy set in the environment answered with HTTP %ld", from_proxy);
    } else if (words) {
        buf_puts(&text, words);
    } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
        buf_printf(&text, "its certificate is not trusted: %s", detail);
    } else {
        buf_puts(&text, *detail && !strstr(detail, "proxy") ? detail : curl_easy_strerror(code));
    }
    memcpy(x->failed, buf_str(&text), text.len + 1);
}
