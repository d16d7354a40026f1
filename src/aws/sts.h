/* SPDX-License-Identifier: MIT */
/* The two STS calls that return keys for a role. */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "call.h"

struct sts_role {
    const struct aws_context *context;
    const struct aws_step *step;
    const struct aws_keys *keys; /* the keys that sign the request; NULL: do not sign */
    const char *action;          /* "AssumeRole" or "AssumeRoleWithWebIdentity" */
    const char *retry_code;      /* an error code to retry, as in struct aws_call */
};

/* Appends NAME=VALUE to a form, percent-encoded; appends nothing if the value is NULL. */
void sts_form_add(struct buf *form, const char *name, const char *value);
/* Appends the action, version, role, session name and duration. */
void sts_form_begin(struct buf *form, const struct sts_role *role);

/* Gets the role's keys and account. Errors name the AWS profile and the role. */
int sts_assume(const struct sts_role *role, const struct buf *form, int64_t deadline, struct aws_keys *out,
               struct aws_refusal *why, struct err *e);
/* Adds the prefix "AWS profile 'prod': role db-reader" to the message. Returns -1. */
int sts_name_role(const struct aws_step *step, struct err *e);

#endif
