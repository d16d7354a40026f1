/* SPDX-License-Identifier: MIT */
/*
 * broker forward: opens listeners and keeps them open, with one keeper per profile. All profiles are checked
 * before the first listener is opened, and nothing is printed until all of them accept connections, because a
 * caller cannot use only some of them.
 */
#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/tty.h>

#include "begin.h"
#include "json.h"

/* The forwards that one command opens. */
struct batch {
    struct session *session;
    struct forward *forward;
    size_t count;
    struct forward_wanted want;
};

static void batch_init(struct batch *b, size_t count)
{
    b->session = mem_alloc(count, sizeof *b->session);
    b->forward = mem_alloc(count, sizeof *b->forward);
    b->count = count;
    for (size_t i = 0; i < count; i++)
        b->forward[i] = (struct forward)FORWARD_INIT;
}

static void batch_release(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        session_release(&b->session[i]);
    forward_list_free(b->forward, b->count);
    free(b->session);
}

static json_t *number_or_null(unsigned n)
{
    return n ? json_integer((json_int_t)n) : json_null();
}

/* Returns the password of the listener, made for this run, as JSON; masked if stdout is a terminal. */
static json_t *password_json(const struct forward *f)
{
    const struct connection c = {.password = f->password};
    const struct format_how how = {.masked = isatty(STDOUT_FILENO)};
    AUTO_BUF(text, 4096);

    if (!f->password)
        return json_null();
    password_put(&c, &how, &text);
    return json_text(buf_str(&text));
}

json_t *forward_json(const struct forward *f)
{
    json_t *endpoint = json_pack("{s:o,s:o,s:o}", "host", json_text(f->endpoint_host), "port",
                                 number_or_null(f->endpoint_host ? f->endpoint_port : 0), "socket",
                                 json_text(f->endpoint_socket));

    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I}", "profile", json_text(f->name), "host",
                     json_text(forward_host(f)), "port", number_or_null(f->port), "socket",
                     json_text(f->socket), "user", json_text(f->user), "password", password_json(f),
                     "endpoint", endpoint, "pid", (json_int_t)f->pid);
}

/* Checks the command line as far as that is possible without the config. */
static int take_options(struct invocation *inv, struct batch *b, struct err *e)
{
    const char *listen = inv->value[OPT_listen], *drain = inv->value[OPT_drain];

    b->want.terminate_tls = inv->given[OPT_terminate_tls];
    b->want.detach = inv->given[OPT_detach];
    b->want.inject = inv->given[OPT_inject];
    if (drain && !duration_parse(drain, &b->want.drain_ms)) {
        (void)err_set(e, ERR_USAGE, "--drain: '%s' is not a duration", drain);
        return err_hint(e, "for example 10s, 5m or 1h");
    }
    if (b->count > 1 && listen && *listen && !text_equal(listen, "0") && !text_ends(listen, ":0")) {
        (void)err_set(e, ERR_USAGE, "--listen %s is one address, but there are %zu forwards", listen,
                      b->count);
        return err_hint(e, "set listen in each profile, or run broker forward once for each");
    }
    return begin_log(inv, &b->want.log, e);
}

/* Refuses --port and --socket with a profile: they set the server's address, and the user probably meant
 * --listen. */
static int check_place(const struct invocation *inv, const struct session *s, struct err *e)
{
    const char *slip = inv->given[OPT_port] ? "--port" : inv->given[OPT_socket] ? "--socket" : NULL;

    if (!s->profile.name || !slip)
        return 0;
    (void)err_set(e, ERR_USAGE, "%s sets the server's %s; the profile already has one", slip,
                  inv->given[OPT_port] ? "port" : "socket");
    return err_hint(e, "--listen %s sets where the forward listens", inv->given[OPT_port] ? "PORT" : "/PATH");
}

/* Makes forward number i the one that errors and messages name. */
static void take_turn(struct invocation *inv, struct batch *b, size_t i)
{
    const struct setting *listen = &b->session[i].profile.set[KEY_listen];

    (void)snprintf(inv->label, sizeof inv->label, "%s", b->session[i].label);
    b->want.listen = listen->value;
    b->want.listen_given = listen->origin == ORIGIN_FLAG;
}

static int prepare(struct invocation *inv, struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        struct session *s = &b->session[i];
        if (begin_word(inv, i, s, e) < 0 || check_place(inv, s, e) < 0 ||
            session_plan(s, b->want.inject ? FOR_INJECT : FOR_FORWARD, NULL, inv->given[OPT_dry_run], e) < 0)
            return -1;
        take_turn(inv, b, i);
        if (forward_check(s, &b->want, e) < 0)
            return -1;
    }
    return 0;
}

