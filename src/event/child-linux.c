/* SPDX-License-Identifier: MIT */
/* Programs that the keeper runs. Each has a process group, because the children of a program (the plug-in of
 * `aws ssm`) must end with it. The keeper is a subreaper, so that it notices when a group is empty, and which
 * processes left their group on purpose. */
#include <event/child.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <event/terminal.h>

#include "orphans.h"
#include "stderr_tail.h"

#define GRACE_MS 2000
#define LOOK_MS 20
#define NAP_MS 2

/* A process group; it may outlive its struct child by the grace period. */
struct group {
    pid_t id;
    struct child *owner; /* NULL: the child has ended or was forgotten */
    struct buf raw;      /* the end of its stderr, not sanitised */
    struct debug_lines debug;
    bool reaped;     /* the group's leader was reaped */
    bool whole;      /* copy of the member of struct child */
    int64_t kill_at; /* when to send SIGKILL; 0: the group is not being ended */
    struct timer look;
    LIST_ENTRY(group) next;
};
static LIST_HEAD(, group) groups = LIST_HEAD_INITIALIZER(groups);

/* Processes in the keeper's own group are the keeper's own helpers (base/resolve.h). */
static bool is_known_group(pid_t id)
{
    const struct group *g;

    LIST_FOREACH(g, &groups, next)
    {
        if (g->id == id)
            return true;
    }
    return id == getpgrp();
}

static struct group *group_of(const struct child *c)
{
    struct group *g;

    LIST_FOREACH(g, &groups, next)
    {
        if (g->owner == c)
            break;
    }
    return g;
}

static void group_add(pid_t id, struct child *owner)
{
    struct group *g = mem_alloc(1, sizeof *g);

    *g = (struct group){.id = id,
                        .owner = owner,
                        .raw = BUF_INIT(2 * STDERR_TAIL_MOST),
                        .debug = DEBUG_LINES_INIT,
                        .whole = owner->whole};
    LIST_INSERT_HEAD(&groups, g, next);
}

static void group_free(struct group *g)
{
    LIST_REMOVE(g, next);
    timer_clear(&g->look);
    buf_release(&g->raw);
    buf_release(&g->debug.line);
    if (g->whole)
        orphans_end(is_known_group);
    free(g);
}

/* Returns whether the group is empty. Does not reap the leader while its status is still needed. */
static bool group_is_gone(struct group *g)
{
    if (!g->reaped && g->owner)
        return false;
    pid_t reaped;
    while ((reaped = waitpid(-g->id, NULL, WNOHANG)) > 0)
        ;
    if (reaped < 0)
        g->reaped = true;
    return kill(-g->id, 0) < 0 && errno == ESRCH;
}

static void group_look(struct timer *t)
{
    struct group *g = OWNER_OF(t, struct group, look);
    int64_t now = clock_ms();

    /* Checked often: once the group is empty, its number may be reused. */
    if (group_is_gone(g) || (g->reaped && now > g->kill_at + GRACE_MS)) {
        group_free(g);
        return;
    }
    if (now >= g->kill_at)
        (void)kill(-g->id, SIGKILL);
    timer_set(t, now + LOOK_MS, group_look);
}

static void group_end(struct group *g)
{
    if (g->kill_at)
        return;
    g->kill_at = clock_ms() + GRACE_MS;
    (void)kill(-g->id, SIGTERM);
    (void)kill(-g->id, SIGCONT);
    timer_set(&g->look, clock_ms() + NAP_MS, group_look);
}

static void hear(struct group *g, const char *bytes, size_t n)
{
    AUTO_BUF(rest, STDERR_TAIL_MOST + DEBUG_LINE_MOST);

    debug_lines_take(&g->debug, g->owner, bytes, n, &rest);
    stderr_tail_add(&g->raw, &g->owner->stderr_tail, buf_str(&rest), rest.len);
}

/* Reads once. Returns false if there is no more data now. The callback may forget the child; `g` then has no
 * owner. */
static bool read_output(struct group *g, struct watch *w)
{
    char chunk[STDERR_TAIL_MOST];
    ssize_t n = w->fd >= 0 ? read(w->fd, chunk, sizeof chunk) : -1;
    struct child *c = g->owner;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        loop_close(w);
    if (n <= 0)
        return false;
    if (w == &c->err)
        hear(g, chunk, (size_t)n);
    else if (c->printed)
        c->printed(c, chunk, (size_t)n);
    explicit_bzero(chunk, sizeof chunk);
    return true;
}

static void out_ready(struct watch *w, unsigned events)
{
    (void)events;
    (void)read_output(group_of(OWNER_OF(w, struct child, out)), w);
}

static void err_ready(struct watch *w, unsigned events)
{
    (void)events;
    (void)read_output(group_of(OWNER_OF(w, struct child, err)), w);
}

/* Returns whether background processes are running, inside or outside the group. */
static bool has_left_something(const struct group *g)
{
    return kill(-g->id, 0) == 0 || orphans_exist(is_known_group);
}

/* Reads what is in the pipe when the program ends; does not wait for other writers. */
static void life_ready(struct watch *w, unsigned events)
{
    struct child *c = OWNER_OF(w, struct child, life);
    struct group *g = group_of(c);

    (void)events;
    if (waitpid(c->pid, &c->status, WNOHANG) != c->pid)
        return;
    g->reaped = true;
    c->pid = 0;
    c->left = c->whole && has_left_something(g);
    loop_close(&c->life);
    for (size_t most = 0; most < 64 && g->owner && read_output(g, &c->err); most++)
        ;
    for (size_t most = 0; most < 64 && g->owner && read_output(g, &c->out); most++)
        ;
    if (!g->owner)
        return;
    loop_close(&c->err);
    loop_close(&c->out);
    g->owner = NULL;
    group_end(g);
    if (c->ended)
        c->ended(c);
}

