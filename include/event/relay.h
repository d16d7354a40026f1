/* Bytes copied both ways between two open wires, the client's and the server's, until both have ended. */
#ifndef EVENT_RELAY_H
#define EVENT_RELAY_H

#include <base/buf.h>
#include <event/wire.h>

/* From wire[i] to the other one. */
struct flow {
    struct buf held; /* what the other side did not take yet; nothing more is read until it has */
    size_t at;       /* where in `held` it begins */
    bool ended;      /* nothing more comes */
    bool shut;       /* and the other side knows */
};

enum { CLIENT, SERVER };

struct relay {
    struct wire wire[2]; /* CLIENT, SERVER */
    struct flow flow[2];
    bool heard;                     /* the server has sent something */
    struct timer more;              /* the rest of a turn that was cut short */
    struct timer over;              /* the server has ended: what the client still says nobody hears */
    void (*ended)(struct relay *r); /* once; the relay may be freed in it */
    struct login *login; /* what is made of the wires before bytes are copied; mysql/login_proxy.h */
};

/* What one side may have to wait for before relay_start(). */
#define RELAY_HELD_MAX (5 * 1024 * 1024)

/* Zero, wires not open. */
void relay_init(struct relay *r);
/* Both wires are open; flow[i].held may hold what is to be sent first. ended() may come before it returns. */
void relay_start(struct relay *r, void (*ended)(struct relay *r));
/* Closes both wires, calls nothing. */
void relay_release(struct relay *r);

#endif
