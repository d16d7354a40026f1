/*
 * Running the user's program: no shell, placeholders filled after splitting, a free port or a socket in our
 * folder, readiness looked up and not dialled. Its arguments are never shown: they may hold what opens a
 * session.
 */
#include "program.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>

#include "child.h"
#include "keeper.h"
#include "listening.h"
#include "ready.h"
#include "stream.h"

#define LOOK_MS 20
/* What it has said counts, but the end may come a moment later; not all that listen are seen. */
#define PROMISE_MS 1000
/* A little more than what a group gets to end in (child.h). */
#define GRACE_MS 2500
#define STARTS_MOST 3
#define PORTS_MOST 16
#define WORD_MOST 65536

static struct {
    struct words words; /* of the key `command`, not filled */
    bool wants_port, wants_socket;
    int64_t timeout;
    struct program_end end;
    struct child child;
    struct ready ready;
    struct timer look, late;
    unsigned starts;         /* of the same call of program_start() */
    bool before;             /* it ran before in this process: its end may still be held for a moment */
    int64_t began, promised; /* promised: when it had printed the text of `ready`; 0: not yet */

    bool up;
    void (*settled)(const struct err *e), (*lost)(const struct err *e);
} program = {.child = CHILD_INIT, .ready = READY_INIT};

const char *program_name(void)
{
    const char *word = program.words.count ? program.words.word[0] : "", *slash = strrchr(word, '/');

    return slash && slash[1] ? slash + 1 : word;
}

const struct program_end *program_local_end(void)
{
    return &program.end;
}

static bool mentions(const char *placeholder)
{
    for (size_t i = 0; i < program.words.count; i++) {
        if (strstr(program.words.word[i], placeholder))
            return true;
    }
    return false;
}

/* In our folder, by our number: another keeper has another one. */
static int choose_socket(struct err *e)
{
    AUTO_FREE(char *, folder);

    if (program.end.path)
        return 0;
    if (path_runtime(&folder, e) < 0)
        return -1;
    char *path = mem_printf("%s/c%ld", folder, (long)getpid());
    if (strlen(path) > SOCKET_PATH_MOST) {
        (void)err_set(e, ERR_CONFIG, "%s: over %d bytes, too long for a socket", path, SOCKET_PATH_MOST);
        free(path);
        return err_hint(e, "a shorter XDG_RUNTIME_DIR or TMPDIR, or {local_port} in command");
    }
    program.end.path = path;
    keeper_owns_path(path);
    return 0;
}

static int choose_address(struct err *e)
{
    const char *address = options_tunnel("address");

    if (address)
        return stream_address(address, &program.end.path, &program.end.host, &program.end.port, e);
    (void)err_set(e, ERR_CONFIG, "command without {local_port} and {socket} needs address");
    return err_hint(e, "address = 127.0.0.1:13306, where it listens, or {local_port} in command");
}

int program_prepare(struct err *e)
{
    const char *command = options_tunnel("command"), *timeout = options_tunnel("connect_timeout");
    unsigned long ms;

    if (!command) {
        (void)err_set(e, ERR_CONFIG, "a tunnel of type command needs command");
        return err_hint(e, "command = PROGRAM ARGUMENT...");
    }
    if (text_split_words(command, &program.words, e) < 0) {
        (void)err_prefix(e, "command");
        return err_hint(e, "command = PROGRAM ARGUMENT..., quoted as for sh");
    }
    program.timeout = text_number(timeout, INT32_MAX, &ms) && ms ? (int64_t)ms : opt.connect_timeout;
    program.wants_socket = mentions("{socket}");
    program.wants_port = !program.wants_socket && mentions("{local_port}");
    if (opt.socket && mentions("{host}")) {
        (void)err_set(e, ERR_CONFIG, "command has {host}, but the server is at a socket");
        return err_hint(e, "set host instead of socket in the profile");
    }
    if (program.wants_socket)
        return choose_socket(e);
    return program.wants_port ? 0 : choose_address(e);
}

/* Not by another user: between our choice of a port and the program's bind it may have become anybody's, and
 * a password would go there. */
static bool is_listening(bool ours)
{
    const char *at = NULL;

    if (program.end.path)
        return listening_unix(program.end.path);
    if (!listening_tcp(program.wants_port ? NULL : program.end.host, program.end.port, ours, &at))
        return false;
    program.end.host = at;
    return true;
}

/* One that nobody listens on, in either family: bound for a moment, because the system knows best. */
static int free_port(unsigned *port, struct err *e)
{
    const char *at;

    for (int i = 0; i < PORTS_MOST; i++) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t n = sizeof in;
        AUTO_FD(fd);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (struct sockaddr *)&in, n) < 0 ||
            getsockname(fd, (struct sockaddr *)&in, &n) < 0)
            return err_set(e, ERR_TRY_LATER, "no free port: %s", strerror(errno));
        *port = ntohs(in.sin_port);
        if (!listening_tcp(NULL, *port, false, &at))
            return 0;
    }
    return err_set(e, ERR_TRY_LATER, "no free port");
}

static void end_put(struct buf *out)
{
    if (program.end.path)
        buf_puts(out, program.end.path);
    else
        text_address(out, program.end.host ? program.end.host : "127.0.0.1", program.end.port);
}

/* The program is ended, if it runs, and the reason told. */
static void fail(const struct err *e)
{
    void (*settled)(const struct err *) = program.settled;

    program_stop();
    if (settled)
        settled(e);
}

static void be_up(void)
{
    void (*settled)(const struct err *) = program.settled;

    timer_clear(&program.look);
    timer_clear(&program.late);
    program.up = true;
    program.settled = NULL;
    if (settled)
        settled(NULL);
}

