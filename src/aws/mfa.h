/* SPDX-License-Identifier: MIT */
/* The code of the user's second factor. */
#ifndef AWS_MFA_H
#define AWS_MFA_H

#include <aws/source.h>
#include <base/secret.h>

/*
 * Runs `mfa_command`, or asks on the terminal. The caller frees *out. ERR_LOGIN if it cannot ask; the
 * program's errors are passed on.
 */
int mfa_code(const struct aws_context *c, const struct aws_step *step, int64_t deadline, struct secret **out,
             struct err *e);
/* Six digits: anything else is refused without a request. */
bool mfa_code_is_one(const struct secret *code);

#endif
