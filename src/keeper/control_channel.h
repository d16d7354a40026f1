/* SPDX-License-Identifier: MIT */
/* The control channel to broker: OPEN, questions, log lines, READY. */
#ifndef KEEPER_CONTROL_CHANNEL_H
#define KEEPER_CONTROL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <base/err.h>
#include <base/log.h>
#include <base/secret.h>
#include <ipc/keeper.h>

/* Functions of the rest of the keeper that the control channel calls. */
struct control_events {
    void (*quit)(int status) __attribute__((noreturn)); /* ends the keeper */
    void (*stop)(void);      /* stops accepting connections, and later ends the keeper */
    bool (*has_owner)(void); /* returns whether the keeper serves a process */
    /* Used if the event loop is not running: waits until fd is readable (true) or the deadline has passed
     * (false). */
    bool (*wait)(int fd, int64_t deadline);
};

/* Must be called before all other functions. The events must stay valid. */
void control_init(const struct control_events *events);
/* Reads OPEN into opt. Ends the process if broker does not send it. */
int control_open(struct err *e);
/* From now on the keeper ends when the channel is closed, until READY; after that a STOP record stops it. */
void control_watch(void);
void control_ready(void);
void control_failed(const struct err *e);
/* Tells broker, if it is still running, that this keeper has ended normally. */
void control_ended(void);
/* Implements ask() of struct target; also adds the time to opt.deadline. */
int control_ask(enum keeper_question kind, const char *text, bool again, int64_t *deadline,
                struct secret **answer, struct err *e);
/* The log sink for log_step() and similar functions: sends SAY records before READY, and writes to opt.log
 * afterwards. */
log_sink control_log;

#endif
