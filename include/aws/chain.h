/* SPDX-License-Identifier: MIT */
/*
 * The AWS credential chain as data: the source that the files and the environment name, and the roles that
 * are then assumed, each with the keys of the step before. Pure: nothing is run, read or asked; a wrong
 * configuration is an error. The order is botocore's (docs/aws.md).
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

/* One step. Strings are borrowed from the environment and the files; NULL: not set. */
struct aws_step {
    enum aws_kind kind;
    const char *profile; /* the section that it comes from; NULL: the environment, or none */

    /* static_keys; `account` of credential_process too */
    const char *id, *secret, *token, *account, *expiration;
    /* credential_process */
    const char *command;
    /* assume_role, web_identity. `duration` is a whole number or NULL. */
    const char *role_arn, *session_name, *external_id, *mfa_serial, *duration, *token_file;
    /* sso: `session` NULL is the legacy form */
    const char *session, *start_url, *sso_region, *sso_account, *sso_role, *scopes;
    /* login_session */
    const char *login_session;
    /* instance: nothing was configured, but an EC2 instance may have a role */
    bool is_last_resort;
};

struct aws_chain {
    const char *profile;   /* the chosen one */
    struct aws_step *step; /* the base first */
    size_t count;
};
void aws_chain_release(struct aws_chain *c);

/*
 * `profile` is the one set in our own config; the keys of the environment are then ignored. NULL:
 * AWS_PROFILE, AWS_DEFAULT_PROFILE, else `default`. ERR_CONFIG, with e->what the place in the file if there
 * is one.
 */
int aws_chain_resolve(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      struct aws_chain *out, struct err *e);
/* The chosen profile's name by those rules, without reading the files. */
const char *aws_profile_name(const struct aws_env *env, const char *profile);

/* "aws profile prod, static keys, role db-reader". */
void aws_chain_describe(const struct aws_chain *c, struct buf *out);
/* The error if nothing was found anywhere, for a base with is_last_resort. */
int aws_chain_no_keys(const struct aws_chain *c, struct err *e);

/* The last part of a role's ARN; points into it. */
const char *aws_role_name(const char *arn);

/* The words of kinds.def. */
const char *aws_kind_words(enum aws_kind kind);

#endif
