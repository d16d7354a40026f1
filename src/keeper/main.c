/* SPDX-License-Identifier: MIT */
/*
 * broker-keeper, called the keeper: broker's background process. broker replaces itself with the client
 * (exec), so the keeper holds the tunnel and the listeners. It reads on its fd 0 what to open (ipc/keeper.h),
 * reports when that is ready, and runs until the process that it serves has ended. Under its second name,
 * broker-askpass, it is the program with which the system's ssh asks questions.
 */
#include <string.h>

#include <libssh2.h>
#include <openssl/crypto.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/proc.h>
#include <event/guard.h>
#include <event/loop.h>
#include <event/terminal.h>
#include <ipc/helper.h>
#include <mysql/tls.h>
#include <openssh/askpass.h>

#include "conn.h"
#include "control_channel.h"
#include "credential.h"
#include "first.h"
#include "listeners.h"
#include "options.h"
#include "shutdown.h"
#include "status_socket.h"
#include "tunnels.h"

static struct timer late;

static void give_up(const struct err *e)
{
    control_failed(e);
    shutdown_now((int)e->code);
}

static void ready_is_late(struct timer *t)
{
    struct err e = ERR_INIT;

    if (clock_left(opt.deadline) > 0) {
        timer_set(t, opt.deadline, ready_is_late);
        return;
    }
    (void)err_set(&e, ERR_UNREACHABLE, "not ready in time");
    (void)err_hint(&e, "raise --timeout");
    give_up(&e);
}

/* The control socket shows that a forward is running, so it is not created earlier. */
static void be_ready(void)
{
    struct err e = ERR_INIT;

    timer_clear(&late);
    if (status_open(shutdown_begin, &e) < 0)
        give_up(&e);
    control_ready();
    listeners_accept();
}

static void first_is_open(const struct err *e)
{
    if (e)
        give_up(e);
    be_ready();
}

static void tunnel_is_open(const struct err *e)
{
    if (e)
        give_up(e);
    if (opt.first)
        first_open(first_is_open);
    else
        be_ready();
}

static int prepare(struct err *e)
{
    bool tls = false;

    for (unsigned i = 0; i < opt.listeners; i++)
        tls |= opt.listener[i].kind != LISTENER_BYTES;
    if (listeners_open(e) < 0)
        return -1;
    credential_sessions = conn_sessions;
    return tls && opt.tls.level != KEEPER_TLS_NONE ? tls_prepare(&opt.tls, e) : 0;
}

static const struct control_events control_events = {
    .quit = shutdown_now, .stop = shutdown_begin, .has_owner = shutdown_has_owner, .wait = shutdown_wait};

int main(int argc, char **argv)
{
    const char *slash = argc ? strrchr(argv[0], '/') : NULL;
    const char *const libraries[] = {"libssh2", libssh2_version(0), "OpenSSL",
                                     OpenSSL_version(OPENSSL_VERSION_STRING), NULL};
    struct err e = ERR_INIT;

    proc_harden();
    if (argc && text_equal(slash ? slash + 1 : argv[0], "broker-askpass"))
        return askpass_main(argc, argv);
    if (helper_lists_libraries(argc, argv, libraries))
        return 0;
    proc_raise_files();
    guard_start();
    terminal_take(KEEPER_TERMINAL_FD);
    control_init(&control_events);
    if (control_open(&e) < 0)
        give_up(&e);
    log_set_sink(control_log, opt.verbose);
    shutdown_watch();
    control_watch();
    if (opt.deadline != CLOCK_NEVER)
        timer_set(&late, opt.deadline, ready_is_late);
    if (prepare(&e) < 0)
        give_up(&e);
    tunnel_open(&opt.target, tunnel_is_open);
    loop_run();
}