static void print_plans(struct invocation *inv, struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct connection *c = &b->session[i].plan.conn;
        AUTO_BUF(clean, 16384);
        if (i)
            (void)putchar('\n');
        print_plan(&b->session[i], NULL);
        take_turn(inv, b, i);
        if (!b->want.inject && (b->want.terminate_tls || b->want.listen[0] == '/')) {
            bool verifies = c->tls >= TLS_VERIFY_CA && c->tls_ca;
            (void)printf("tls         %s, by the keeper%s%s\n", tls_level_name(c->tls), verifies ? ", " : "",
                         verifies ? c->tls_ca : "");
        }
        text_sanitise(&clean, b->want.listen, strlen(b->want.listen));
        (void)printf("address     %s\n", buf_str(&clean));
    }
}

static int open_all(struct invocation *inv, struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        take_turn(inv, b, i);
        if (forward_open(&b->session[i], &b->want, &b->forward[i], e) < 0) {
            forward_end(b->forward, b->count);
            return -1;
        }
    }
    return 0;
}

/* Tells the user how to get user and password, because only the address is printed. */
static void note_params(const struct session *s)
{
    AUTO_BUF(name, 1024);

    if (s->profile.name) {
        buf_putc(&name, ' ');
        text_quote_sh(&name, s->profile.name);
    }
    log_note("%s: broker params%s --inject prints user and password%s", s->label, buf_str(&name),
             s->profile.name ? "" : ", with the same options");
}

static void print_address(const struct forward *f)
{
    AUTO_BUF(address, 1024);
    AUTO_BUF(clean, 2048);

    forward_address(f, &address);
    text_sanitise(&clean, buf_str(&address), address.len);
    (void)puts(buf_str(&clean));
}

static int print_all(const struct invocation *inv, const struct batch *b, struct err *e)
{
    for (size_t i = 0; i < b->count; i++) {
        AUTO_JSON(root);
        if (inv->given[OPT_json]) {
            root = forward_json(&b->forward[i]);
            print_json_line(root);
        } else {
            print_address(&b->forward[i]);
            if (b->forward[i].logs_in && isatty(STDOUT_FILENO))
                note_params(&b->session[i]);
        }
    }
    return stdout_finish(e);
}

/* Notes on stderr which forwards are open and how to end them. */
static void note_all(const struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->forward[i].running)
            log_note("%s: runs already; broker stop %s ends it", b->forward[i].name, b->forward[i].name);
        else
            log_note("%s: to %s, Ctrl-C ends it", b->forward[i].name, b->session[i].plan.endpoint);
    }
}

/* Ends this process by the same signal, so that a shell also stops a loop that runs it. */
static void die_of(int sig)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t only;

    (void)sigaction(sig, &plain, NULL);
    (void)sigemptyset(&only);
    (void)sigaddset(&only, sig);
    (void)raise(sig);
    (void)sigprocmask(SIG_UNBLOCK, &only, NULL);
}

static int stay(struct batch *b, struct err *e)
{
    int sig = 0;

    note_all(b);
    int result = forward_wait(b->forward, b->count, b->want.drain_ms, &sig, e);
    if (result == 0 && sig)
        die_of(sig);
    return result;
}

static int forward_run(struct invocation *inv, struct err *e)
{
    __attribute__((cleanup(batch_release))) struct batch b = {0};

    json_use_wiping_memory();
    batch_init(&b, inv->word_count ? inv->word_count : 1);
    if (inv->given[OPT_detach])
        tty_forbid_input("--detach");
    if (take_options(inv, &b, e) < 0 || prepare(inv, &b, e) < 0)
        return -1;
    if (inv->given[OPT_dry_run]) {
        print_plans(inv, &b);
        return 0;
    }
    if (open_all(inv, &b, e) < 0)
        return -1;
    if (!b.want.detach)
        forward_hold_signals();
    if (print_all(inv, &b, e) < 0) {
        forward_end(b.forward, b.count);
        return -1;
    }
    if (!b.want.detach)
        return stay(&b, e);
    return forward_let_go(b.forward, b.count, e);
}

const struct verb verb_forward = {
    .name = "forward",
    .usage = "[PROFILE|URL]... [OPTION]...",
    .summary = "forward a local address to the server",
    .about = "Listen on a local address and forward each connection to the server, for programs that only "
             "take a host and a port. It runs until it is stopped; --detach puts it into the background.",
    .group = GROUP_EXPORT,
    .examples = {"broker forward prod", "broker forward prod stage --listen 0",
                 "broker forward prod --listen 13306 --drain 30s", "ADDR=$(broker forward prod --detach)",
                 "broker forward prod --inject --detach && broker params prod --inject"},
    .sets = SET_PROFILE | SET_RUN | SET_DRY | SET_JSON | SET_FORWARD | SET_INJECT | SET_LOG,
    .most_words = WORDS_MOST,
    .words = "profile",
    .run = forward_run,
};
