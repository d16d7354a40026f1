/* The code of a person's second factor. */
#ifndef AWS_MFA_H
#define AWS_MFA_H

#include <aws/source.h>
#include <base/secret.h>

/*
 * From `mfa_command`, or asked on the terminal. The caller frees *out. ERR_LOGIN where nobody can be asked;
 * the program's errors as they are.
 */
int mfa_code(const struct aws_context *c, const struct aws_step *step, int64_t deadline, struct secret **out,
             struct err *e);
/* Six digits: nothing else is worth a request. */
bool mfa_code_is_one(const struct secret *code);

#endif
