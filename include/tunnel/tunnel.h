/*
 * A tunnel: how streams to the endpoint are made. One kind is used in a process, chosen by the tunnel's
 * `type`; each is one file and one row of model/kinds.def. Everything answers by callback, perhaps before the
 * call returns.
 */
#ifndef TUNNEL_TUNNEL_H
#define TUNNEL_TUNNEL_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <tunnel/target.h>

/* One stream that is wanted as a descriptor of ours. Embedded in its owner's struct. */
struct dial {
    /* fd >= 0: connected, non-blocking, the owner's from now on. -1: *e says why. Once. */
    void (*done)(struct dial *d, int fd, const struct err *e);
    void *state; /* the tunnel's */
};

/* One stream that the tunnel is to carry for a descriptor that is connected already. */
struct join {
    int fd; /* non-blocking; the tunnel's from joined() with NULL on, the owner's before and after a failure
             */
    void (*joined)(struct join *j, const struct err *e); /* once; NULL: bytes flow, the tunnel closes fd */
    void (*ended)(struct join *j);                       /* once, after joined(NULL); j may be freed in it */
    void *state;                                         /* the tunnel's */
};

struct tunnel_kind {
    const char *name;
    /* Makes the tunnel itself, once, before READY. opened(), once: it is made (NULL), or why not. */
    void (*open)(const struct target *target, void (*opened)(const struct err *e));
    /* One of the two pairs. A tunnel that can only join gets dial by a pair of sockets. */
    void (*dial)(struct dial *d);
    void (*undial)(struct dial *d); /* no longer wanted; no callback any more */
    void (*join)(struct join *j);
    void (*leave)(struct join *j); /* the same; closes fd only where it is the tunnel's (joined) */
    /* Once at most, between joined(NULL) and ended(): whether the far side has sent something to fd. */
    bool (*heard)(struct join *j);
    bool (*is_up)(void); /* NULL: always */
    /* "ssh ec2-user@bastion:22, libssh2", for READY and the log. */
    void (*describe)(struct buf *out);
    void (*close)(void); /* at the keeper's end; NULL: nothing */
};
extern const struct tunnel_kind tunnel_direct; /* and one for each TUNNEL row: tunnel_ID */

/*
 * Errors of a way that failed begin with the number under which MySQL's clients know them: "2003
 * db:3306: connection refused", "2005 db: no such host", "2013 db:3306: no answer within 10s", "2026 ..." for
 * TLS. A tunnel's own trouble has none. Always ERR_UNREACHABLE unless it is a refusal.
 */

#endif
