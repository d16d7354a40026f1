/* SPDX-License-Identifier: MIT */
/* What a credential_process prints. */
#ifndef AWS_PROCESS_ANSWER_H
#define AWS_PROCESS_ANSWER_H

#include <stddef.h>
#include <time.h>

#include <aws/keys.h>
#include <base/err.h>

#define PROCESS_ANSWER_MOST SECRET_MAX

/* ERR_DATA, never with a part of the text, which may be a secret. `now`: expired keys are refused. */
int process_answer_parse(const char *text, size_t n, time_t now, struct aws_keys *out, struct err *e);

#endif
