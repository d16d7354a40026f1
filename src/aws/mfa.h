/* SPDX-License-Identifier: MIT */
/* The code of an MFA device. */
#ifndef AWS_MFA_H
#define AWS_MFA_H

#include <aws/source.h>
#include <base/secret.h>

/*
 * Gets a code from `mfa_command`, or asks for it on the terminal. The caller frees *out. Fails with ERR_LOGIN
 * if it cannot ask; errors of the program are passed on.
 */
int mfa_code(const struct aws_context *c, const struct aws_step *step, int64_t deadline, struct secret **out,
             struct err *e);
/* Returns whether a code has six digits. Others are refused without sending a request. */
bool mfa_code_is_one(const struct secret *code);

#endif
