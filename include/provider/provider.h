/*
 * A provider: where a credential comes from (key `auth`). One file each, one row in model/kinds.def.
 * Providers know nothing of tunnels, clients or terminals' colours; they get a profile and give a credential.
 */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/credential.h>
#include <model/profile.h>

struct provider {
    const char *name;
    bool needs_user;   /* the profile must say who: without a user there is no secret to be had */
    bool any_user;     /* where nobody says who, the client's own choice is right */
    bool names_user;   /* the credential may say who */
    bool has_no_token; /* there is no secret to print: `token` is a usage error */
    /* What is wrong with the profile before anything is done: ERR_CONFIG. May be NULL. */
    int (*check)(const struct profile *p, struct err *e);
    /*
     * The step before, where there is one: becoming somebody to whoever makes the credential (keys of a
     * cloud, a token of a vault). Fills out->login and what get() needs; asks as get() does. NULL: there is
     * none.
     */
    int (*login)(const struct profile *p, int64_t deadline, struct credential *out, struct err *e);
    /* The credential, by the deadline, after login(), which it calls itself where nobody has. May ask
     * (tty_can_ask()); ERR_LOGIN where it must and cannot. */
    int (*get)(const struct profile *p, int64_t deadline, struct credential *out, struct err *e);
    /* Drops what was kept of this identity in the session store; *forgotten: how many entries. What others
     * keep is theirs. NULL: never kept. */
    int (*logout)(const struct profile *p, int64_t deadline, unsigned *forgotten, struct err *e);
    /* Keeps a credential that a person typed (credential.asked). NULL: never kept. */
    int (*keep)(const struct profile *p, const struct credential *c, int64_t deadline, struct err *e);
    /* What to check when the server refuses its credential: a hint. NULL: user and password. */
    void (*refused)(const struct profile *p, struct buf *out);
    /* What login() will be, as what, and limited to what: in a few words, without looking it up. For
     * --dry-run and
     * --verbose; the first goes with login(), the last may be NULL. */
    void (*describe_login)(const struct profile *p, struct buf *out);
    void (*describe)(const struct profile *p, struct buf *out);
    void (*describe_scope)(const struct profile *p, struct buf *out);
};

/* The provider of that name in this build; NULL: known but not built, or unknown. */
const struct provider *provider_find(const char *name);
/* Every provider of this build, NULL-terminated. */
extern const struct provider *const provider_table[];

#endif
