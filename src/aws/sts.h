/* SPDX-License-Identifier: MIT */
/* The two calls of STS that return keys for a role. */
#ifndef AWS_STS_H
#define AWS_STS_H

#include "call.h"

struct sts_role {
    const struct aws_context *context;
    const struct aws_step *step;
    const struct aws_keys *keys; /* signs the request; NULL: unsigned */
    const char *action;          /* AssumeRole, AssumeRoleWithWebIdentity */
    const char *retry_code;      /* as of struct aws_call */
};

/* Appends NAME=VALUE to a form, percent-encoded; nothing if the value is NULL. */
void sts_form_add(struct buf *form, const char *name, const char *value);
/* Action, version, role, session name and duration. */
void sts_form_begin(struct buf *form, const struct sts_role *role);

/* Gets the role's keys, with their account. Errors name the profile and the role. */
int sts_assume(const struct sts_role *role, const struct buf *form, int64_t deadline, struct aws_keys *out,
               struct aws_refusal *why, struct err *e);
/* Puts "AWS profile 'prod': role db-reader" in front of the message. Returns -1. */
int sts_name_role(const struct aws_step *step, struct err *e);

#endif