static void look(struct timer *t)
{
    bool listens = is_listening(true);

    if (!listens && (!program.promised || clock_ms() < program.promised + PROMISE_MS)) {
        timer_set(t, clock_ms() + LOOK_MS, look);
        return;
    }
    if (!listens && program.wants_port)
        program.end.host = "127.0.0.1";
    be_up();
}

static void printed(struct child *c, const char *bytes, size_t n)
{
    if (program.up)
        return;
    ready_feed(&program.ready, bytes, n);
    if (!program.ready.found || program.promised || c->pid == 0)
        return;
    program.promised = clock_ms();
    timer_clear(&program.late);
    look(&program.look);
}

static void is_late(struct timer *t)
{
    struct err e = ERR_INIT;
    AUTO_BUF(time, 32);
    AUTO_BUF(end, 256);

    (void)t;
    clock_format_duration(&time, program.timeout);
    end_put(&end);
    (void)err_set(&e, ERR_UNREACHABLE, "%s: not ready within %s", program_name(), buf_str(&time));
    (void)err_detail_lines(&e, buf_str(&program.child.said));
    if (program.ready.text)
        (void)err_hint(&e, "it must print the text of ready, or listen at %s; or a longer connect_timeout",
                       buf_str(&end));
    else
        (void)err_hint(&e, "it must listen at %s, or set ready; or a longer connect_timeout", buf_str(&end));
    fail(&e);
}

static void try_start(void);

static void why_ended(const char *when, struct err *e)
{
    AUTO_BUF(how, 64);

    proc_describe_status(&how, program.child.status);
    (void)err_set(e, ERR_UNREACHABLE, "%s: %s%s", program_name(), buf_str(&how), when);
    (void)err_detail_lines(e, buf_str(&program.child.said));
    (void)err_hint(e, "run the tunnel's command by hand: it must stay in the foreground");
}

static void ended(struct child *c)
{
    void (*lost)(const struct err *) = program.lost;
    struct err e = ERR_INIT;
    const char *at;

    timer_clear(&program.look);
    if (program.up) {
        why_ended("", &e);
        program.up = false;
        lost(&e);
        return;
    }
    /* Between our choice and its own bind the port may have become another's. */
    bool taken = program.wants_port &&
                 (ready_says_taken(buf_str(&c->said)) || listening_tcp(NULL, program.end.port, false, &at));
    if (taken && program.starts < STARTS_MOST) {
        log_trace("way", "%s: port %u was taken, another one", program_name(), program.end.port);
        try_start();
        return;
    }
    why_ended(" before it was ready", &e);
    fail(&e);
}

static int fill_words(struct words *out, struct err *e)
{
    static const char *const names[] = {"host", "port", "local_port", "socket", NULL};
    char port[16], local_port[16];
    const char *values[] = {opt.host, port, local_port, program.end.path, NULL};

    (void)snprintf(port, sizeof port, "%u", opt.port);
    (void)snprintf(local_port, sizeof local_port, "%u", program.end.port);
    for (size_t i = 0; i < program.words.count; i++) {
        AUTO_BUF(word, WORD_MOST);
        text_fill(&word, program.words.word[i], names, values);
        if (!buf_ok(&word))
            return err_set(e, ERR_CONFIG, "command: over %d bytes", WORD_MOST);
        words_take(out, buf_take(&word));
    }
    char *path = proc_find(out->word[0]);
    if (!path) {
        (void)err_set(e, ERR_CONFIG, "command: %s: no such program", out->word[0]);
        return err_hint(e, "install it, or write its full path in command");
    }
    mem_wipe_free(out->word[0]);
    out->word[0] = path;
    return 0;
}

static int run(struct err *e)
{
    AUTO_WORDS(words);

    if (program.wants_port && free_port(&program.end.port, e) < 0)
        return -1;
    if (program.wants_socket)
        (void)unlink(program.end.path);
    if (fill_words(&words, e) < 0)
        return -1;
    program.child.printed = printed;
    program.child.ended = ended;
    ready_begin(&program.ready, options_tunnel("ready"));
    program.promised = 0;
    program.starts++;
    program.before = true;
    if (child_start(&program.child, words.word, NULL, e) < 0)
        return err_prefix(e, "command");
    log_trace("way", "%s started, pid %ld", program_name(), (long)program.child.pid);
    return 0;
}

static void start_when_free(struct timer *t);

static void try_start(void)
{
    struct err e = ERR_INIT;

    if (run(&e) < 0)
        fail(&e);
    else
        timer_set(&program.look, clock_ms() + LOOK_MS, look);
}

/* What it would listen at must be nobody's, or another's end would be taken for its own. */
static void start_when_free(struct timer *t)
{
    struct err e = ERR_INIT;
    AUTO_BUF(end, 256);

    if (program.wants_port || program.wants_socket || !is_listening(false)) {
        try_start();
    } else if (program.before && clock_ms() < program.began + GRACE_MS) {
        timer_set(t, clock_ms() + LOOK_MS, start_when_free);
    } else {
        end_put(&end);
        (void)err_set(&e, ERR_UNREACHABLE, "%s is taken, where %s is to listen", buf_str(&end),
                      program_name());
        (void)err_hint(&e, "end what listens there, or {local_port} in command instead of address");
        fail(&e);
    }
}

void program_start(void (*settled)(const struct err *e), void (*lost)(const struct err *e))
{
    program.settled = settled;
    program.lost = lost;
    program.starts = 0;
    program.began = clock_ms();
    timer_set(&program.late, clock_ms() + program.timeout, is_late);
    start_when_free(&program.look);
}

void program_stop(void)
{
    timer_clear(&program.look);
    timer_clear(&program.late);
    program.up = false;
    program.settled = NULL;
    child_forget(&program.child);
    if (program.wants_socket && program.end.path)
        (void)unlink(program.end.path);
}
