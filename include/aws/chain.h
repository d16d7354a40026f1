/* SPDX-License-Identifier: MIT */
/*
 * The AWS credential chain as data: the source of the first keys, named by the files and the environment, and
 * the roles that are then assumed in turn, each with the keys of the step before it. Nothing is run or
 * requested here; an invalid configuration is an error. The order is botocore's (docs/aws.md).
 */
#ifndef AWS_CHAIN_H
#define AWS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <aws/env.h>
#include <aws/files.h>
#include <base/buf.h>
#include <base/err.h>

enum aws_kind {
#define SOURCE(id, words) AWS_KIND_##id,
#include <aws/kinds.def>
    AWS_KINDS
};

/* One step of a chain. The strings belong to the environment and the files; NULL: not set. */
struct aws_step {
    enum aws_kind kind;
    const char *profile; /* the profile that configures the step; NULL: the environment, or none */

    /* for static_keys; `account` also for credential_process */
    const char *id, *secret, *token, *account, *expiration;
    /* for credential_process: the command to run */
    const char *command;
    /* for assume_role and web_identity; `duration` is a whole number of seconds, or NULL */
    const char *role_arn, *session_name, *external_id, *mfa_serial, *duration, *token_file;
    /* for sso; `session` is NULL in the legacy form, which has no sso-session section */
    const char *session, *start_url, *sso_region, *sso_account, *sso_role, *scopes;
    /* for login_session: the value of that key, an ARN */
    const char *login_session;
    /* for instance: nothing was configured, but the machine may be an EC2 instance with a role */
    bool is_last_resort;
};

struct aws_chain {
    const char *profile;   /* the chosen profile */
    struct aws_step *step; /* the source first, then the roles */
    size_t count;
};
void aws_chain_release(struct aws_chain *c);

/*
 * Resolves the chain of a profile. If `profile` (the key `aws_profile` in broker's own config) is set, keys
 * in the environment are ignored; if it is NULL, the profile is AWS_PROFILE, AWS_DEFAULT_PROFILE or
 * `default`. Fails with ERR_CONFIG, and with the file and line in e->what if known.
 */
int aws_chain_resolve(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      struct aws_chain *out, struct err *e);
/* Returns the name of the chosen profile by the same rules, without reading the files. */
const char *aws_profile_name(const struct aws_env *env, const char *profile);

/* Appends a description such as "aws profile prod, static keys, role db-reader". */
void aws_chain_describe(const struct aws_chain *c, struct buf *out);
/* Sets the error for a chain with is_last_resort whose instance has no keys either. Returns -1. */
int aws_chain_no_keys(const struct aws_chain *c, struct err *e);

/* Returns the last part of a role's ARN, a pointer into `arn`. */
const char *aws_role_name(const char *arn);

/* Returns the name of a kind for messages (kinds.def). */
const char *aws_kind_words(enum aws_kind kind);

#endif
