/* SPDX-License-Identifier: MIT */
/* The channel to broker: OPEN, questions, log lines, READY. */
#ifndef KEEPER_CONTROL_CHANNEL_H
#define KEEPER_CONTROL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/log.h>
#include <base/secret.h>
#include <ipc/keeper.h>

/* What the channel asks of the rest of the keeper. */
struct control_events {
    void (*quit)(int status) __attribute__((noreturn)); /* the keeper ends */
    void (*stop)(void);                                 /* it accepts nothing any more, and then ends */
    bool (*has_owner)(void);                            /* there is a process that it lives for */
    /* If the loop cannot turn: waits until fd is readable, or for that moment (false). */
    bool (*wait)(int fd, int64_t deadline);
};

/* Before all others. The events are kept. */
void control_init(const struct control_events *events);
/* Reads OPEN into opt; ends the process if none comes. */
int control_open(struct err *e);
/* From here on the channel's end ends the keeper, until READY; then a STOP on it stops it. */
void control_watch(void);
void control_ready(void);
void control_failed(const struct err *e);
/* To a broker that is still there: this keeper has ended well. */
void control_ended(void);
/* struct target's ask(), which also adds the time to opt.deadline. */
int control_ask(enum keeper_question kind, const char *text, bool again, int64_t *deadline,
                struct secret **answer, struct err *e);
/* For log_step() and its like, which every part uses: as SAY before READY, into opt.log after. */
log_sink control_log;

#endif
