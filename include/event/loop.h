/* SPDX-License-Identifier: MIT */
/*
 * The keeper's event loop: descriptors, timers and exits of children, in one thread; nothing blocks.
 * Callbacks may add and remove any watch or timer, even their own; pending events of a removed watch are
 * dropped.
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* A descriptor to watch. Embedded in its owner's struct; must be zeroed before its first use, with fd -1 or
 * set by loop_watch(). */
struct watch {
    int fd; /* borrowed; -1: not watched */
    unsigned wanted;
    bool added;
    /* Level-triggered. A hang-up or error is reported as READ | WRITE, unless no events are wanted. */
    void (*ready)(struct watch *w, unsigned events);
};
void loop_watch(struct watch *w, int fd, unsigned wanted, void (*ready)(struct watch *w, unsigned events));
void loop_want(struct watch *w, unsigned wanted);
/* Removes a watch. Must be called before the descriptor is closed. Does nothing if it is not watched. */
void loop_forget(struct watch *w);
/* Removes a watch and closes its descriptor, if there is one. */
void loop_close(struct watch *w);

/* A one-shot timer. Must be zeroed before its first use. */
struct timer {
    int64_t at; /* when to fire, as a clock_ms() time */
    TAILQ_ENTRY(timer) next;
    bool set, due;
    void (*fire)(struct timer *t);
};
void timer_set(struct timer *t, int64_t at, void (*fire)(struct timer *t)); /* replaces an earlier time */
void timer_clear(struct timer *t);

/* Sets a function that is called before each wait of the loop, for work that is done once per iteration (one
 * send for all channels); NULL: none. If it returns true, the next iteration does not wait. */
void loop_each_turn(bool (*run)(void));

/* Runs the loop until *done is set. Must not be called in a callback. */
void loop_until(const bool *done);
/* Runs the loop until the process ends (shutdown_now()). */
_Noreturn void loop_run(void);

/* Returns the struct that contains a member, from a pointer to the member. */
#define OWNER_OF(member_pointer, type, member)                                                               \
    ((type *)(void *)((char *)(member_pointer)-offsetof(type, member)))

#endif
