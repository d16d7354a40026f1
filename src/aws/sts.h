/* Becoming a role: the two calls of STS that give keys for one. */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "call.h"

struct sts_role {
    const struct aws_context *context;
    const struct aws_step *step;
    const struct aws_keys *keys; /* who asks; NULL: the request is not signed */
    const char *action;          /* AssumeRole, AssumeRoleWithWebIdentity */
    const char *retry_code;      /* as of struct aws_call */
};

/* Appends NAME=VALUE to a form, percent-encoded; nothing where the value is NULL. */
void sts_form_add(struct buf *form, const char *name, const char *value);
/* Action, version, role, session name and duration. */
void sts_form_begin(struct buf *form, const struct sts_role *role);

/* The role's keys, with their account. The words of an error name the profile and the role. */
int sts_assume(const struct sts_role *role, const struct buf *form, int64_t deadline, struct aws_keys *out,
               struct aws_refusal *why, struct err *e);
/* Puts "AWS profile 'prod': role db-reader" in front of the message. Returns -1. */
int sts_name_role(const struct aws_step *step, struct err *e);

#endif
