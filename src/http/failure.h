/* SPDX-License-Identifier: MIT */
/* Error texts for a failed exchange. */
#ifndef HTTP_FAILURE_H
#define HTTP_FAILURE_H

#include <curl/curl.h>

#include "exchange.h"

/* Sets x->failed, x->transient and x->broken. `detail` is the text in CURLOPT_ERRORBUFFER. */
void failure_say(CURL *curl, CURLcode code, const char *detail, struct exchange *x);

#endif
