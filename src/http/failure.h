/* SPDX-License-Identifier: MIT */
/* What an exchange without an answer says. */
#ifndef HTTP_FAILURE_H
#define HTTP_FAILURE_H

#include <curl/curl.h>

#include "exchange.h"

/* Sets x->failed, and beside it transient and broken. `detail` is the text of CURLOPT_ERRORBUFFER. */
void failure_say(CURL *curl, CURLcode code, const char *detail, struct exchange *x);

#endif