/* Runs after fork: only async-signal-safe calls until execve; errno is sent through `report`. */
_Noreturn static void child_become(pid_t keeper, char *const *argv, char **env, const int fds[4], int report)
{
    if (fds[3] < 0 || setsid() < 0 || ioctl(fds[3], TIOCSCTTY, 0) < 0)
        (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != keeper)
        _exit(127);
    for (int i = 0; i < 3; i++)
        (void)dup2(fds[i], i);
    (void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    proc_restore();
    (void)execve(argv[0], argv, env);
    int failed = errno;
    (void)!write(report, &failed, sizeof failed);
    _exit(127);
}

/* Waits for the exec, so that a program that cannot start causes an error here and not an exit status. */
static int fork_and_exec(char *const *argv, char **env, const int fds[4], pid_t *pid, struct err *e)
{
    int report[2], failed = 0;
    ssize_t n = 0;

    if (fd_pipe(report, e) < 0)
        return -1;
    pid_t keeper = getpid();
    *pid = fork();
    if (*pid == 0)
        child_become(keeper, argv, env, fds, report[1]);
    int fork_failed = errno;
    (void)close(report[1]);
    while (*pid > 0 && (n = read(report[0], &failed, sizeof failed)) < 0 && errno == EINTR)
        ;
    (void)close(report[0]);
    if (*pid < 0)
        return err_set(e, ERR_TRY_LATER, "cannot start a process: %s", strerror(fork_failed));
    if (n <= 0)
        return 0;
    (void)waitpid(*pid, NULL, 0);
    return err_set(e, failed == ENOENT ? ERR_NOT_FOUND : ERR_NOT_RUNNABLE, "%s: %s", argv[0],
                   strerror(failed));
}

static int start_with(char *const *argv, const struct env_changes *changes, const int fds[4], pid_t *pid,
                      struct err *e)
{
    char **env = env_build(changes);
    int started;

    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    started = fork_and_exec(argv, env, fds, pid, e);
    env_free(env);
    return started;
}

/* Takes ownership of the read ends of the pipes. */
static int child_listen(struct child *c, int *out, int *err, struct err *e)
{
    AUTO_FD(life);

    life = pidfd_open(c->pid, 0);
    if (life < 0) {
        int failed = errno;
        (void)kill(-c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
        c->pid = 0;
        return err_set(e, ERR_TRY_LATER, "cannot watch a process: %s", strerror(failed));
    }
    (void)fcntl(*err, F_SETFL, O_NONBLOCK);
    group_add(c->pid, c);
    if (*out >= 0) {
        (void)fcntl(*out, F_SETFL, O_NONBLOCK);
        loop_watch(&c->out, fd_take(out), LOOP_READ, out_ready);
    }
    loop_watch(&c->err, fd_take(err), LOOP_READ, err_ready);
    loop_watch(&c->life, fd_take(&life), LOOP_READ, life_ready);
    return 0;
}

int child_start(struct child *c, char *const *argv, const struct env_changes *env, struct err *e)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1}, started = -1;
    AUTO_FD(null);

    null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    buf_clear(&c->stderr_tail);
    c->left = false;
    c->status = 0;
    if (null < 0)
        (void)err_set(e, ERR_TRY_LATER, "/dev/null: %s", strerror(errno));
    else if ((c->socket >= 0 || fd_pipe(out, e) == 0) && fd_pipe(err, e) == 0)
        started = start_with(argv, env,
                             (int[]){c->socket >= 0 ? c->socket : null, c->socket >= 0 ? c->socket : out[1],
                                     err[1], c->asks ? terminal_for_child() : -1},
                             &c->pid, e);
    fd_close_cleanup(&out[1]);
    fd_close_cleanup(&err[1]);
    if (started < 0)
        c->pid = 0;
    else
        started = child_listen(c, &out[0], &err[0], e);
    fd_close_cleanup(&out[0]);
    fd_close_cleanup(&err[0]);
    return started;
}

void child_end(struct child *c)
{
    struct group *g = group_of(c);

    if (g)
        group_end(g);
}

/* Calls no callback of the child any more. */
static void child_let_go(struct child *c)
{
    loop_close(&c->out);
    loop_close(&c->err);
    loop_close(&c->life);
    c->pid = 0;
}

void child_forget(struct child *c)
{
    struct group *g = group_of(c);

    child_let_go(c);
    if (g) {
        g->owner = NULL;
        group_end(g);
    }
    buf_release(&c->stderr_tail);
}

void child_end_all(void)
{
    struct group *g, *next;

    LIST_FOREACH(g, &groups, next)
    {
        if (g->owner)
            child_let_go(g->owner);
        g->owner = NULL;
        group_end(g);
    }
    int64_t until = clock_ms() + 2 * GRACE_MS; /* a process in uninterruptible sleep cannot be ended */
    while (!LIST_EMPTY(&groups) && clock_left(until) > 0) {
        for (g = LIST_FIRST(&groups); g; g = next) {
            next = LIST_NEXT(g, next);
            group_look(&g->look);
        }
        if (!LIST_EMPTY(&groups))
            (void)poll(NULL, 0, NAP_MS);
    }
    orphans_end_now(is_known_group);
}
