/* SPDX-License-Identifier: MIT */
/*
 * Gets keys from a chain. A source is one kind of step: one file src/aws/source_KIND.c and one row in
 * aws/kinds.def. aws_keys_get() walks the chain and gives each step the keys of the step before.
 */
#ifndef AWS_SOURCE_H
#define AWS_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <aws/chain.h>
#include <aws/env.h>
#include <aws/files.h>
#include <aws/keys.h>
#include <aws/region.h>
#include <base/buf.h>
#include <base/err.h>

/* The interactive part of the walk. */
struct aws_login {
    bool is_wanted; /* in: log in now, even if something is cached */
    /* Results. */
    bool is_new;       /* the user logged in just now */
    time_t expires_at; /* when the user must log in again; 0: no step needs that */
};

/* A digest of the proof that a step authenticates with; "": not known. */
struct aws_proof {
    char hash[33];
};

/* Everything that a step may need. */
struct aws_context {
    struct aws_env env;
    struct aws_files files;
    struct aws_chain chain;
    struct aws_regions regions;
    const char
        *mfa_command;  /* a program that prints the MFA code, split into words; NULL: ask (tty_can_ask()) */
    bool may_log_in;   /* a browser or device flow may be started */
    time_t least_life; /* cached keys that live less long are not used; 0: AWS_SESSION_MARGIN */
    struct aws_login *login; /* filled by a step that asked the user; may be NULL */
    struct aws_proof *used;  /* one for each step, filled with the proof that it used; may be NULL */
};
#define AWS_CONTEXT_INIT                                                                                     \
    {                                                                                                        \
        .files = {.text = {BUF_INIT(AWS_FILE_MOST), BUF_INIT(AWS_FILE_MOST)} }                               \
    }
void aws_context_release(struct aws_context *c);
#define AUTO_AWS_CONTEXT(name)                                                                               \
    __attribute__((cleanup(aws_context_release))) struct aws_context name = AWS_CONTEXT_INIT

/*
 * Reads environment and files and resolves the chain for `profile` (NULL: AWS's own rules). Keys in the
 * environment need no file: the files are then read only for a named profile, or with `want_region` if the
 * environment has no region. The context must not move afterwards, because the chain points into it.
 */
int aws_context_load(struct aws_context *c, const char *profile, bool want_region, struct err *e);

struct aws_source {
    /*
     * Gets the keys of this step by the deadline. `before`: the keys that sign a role's request; NULL for a
     * base. May ask if tty_can_ask(); ERR_LOGIN if it must ask and cannot.
     */
    int (*get)(const struct aws_context *c, const struct aws_step *step, const struct aws_keys *before,
               int64_t deadline, struct aws_keys *out, struct err *e);
    /*
     * Appends the proof that get() would use now, without the network or questions, so that cached keys that
     * were obtained as someone else, or before a logout, are not used. 1: there is no proof, or it does not
     * identify anyone. `place`: where it was found, malloced; NULL on entry: not known yet. NULL instead of
     * the function: the names are enough.
     */
    int (*proof)(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                 struct buf *out);
};

/* For get(): records the proof used in this step. */
void aws_proof_used(const struct aws_context *c, const struct aws_step *step, const void *bytes, size_t n);

/* Walks the whole chain, or returns its cached keys (aws/session.h). */
int aws_keys_get(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e);

#endif
