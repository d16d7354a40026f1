/* SPDX-License-Identifier: MIT */
/* The JSON that a credential_process prints. */
#ifndef AWS_PROCESS_ANSWER_H
#define AWS_PROCESS_ANSWER_H

#include <stddef.h>
#include <time.h>

#include <aws/keys.h>
#include <base/err.h>

#define PROCESS_ANSWER_MOST SECRET_MAX

/* Parses the JSON. Refuses keys that expired before `now`. Fails with ERR_DATA, and never quotes the text,
 * which may contain a secret. */
int process_answer_parse(const char *text, size_t n, time_t now, struct aws_keys *out, struct err *e);

#endif
