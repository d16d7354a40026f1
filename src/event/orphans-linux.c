/* SPDX-License-Identifier: MIT */
/*
 * Finds the children of this process in /proc. The file `children` is not available with every kernel and may
 * be incomplete, so every process is checked, but only if there is a child at all.
 */
#include "orphans.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>
#include <event/loop.h>

#define GRACE_MS 2000
#define LOOK_MS 20
#define TOLD_MOST 64
#define STAT_MOST 512
#define LOOKED_AT_MOST 1000000

/* The state while orphans are being ended. */
struct round {
    pid_t told[TOLD_MOST]; /* processes that got SIGTERM: a second one may have another effect */
    size_t count;
    int64_t kill_at;
};

/* Reads a file of /proc/PID, truncated to the buffer. */
static bool read_of(const char *pid, const char *name, char *out, size_t room)
{
    char path[64];

    (void)snprintf(path, sizeof path, "/proc/%.16s/%s", pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, room - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Parses proc_pid_stat(5): "PID (NAME) STATE PARENT GROUP ..."; a name may contain any characters. */
static bool is_child(const char *pid, pid_t *group)
{
    char line[STAT_MOST], state;
    long parent = 0, pgrp = 0;
    const char *behind;

    if (!read_of(pid, "stat", line, sizeof line) || !(behind = strrchr(line, ')')) ||
        sscanf(behind, ") %c %ld %ld", &state, &parent, &pgrp) != 3)
        return false;
    *group = (pid_t)pgrp;
    return parent == getpid();
}

/* The title of an ssh master is "ssh: PATH [mux]". */
static bool is_kept_master(const char *pid)
{
    char title[STAT_MOST];

    return read_of(pid, "cmdline", title, sizeof title) && text_starts(title, "ssh: ") &&
           strstr(title, " [mux]");
}

static void tell(struct round *r, pid_t pid, pid_t group)
{
    int number = clock_left(r->kill_at) > 0 ? SIGTERM : SIGKILL;
    pid_t whom = group == pid ? -pid : pid; /* also the group, if the process leads one */

    for (size_t i = 0; number == SIGTERM && i < r->count; i++) {
        if (r->told[i] == pid)
            return;
    }
    if (number == SIGTERM && r->count < ARRAY_LEN(r->told))
        r->told[r->count++] = pid;
    (void)kill(whom, number);
    (void)kill(whom, SIGCONT);
}

static bool has_children(void)
{
    siginfo_t none;

    return waitid(P_ALL, 0, &none, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

enum sort { NOT_OURS, HAS_ENDED, ORPHAN };

/* Reaps the process if it has ended; otherwise sends the signal, if `r` is set. */
static enum sort look_at(const char *name, orphans_not *is_known, struct round *r)
{
    pid_t pid = isdigit((unsigned char)*name) ? (pid_t)strtol(name, NULL, 10) : 0, group;

    if (pid <= 0 || !is_child(name, &group) || (is_known && is_known(group)) || is_kept_master(name))
        return NOT_OURS;
    if (waitpid(pid, NULL, WNOHANG) != 0)
        return HAS_ENDED;
    if (r)
        tell(r, pid, group);
    return ORPHAN;
}

static bool look_once(orphans_not *is_known, struct round *r, bool *any_ended)
{
    DIR *proc = has_children() ? opendir("/proc") : NULL;
    const struct dirent *entry;
    bool any = false;

    *any_ended = false;
    for (size_t looked = 0; proc && looked < LOOKED_AT_MOST && (entry = readdir(proc)); looked++) {
        enum sort sort = look_at(entry->d_name, is_known, r);
        any |= sort == ORPHAN;
        *any_ended |= sort == HAS_ENDED;
    }
    if (proc)
        (void)closedir(proc);
    return any;
}

/* Repeated, because a process that has just ended may have started another one after the check. */
static bool look_at_all(orphans_not *is_known, struct round *r)
{
    bool any, any_ended;

    do
        any = look_once(is_known, r, &any_ended);
    while (!any && any_ended);
    return any;
}

bool orphans_exist(orphans_not *is_known)
{
    return look_at_all(is_known, NULL);
}

static bool goes_on(orphans_not *is_known, struct round *r)
{
    return look_at_all(is_known, r) && clock_left(r->kill_at + GRACE_MS) > 0;
}

static struct {
    struct round round;
    orphans_not *is_known;
    struct timer look;
} going_on;

static void look(struct timer *t)
{
    if (goes_on(going_on.is_known, &going_on.round))
        timer_set(t, clock_ms() + LOOK_MS, look);
}

void orphans_end(orphans_not *is_known)
{
    going_on.round = (struct round){.kill_at = clock_ms() + GRACE_MS};
    going_on.is_known = is_known;
    look(&going_on.look);
}

void orphans_end_now(orphans_not *is_known)
{
    struct round r = {.kill_at = clock_ms() + GRACE_MS};

    while (goes_on(is_known, &r))
        (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000L * 1000}, NULL);
}
