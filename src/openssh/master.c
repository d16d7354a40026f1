/* SPDX-License-Identifier: MIT */
/*
 * `ssh -M -N`: dials, checks the host key and logs in as the user's ssh_config says, and then serves its
 * control socket. The added options make it a master and do not change which host is reached or how. Its
 * socket appears once it has logged in. Streams are in engine.c.
 */
#include "master.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <event/child.h>
#include <event/guard.h>
#include <event/limit.h>
#include <event/loop.h>
#include <tunnel/tell.h>

#include "ask.h"
#include "argv.h"
#include "mux.h"
#include "side.h"
#include "user_master.h"
#include "stderr_errors.h"

#define LOOK_MS 5
#define SPARE_MS 500  /* added to ssh's own timeout, whose error message is better */
#define TEMPORARY 17  /* length of the suffix of the socket's name while ssh creates it */
#define PATH_ROOM 108 /* size of sun_path in struct sockaddr_un */

static struct {
    const struct ssh_settings *s;
    enum { DOWN, STARTING, UP } state;
    struct child ssh;
    char *control, *forward;
    struct timer look, late;
    int64_t deadline;
    bool borrowed;   /* it is the user's own master */
    struct err why;  /* why broker ended it; ERR_NONE: it ended by itself */
    bool user_waits; /* the login waits for the user */
    bool exchanged;  /* the first key exchange is done */
    struct mux *request;
    void (*settled)(const struct err *e);
    void (*lost)(const struct err *e);
} master = {.ssh = CHILD_INIT};

bool master_can(const struct ssh_settings *s, struct buf *why)
{
    AUTO_FREE(char *, path);

    (void)s;
    path = proc_find("ssh");
    if (!path)
        buf_puts(why, "no ssh on PATH");
    return path;
}

const char *master_control(void)
{
    return master.control;
}

const char *master_forward(void)
{
    return master.forward;
}

void master_stream_reason(struct buf *out)
{
    if (!master.borrowed)
        openssh_stream_reason(buf_str(&master.ssh.stderr_tail), out);
}

static void trace_stderr(void)
{
    AUTO_WORDS(lines);

    words_split(&lines, buf_str(&master.ssh.stderr_tail), '\n');
    for (size_t i = 0; i < lines.count; i++)
        log_trace("ssh", "%s", lines.word[i]);
}

/* --- end of the master
 * ------------------------------------------------------------------------------------ */

static void forget_path(char **path)
{
    if (*path) {
        (void)unlink(*path);
        guard_disowns_path(*path);
    }
    free(*path);
    *path = NULL;
}

/* The user's own master is not ended. */
static void give_back(void)
{
    user_master_close();
    free(master.control);
    master.control = NULL;
    master.borrowed = false;
}

static void clean_up(void)
{
    timer_clear(&master.look);
    timer_clear(&master.late);
    if (master.request)
        mux_stop(master.request);
    master.request = NULL;
    if (master.state == STARTING)
        tell_end();
    side_close();
    if (master.borrowed)
        give_back();
    forget_path(&master.control);
    forget_path(&master.forward);
    master.state = DOWN;
}

static void ended(struct child *c)
{
    bool was_up = master.state == UP;
    struct err e = ERR_INIT;

    trace_stderr();
    bool asked_in_vain = ask_end(&e);
    if (!asked_in_vain && master.why.code)
        err_copy(&e, &master.why);
    else if (!asked_in_vain)
        (void)openssh_explain(master.s, buf_str(&c->stderr_tail), c->status, &e);
    clean_up();
    if (was_up)
        master.lost(&e);
    else
        master.settled(&e);
}

static void give_up(void)
{
    child_end(&master.ssh);
}

static void borrowed_gone(void)
{
    struct err e = ERR_INIT;

    clean_up();
    (void)err_set(&e, ERR_UNREACHABLE, "ssh %s: your ControlMaster has ended", master.s->alias);
    (void)err_hint(&e, "the next connection logs in again");
    master.lost(&e);
}

void master_doubt(void)
{
    if (master.borrowed) {
        borrowed_gone();
        return;
    }
    (void)ssh_silent(master.s, &master.why);
    child_end(&master.ssh);
}

static void gather(struct buf *out)
{
    if (!ssh_is_quiet(master.s))
        openssh_user_lines(buf_str(&master.ssh.stderr_tail), out);
}

/* The deadline already includes the time of questions. */
static void master_is_late(struct timer *t)
{
    master.user_waits |= clock_left(master.deadline) == 0 && tell_gives_time(&master.deadline);
    if (clock_left(master.deadline) > 0) {
        timer_set(t, master.deadline, master_is_late);
        return;
    }
    if (!master.user_waits) {
        master_doubt();
        return;
    }
    (void)ssh_not_let_in(master.s, &master.why);
    openssh_add_tail(buf_str(&master.ssh.stderr_tail), &master.why);
    child_end(&master.ssh);
}

/* The text is the same in all OpenSSH versions. From here on the user may have to approve the login on
 * another device; not after READY. */
static void debugged(struct child *c, const char *line)
{
    AUTO_BUF(clean, 1024);

    (void)c;
    text_sanitise(&clean, line, strlen(line));
    log_trace("ssh", "%s", buf_str(&clean));
    if (master.state != STARTING || master.exchanged || master.s->target->ready ||
        !text_equal(line, "debug1: SSH2_MSG_NEWKEYS received"))
        return;
    master.exchanged = master.user_waits = true;
    master.deadline = clock_deadline(master.s->target->login_timeout, CLOCK_NEVER);
    timer_set(&master.late, master.deadline, master_is_late);
}

/* --- start of the master
 * ---------------------------------------------------------------------------------- */

