/* SPDX-License-Identifier: MIT */
/*
 * broker-http, the helper program for HTTP. Because of it, broker itself opens no Internet socket and parses
 * no response body. It exchanges records on stdin and stdout (ipc/http.h) and handles many requests per
 * process. It never prints or logs a body.
 */
#include <stdlib.h>

#include <curl/curl.h>
#include <openssl/crypto.h>

#include <base/proc.h>
#include <ipc/helper.h>
#include <ipc/http.h>

#include "callback.h"
#include "document.h"
#include "exchange.h"
#include "pick.h"
#include "sign.h"
#include "wipe.h"

static int handle_request(const struct record *request, struct record *answer, struct err *e)
{
    __attribute__((cleanup(exchange_release))) struct exchange x = EXCHANGE_INIT;

    if (exchange_run(request, &x, e) < 0)
        return -1;
    if (x.status) {
        record_put_u64(answer, HTTP_TAG_STATUS, (uint64_t)x.status);
        pick_all(request, &x, answer);
        return 0;
    }
    record_put_str(answer, HTTP_TAG_FAILED, x.failed);
    if (x.transient)
        record_put_u64(answer, HTTP_TAG_TRANSIENT, 1);
    if (x.broken)
        record_put_u64(answer, HTTP_TAG_BROKEN, 1);
    return 0;
}

static int handle(const struct record *request, struct record *answer, struct err *e)
{
    switch (request->kind) {
    case HTTP_VERB_REQUEST:
        return handle_request(request, answer, e);
    case HTTP_VERB_SIGN:
        return sign_es256(request, answer, e);
    case HTTP_VERB_SHA1:
        return digest_sha1(request, answer, e);
    case HTTP_VERB_XML:
        return document_xml(request, answer, e);
    case HTTP_VERB_DECRYPT:
        return document_decrypt(request, answer, e);
    default:
        return callback_handle(request, answer, e);
    }
}

int main(int argc, char **argv)
{
    const char *const libraries[] = {"libcurl", curl_version_info(CURLVERSION_NOW)->version, "OpenSSL",
                                     OpenSSL_version(OPENSSL_VERSION_STRING), NULL};

    proc_harden();
    proc_confine();
    if (helper_lists_libraries(argc, argv, libraries))
        return 0;
    /* With SSLKEYLOGFILE set, libcurl and OpenSSL would write the TLS session keys to a file. */
    (void)unsetenv("SSLKEYLOGFILE");
    return helper_serve(handle, wipe_stack) < 0 ? ERR_PROTOCOL : 0;
}
