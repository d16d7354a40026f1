/* SPDX-License-Identifier: MIT */
/* The window of a channel, fixed when it opens, and its memory. flow.c handles the bytes. */
#include "channel.h"

#define LARGE_MOST 8 /* how many channels of all sessions may have a large window */
#define WINDOW_LARGE (4u << 20)
#define WINDOW_SMALL (32u << 10)
#define PORTION_LARGE (64u << 10)
#define PORTION_SMALL (4u << 10)
#define STEP_BUSY (512u << 10)
#define STEP_LARGE (64u << 10)
#define STEP_SMALL (8u << 10)
#define BESIDES (4u << 20) /* memory that a session needs for everything else */
#define CHANNEL_ITSELF 1024u

/* Returns how much data may arrive before the client takes any, plus a portion stored here. */
static size_t cost(const struct channel *c)
{
    return c->window + (size_t)c->portion + CHANNEL_ITSELF;
}

bool channel_has_room(const struct ssh_session *s)
{
    size_t sum = BESIDES;

    for (size_t i = 0; i < s->count; i++)
        sum += cost(s->channels[i]);
    return sum + WINDOW_SMALL + PORTION_SMALL + CHANNEL_ITSELF <= SESSION_MEMORY;
}

size_t channel_large(const struct ssh_session *s)
{
    size_t large = s->opening && s->opening->window == WINDOW_LARGE;

    for (size_t i = 0; i < s->count; i++)
        large += s->channels[i]->window == WINDOW_LARGE;
    return large;
}

void channel_set_window(struct channel *c, size_t large_ones)
{
    bool large = !c->drives && large_ones < LARGE_MOST;

    c->window = large ? WINDOW_LARGE : WINDOW_SMALL;
    c->portion = large ? PORTION_LARGE : PORTION_SMALL;
}

size_t channel_queued(const struct channel *c)
{
    unsigned long queued = c->window;

    if (c->window == WINDOW_LARGE)
        (void)libssh2_channel_window_read_ex(c->ssh, &queued, NULL);
    return queued;
}

uint32_t channel_step(const struct ssh_session *s, const struct channel *c)
{
    if (c->window == WINDOW_LARGE)
        return s->drained ? STEP_LARGE : STEP_BUSY;
    return STEP_SMALL;
}