static void be_up(void)
{
    struct err ignored = ERR_INIT;

    master.state = UP;
    tell_end();
    timer_clear(&master.late);
    (void)ask_end(&ignored);
    trace_stderr();
    openssh_say_added(master.s, buf_str(&master.ssh.stderr_tail));
    side_open(master.control);
    master.settled(NULL);
}

/* The forward remains when the connection that requested it is closed. */
static void forward_answered(void *context, enum mux_answer answer, const char *words)
{
    struct mux *request = master.request;
    AUTO_FREE(char *, forward);
    AUTO_BUF(quoted, 1024);

    (void)context;
    master.request = NULL;
    if (answer == MUX_YES) {
        mux_stop(request);
        be_up();
        return;
    }
    (void)err_set(&master.why, ERR_UNREACHABLE, "ssh %s: no forward to a unix socket%s%s", master.s->alias,
                  *words ? ": " : "", words);
    forward = mem_printf("/tmp/test.sock:%s", master.s->target->socket);
    text_quote_sh(&quoted, forward);
    (void)err_hint(&master.why, "make %s -L %s work", ssh_try(master.s), buf_str(&quoted));
    child_end(&master.ssh);
}

static void ask_for_forward(void)
{
    static const struct mux_use use = {.answered = forward_answered};
    struct buf request = BUF_INIT(16384);

    mux_put_forward(&request, master.forward, master.s->target->socket);
    master.request = mux_ask(master.control, &request, NULL, 0,
                             clock_deadline(master.s->connect_timeout, CLOCK_NEVER), &use, NULL);
}

/* ssh renames its socket to `control` once it accepts connections. */
static void look(struct timer *t)
{
    if (access(master.control, F_OK) < 0)
        timer_set(t, clock_ms() + LOOK_MS, look);
    else if (master.s->target->socket)
        ask_for_forward();
    else
        be_up();
}

static char *make_path(const char *folder, const char *suffix, struct err *e)
{
    char *path = mem_printf("%s/%08x.%s", folder, randombytes_random(), suffix);

    if (strlen(path) + TEMPORARY < PATH_ROOM) {
        guard_owns_path(path);
        return path;
    }
    (void)err_set(e, ERR_CONFIG, "%s: too long for the socket of ssh", folder);
    (void)err_hint(e, "set XDG_RUNTIME_DIR to a folder with a shorter name");
    free(path);
    return NULL;
}

static int start(struct err *e)
{
    struct env_changes env = {0};
    AUTO_FREE(char *, folder);
    AUTO_WORDS(argv);
    int started;

    if (path_runtime(&folder, e) < 0 || ask_open(folder, e) < 0)
        return -1;
    master.control = make_path(folder, "ctl", e);
    if (master.s->target->socket)
        master.forward = make_path(folder, "fwd", e);
    if (!master.control || (master.s->target->socket && !master.forward))
        return -1;
    openssh_command(master.s, master.control, &argv);
    ask_environment(&env);
    started = child_start(&master.ssh, argv.word, &env, e);
    env_release(&env);
    if (started < 0)
        return err_prefix(e, "ssh");
    ask_for_group(master.ssh.pid);
    limit_raise_descriptors(master.ssh.pid);
    return 0;
}

/* Returns the number of hops: the host itself and its jump hosts. */
static int64_t hops(const struct ssh_settings *s)
{
    int64_t n = s->proxy_jump || s->proxy_command ? 2 : 1;

    for (const char *p = s->proxy_jump; p && (p = strchr(p, ',')); p++)
        n++;
    return n;
}

static void start_own(void)
{
    const struct ssh_settings *s = master.s;
    struct err e = ERR_INIT;

    err_clear(&master.why);
    master.user_waits = master.exchanged = false;
    tell_begin(ssh_who(s), s->target, gather);
    master.state = STARTING;
    master.deadline = clock_deadline(hops(s) * s->connect_timeout + SPARE_MS, CLOCK_NEVER);
    master.ssh.ended = ended;
    master.ssh.debugged = debugged;
    master.ssh.asks = true;
    ask_begin(s, &master.deadline, give_up);
    if (start(&e) < 0) {
        struct err ignored = ERR_INIT;
        (void)ask_end(&ignored);
        clean_up();
        master.settled(&e);
        return;
    }
    timer_set(&master.late, master.deadline, master_is_late);
    timer_set(&master.look, clock_ms() + LOOK_MS, look);
}

static void borrowed_answered(bool lives)
{
    if (!lives) {
        give_back();
        start_own();
        return;
    }
    master.state = UP;
    log_trace("ssh", "using the master at %s", master.control);
    master.settled(NULL);
}

void master_start(const struct ssh_settings *s, void (*settled)(const struct err *e),
                  void (*lost)(const struct err *e))
{
    master.s = s;
    master.settled = settled;
    master.lost = lost;
    master.borrowed = ssh_has_master(s);
    if (!master.borrowed) {
        start_own();
        return;
    }
    master.control = mem_strdup(s->control_path);
    user_master_open(master.control, borrowed_answered, borrowed_gone);
}

/* ssh sometimes ignores SIGTERM, so it is also told to exit through its socket. */
static void request_exit(void)
{
    AUTO_BUF(request, 1024);
    AUTO_FD(fd);

    if (master.state != UP || master.borrowed)
        return;
    mux_put_hello(&request);
    mux_put_bare(&request, MUX_END);
    fd = fd_connect_unix(master.control);
    if (fd >= 0)
        (void)send(fd, buf_str(&request), request.len, MSG_NOSIGNAL);
}

void master_stop(void)
{
    struct err ignored = ERR_INIT;

    request_exit();
    (void)ask_end(&ignored);
    child_forget(&master.ssh);
    clean_up();
}
