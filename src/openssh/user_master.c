/* SPDX-License-Identifier: MIT */
/*
 * Watches the user's own master. One connection to it is held, on which only a liveness check is sent: the
 * connection ends when the master does. Packets outside streams (side.c) are not sent, because a master may
 * end with the connection that sent them.
 */
#include "user_master.h"

#include <stddef.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/peer.h>
#include <base/text.h>
#include <ssh/ssh.h>

#include "mux.h"

#define ALIVE_MS 5000 /* a master that does not answer in time is not used */

static struct {
    struct mux *mux;
    void (*answered)(bool lives);
    void (*gone)(void);
} user;

bool ssh_has_master(const struct ssh_settings *s)
{
    const char *engine = target_key(s->target, "ssh_engine");
    AUTO_FD(fd);

    if (!s->control_path || s->identity_given || s->target->socket || (engine && !text_equal(engine, "auto")))
        return false;
    fd = fd_connect_unix(s->control_path);
    return fd >= 0 && peer_is_us(fd);
}

static void answered(void *context, enum mux_answer answer, const char *words)
{
    (void)context;
    (void)words;
    if (answer != MUX_YES)
        user.mux = NULL;
    user.answered(answer == MUX_YES);
}

static void ended(void *context)
{
    (void)context;
    user.mux = NULL;
    user.gone();
}

void user_master_open(const char *control, void (*when_answered)(bool lives), void (*gone)(void))
{
    static const struct mux_use use = {.answered = answered, .ended = ended};
    struct buf request = BUF_INIT(64);

    user.answered = when_answered;
    user.gone = gone;
    mux_put_bare(&request, MUX_ALIVE);
    user.mux = mux_ask(control, &request, NULL, 0, clock_deadline(ALIVE_MS, CLOCK_NEVER), &use, NULL);
}

void user_master_close(void)
{
    if (user.mux)
        mux_stop(user.mux);
    user.mux = NULL;
}
