/*
 * From a chain to keys. A source is one kind of step: one file src/aws/source_KIND.c and one row in
 * aws/kinds.def. aws_keys_get() walks the chain and gives each step the keys of the one before.
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

/* A person's part in the walk. */
struct aws_login {
    bool is_wanted; /* asked: log in now, whatever else is cached */
    /* What came of it. */
    bool is_new;       /* a person logged in just now */
    time_t expires_at; /* when a person will be needed again; 0: nothing on the way needs one */
};

/* A digest of what a step authenticates with; "": not known. */
struct aws_proof {
    char hash[33];
};

/* Everything that a step may need to know. */
struct aws_context {
    struct aws_env env;
    struct aws_files files;
    struct aws_chain chain;
    struct aws_regions regions;
    const char *mfa_command; /* words of a program that prints the MFA code; NULL: ask (tty_can_ask()) */
    bool may_log_in;         /* a browser or device flow may be started */
    struct aws_login *login; /* a step says here what a person did; may be NULL */
    struct aws_proof *used;  /* one for each step, which says here what it has used; may be NULL */
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
 * environment need no file: the files are then read only for a named profile, or with `want_region` where
 * the environment names none. The context must not move afterwards: the chain points into it.
 */
int aws_context_load(struct aws_context *c, const char *profile, bool want_region, struct err *e);

struct aws_source {
    /*
     * The keys of this step, by the deadline (of clock_ms()). `before`: those that sign a role's request;
     * NULL for a base. May ask where tty_can_ask(); ERR_LOGIN where a person is needed and nobody can be
     * asked.
     */
    int (*get)(const struct aws_context *c, const struct aws_step *step, const struct aws_keys *before,
               int64_t deadline, struct aws_keys *out, struct err *e);
    /*
     * Appends what get() would authenticate with now, without the network and a person, so that keys which
     * were got in the name of somebody else, or of somebody who has logged out, are not taken for this one's.
     * 1: there is nothing, or nothing that says who it is. `place`: where it was found, malloced; NULL on
     * entry: not known yet. NULL instead of the function: the names say it all.
     */
    int (*proof)(const struct aws_context *c, const struct aws_step *step, char **place, int64_t deadline,
                 struct buf *out);
};

/* For get(): this is what was used in this step. */
void aws_proof_used(const struct aws_context *c, const struct aws_step *step, const void *bytes, size_t n);

/* Walks the whole chain, or gives the keys that it ended in last time (aws/session.h). */
int aws_keys_get(const struct aws_context *c, int64_t deadline, struct aws_keys *out, struct err *e);

#endif
