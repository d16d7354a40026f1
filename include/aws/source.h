/* SPDX-License-Identifier: MIT */
/*
 * Gets keys by a chain. Each kind of step is a source: a file src/aws/source_KIND.c and a row in
 * aws/kinds.def. aws_keys_get() runs the steps in order and passes the keys of each to the next one.
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

/* Whether the user is to log in, and whether that happened. */
struct aws_login {
    bool is_wanted; /* set by the caller: log in now, even if a session is cached */
    /* Results: */
    bool is_new;       /* the user has just logged in */
    time_t expires_at; /* when the user must log in again; 0: no step needs a login */
};

/* A hash of the credential that a step authenticates with; "" if not known. */
struct aws_proof {
    char hash[33];
};

/* The input of every step. */
struct aws_context {
    struct aws_env env;
    struct aws_files files;
    struct aws_chain chain;
    struct aws_regions regions;
    const char *mfa_command; /* the arguments of a program that prints the MFA code; NULL: ask on the terminal
                                if tty_can_ask() */
    bool may_log_in;         /* a browser or device login may be started */
    time_t least_life; /* seconds; cached keys with less time left are not used; 0: AWS_SESSION_MARGIN */
    struct aws_login *login; /* set by a step that makes the user log in; may be NULL */
    struct aws_proof *used;  /* one entry per step, set to the proof it used; may be NULL */
};
#define AWS_CONTEXT_INIT                                                                                     \
    {                                                                                                        \
        .files = {.text = {BUF_INIT(AWS_FILE_MOST), BUF_INIT(AWS_FILE_MOST)} }                               \
    }
void aws_context_release(struct aws_context *c);
#define AUTO_AWS_CONTEXT(name)                                                                               \
    __attribute__((cleanup(aws_context_release))) struct aws_context name = AWS_CONTEXT_INIT

/*
 * Reads the environment and the files and resolves the chain for `profile` (NULL: AWS's own rules). If the
 * environment has keys, the files are read only for a named profile, or if `want_region` is set and the
 * environment has no region. The caller must not move the context afterwards, because the chain points into
 * it.
 */
int aws_context_load(struct aws_context *c, const char *profile, bool want_region, struct err *e);

struct aws_source {
    /*
     * Gets the keys of this step. `before` has the keys that sign the request for a role; NULL for the first
     * step. May ask the user if tty_can_ask(); fails with ERR_LOGIN if it needs to ask and cannot.
     */
    int (*get)(const struct aws_context *c, const struct aws_step *step, const struct aws_keys *before,
               int64_t deadline, struct aws_keys *out, struct err *e);
    /*
     * Appends the credential that get() would use now, without using the network or asking the user. It is
     * compared with the one that cached keys were obtained with, so that keys of another user, or from before
     * a logout, are not used. Returns 1 if there is none, or if it does not identify anyone. `place` caches
     * where it was found (malloced; NULL: not known yet). NULL instead of a function: the names in the step
     * are enough.
     */
    int (*proof)(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                 struct buf *out);
};

/* Called by get() to record the proof that it used for this step. */
void aws_proof_used(const struct aws_context *c, const struct aws_step *step, const void *bytes, size_t n);

/* Runs the whole chain, or returns its cached keys (aws/session.h). */
int aws_keys_get(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e);

#endif
