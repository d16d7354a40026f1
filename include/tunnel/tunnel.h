/* SPDX-License-Identifier: MIT */
/*
 * A tunnel: how streams to the endpoint are made. A process uses one kind of tunnel, chosen by the tunnel's
 * `type`; each kind is one file and one row of model/kinds.def. Results are reported by callbacks, perhaps
 * before the call returns.
 */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <tunnel/service.h>
#include <tunnel/target.h>

/* A request to open one stream as a descriptor. Embedded in its owner's struct. */
struct dial {
    /* Called once. fd >= 0 is connected and non-blocking, and owned by the receiver; -1: *e is the reason. */
    void (*done)(struct dial *d, int fd, const struct err *e);
    void *state; /* for the tunnel's own use, like the next member */
    struct waiter waiter;
};

/* A request to connect an already open descriptor with a new stream. */
struct handoff {
    int fd; /* non-blocking; owned by the tunnel after taken(NULL), by the caller before that and after a
               failure */
    void (*taken)(struct handoff *h,
                  const struct err *e); /* called once; NULL: the stream is open, and the tunnel closes fd */
    void (*ended)(struct handoff *h);   /* called once, after taken(NULL); may free `h` */
    void *state;                        /* for the tunnel's own use */
};

struct tunnel_kind {
    const char *name;
    /* Opens the tunnel itself; called once, before READY. opened() is called once: with NULL on success, or
     * with the error. */
    void (*open)(const struct target *target, void (*opened)(const struct err *e));
    /* One of the two pairs (dial, undial) and (handoff, cancel) is set. For a kind that has only the second,
     * dials use a socket pair. */
    void (*dial)(struct dial *d);
    void (*undial)(struct dial *d); /* cancels a dial; no callback is called any more */
    void (*handoff)(struct handoff *h);
    void (*cancel)(struct handoff *h); /* cancels a handoff; closes fd only if the tunnel owns it */
    /* Called at most once, between taken(NULL) and ended(): returns whether the server has sent data to
     * fd. */
    bool (*heard)(struct handoff *h);
    bool (*is_up)(void); /* NULL: the tunnel is always up */
    /* Appends a description for READY and the log: "ssh ec2-user@bastion:22, libssh2". */
    void (*describe)(struct buf *out);
    void (*close)(void); /* called when the keeper exits; NULL: nothing to do */
};
extern const struct tunnel_kind tunnel_direct; /* the others: tunnel_ID for each row TUNNEL(ID) */

/*
 * Errors of a failed connection begin with the number that MySQL's clients use: "2003 db:3306: connection
 * refused", "2005 db: no such host", "2013 db:3306: no answer within 10s", "2026 ..." for TLS. A tunnel's own
 * errors have no number. The code is always ERR_UNREACHABLE, except for a refusal.
 */

#endif
