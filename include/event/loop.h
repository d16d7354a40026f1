/* SPDX-License-Identifier: MIT */
/*
 * The keeper's event loop: descriptors, timers and exits of children, in one thread; nothing blocks.
 * Callbacks may add and remove anything, even themselves; pending events of a removed watch are dropped.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Embedded in its owner's struct; zeroed before its first use, fd set to -1 or by loop_watch(). */
struct watch {
    int fd; /* borrowed; -1: not watched */
    unsigned wanted;
    bool added;
    /* Level-triggered. A hang-up or error is reported as READ | WRITE, unless no events are wanted. */
    void (*ready)(struct watch *w, unsigned events);
};
void loop_watch(struct watch *w, int fd, unsigned wanted, void (*ready)(struct watch *w, unsigned events));
void loop_want(struct watch *w, unsigned wanted);
/* Call it before the descriptor is closed. Does nothing if it is not watched. */
void loop_forget(struct watch *w);
/* The same, and closes the descriptor, if there is one. */
void loop_close(struct watch *w);

/* A one-shot timer. Zeroed before its first use. */
struct timer {
    int64_t at; /* ms of clock_ms() */
    TAILQ_ENTRY(timer) next;
    bool set, due;
    void (*fire)(struct timer *t);
};
void timer_set(struct timer *t, int64_t at, void (*fire)(struct timer *t)); /* replaces an earlier one */
void timer_clear(struct timer *t);

/* Called before each wait of the loop, for work that is done once per iteration (one send for all
 * channels); NULL: nothing. True: the next iteration waits for nothing. */
void loop_each_turn(bool (*run)(void));

/* Runs until *done is set; never call it in a callback. */
void loop_until(const bool *done);
/* Turns until the process ends: shutdown_now(). */
_Noreturn void loop_run(void);

/* A container from its member. */
#define OWNER_OF(member_pointer, type, member)                                                               \
    ((type *)(void *)((char *)(member_pointer)-offsetof(type, member)))

#endif
