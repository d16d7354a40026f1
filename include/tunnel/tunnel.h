/* SPDX-License-Identifier: MIT */
/*
 * A tunnel: how streams to the endpoint are made. A process uses one kind, chosen by the tunnel's `type`;
 * each kind is one file and one row of model/kinds.def. Results are reported by callbacks, perhaps before the
 * call returns.
 */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <tunnel/service.h>
#include <tunnel/target.h>

/* A request for one stream as a descriptor. Embedded in its owner's struct. */
struct dial {
    /* fd >= 0: connected, non-blocking, now owned by the receiver. -1: *e says why. Called once. */
    void (*done)(struct dial *d, int fd, const struct err *e);
    void *state; /* the tunnel's, as the next one */
    struct waiter waiter;
};

/* A request to carry an already connected descriptor over one stream. */
struct handoff {
    int fd; /* non-blocking; owned by the tunnel after taken(NULL), by the caller before that and after a
               failure */
    void (*taken)(struct handoff *h,
                  const struct err *e); /* called once; NULL: bytes flow, the tunnel closes fd */
    void (*ended)(struct handoff *h);   /* called once, after taken(NULL); h may be freed in it */
    void *state;                        /* the tunnel's */
};

struct tunnel_kind {
    const char *name;
    /* Makes the tunnel itself, once, before READY. opened(), once: it is made (NULL), or why not. */
    void (*open)(const struct target *target, void (*opened)(const struct err *e));
    /* One of the two pairs is set. A tunnel that has only the second gets dial through a socket pair. */
    void (*dial)(struct dial *d);
    void (*undial)(struct dial *d); /* cancels it; no callback any more */
    void (*handoff)(struct handoff *h);
    void (*cancel)(struct handoff *h); /* the same; closes fd only if the tunnel owns it (taken) */
    /* Called at most once, between taken(NULL) and ended(): whether the far side has sent data to fd. */
    bool (*heard)(struct handoff *h);
    bool (*is_up)(void); /* NULL: always */
    /* "ssh ec2-user@bastion:22, libssh2", for READY and the log. */
    void (*describe)(struct buf *out);
    void (*close)(void); /* at the keeper's exit; NULL: nothing to do */
};
extern const struct tunnel_kind tunnel_direct; /* and one for each TUNNEL row: tunnel_ID */

/*
 * Errors of a failed route have the number that MySQL's clients use: "2003 db:3306: connection
 * refused", "2005 db: no such host", "2013 db:3306: no answer within 10s", "2026 ..." for TLS. A tunnel's own
 * errors have no number. Always ERR_UNREACHABLE unless it is a refusal.
 */

#endif
