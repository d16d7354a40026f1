/* SPDX-License-Identifier: MIT */
/*
 * Opens a forward. Its name is locked while a running one is searched for and a new one is started, so that
 * two processes do not open it twice. Errors that can be detected early (a port in use, a TLS level that the
 * listener would bypass) are reported before a tunnel is opened or the user is asked anything. The database
 * credential is fetched only if the keeper logs in, and is passed to the keeper.
 */
#include <session/forward.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/holder.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <model/address.h>
#include <model/identity.h>

#include "control.h"
#include "sockets.h"
#include "route.h"

/* The parsed value of --listen. */
struct wanted_listener {
    char *path, *host; /* only one of the two is set; host is numeric */
    long port;
};

static void listener_release(struct wanted_listener *listener)
{
    free(listener->path);
    free(listener->host);
}
#define AUTO_LISTENER(name) __attribute__((cleanup(listener_release))) struct wanted_listener name = {0}

static int refuse_listen(const struct forward_wanted *want, const char *why, const char *hint, struct err *e)
{
    (void)err_set(e, want->listen_given ? ERR_USAGE : ERR_CONFIG, "%s%s: %s",
                  want->listen_given ? "--listen " : "listen = ", want->listen, why);
    return err_hint(e, "%s", hint);
}

/* Returns the address of a numeric host, or NULL. Names are not resolved: what a name resolves to can change,
 * and a listener that other machines can reach must be given explicitly. */
static struct addrinfo *numeric(const char *host, long port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    AUTO_FREE(char *, service);

    service = mem_printf("%ld", port < 0 ? 0 : port);
    return getaddrinfo(host, service, &hints, &list) == 0 ? list : NULL;
}

static int listener_parse(const struct forward_wanted *want, struct wanted_listener *listener, struct err *e)
{
    if (want->listen[0] == '/') {
        listener->path = mem_strdup(want->listen);
        if (strlen(listener->path) <= SOCKET_PATH_MOST)
            return 0;
        return refuse_listen(want, "too long for a unix socket, which may have 103 bytes",
                             "use a shorter path, or a port", e);
    }
    if (!address_split(want->listen, &listener->host, &listener->port) || listener->port < 0)
        return refuse_listen(want, "not ADDR:PORT", "--listen PORT, ADDR:PORT or /PATH", e);
    if (text_equal_nocase(listener->host, KEEPER_LOCALHOST)) {
        free(listener->host);
        listener->host = mem_strdup(KEEPER_LOCALHOST);
        return 0;
    }
    struct addrinfo *address = numeric(listener->host, listener->port);
    if (!address)
        return refuse_listen(want, "not an IP address", "--listen 0 takes a free port of 127.0.0.1", e);
    freeaddrinfo(address);
    return 0;
}

/* Refuses --inject on a non-loopback address: every client that knows the listener's password gets a session
 * on the server, so other machines must not be able to connect. */
static int check_inject(const struct forward_wanted *want, const struct wanted_listener *listener,
                        struct err *e)
{
    if (!want->inject || listener->path || host_is_loopback(listener->host))
        return 0;
    return refuse_listen(want, "with --inject, only this machine may connect", "--listen PORT, or /PATH", e);
}

/*
 * Refuses listeners that would expose the password. On a unix socket a client sends it in cleartext, and with
 * --terminate-tls there is no TLS to the keeper, so the keeper must use TLS to the server, unless it logs in
 * itself.
 */
static int check_tls(const struct session *s, const struct forward_wanted *want,
                     const struct wanted_listener *listener, struct err *e)
{
    const char *level = tls_level_name(s->plan.conn.tls);

    if ((!listener->path && !want->terminate_tls) || want->inject || s->plan.conn.tls >= TLS_REQUIRED)
        return 0;
    if (listener->path)
        (void)err_set(e, ERR_USAGE, "a client sends its password in cleartext to a unix socket, and tls = %s",
                      level);
    else
        (void)err_set(e, ERR_USAGE, "--terminate-tls: tls = %s", level);
    return err_hint(e, listener->path ? "--tls required or stricter, or --listen PORT"
                                      : "--tls required or stricter, or no --terminate-tls");
}

/* Appends the path of the tunnel's program as PATH resolves it now. */
static void add_program(const struct session *s, struct buf *out)
{
    const char *command = s->profile.tunnel[TUNNEL_command].value;
    AUTO_WORDS(words);
    struct err ignored = ERR_INIT;

    if (!command || text_split_words(command, &words, &ignored) < 0)
        return;
    char *path = proc_find(words.word[0]);
    if (path) {
        free(words.word[0]);
        words.word[0] = path;
    }
    identity_add_program(out, &words);
}

/* Returns a digest of all settings that decide where the forward leads and how secure it is, to detect that a
 * running forward of the same name differs. */
static char *digest_of(const struct session *s, bool tls, bool inject)
{
    AUTO_BUF(text, 262144);
    const struct connection *c = &s->plan.conn;
    const char *const parts[] = {c->tls_ca,      c->tls_cert,    c->tls_key,
                                 c->tls_ciphers, c->tls_version, s->plan.tls_name};
    char hash[33];

    buf_puts(&text, s->plan.endpoint);
    for (size_t i = 0; i < TUNNEL_COUNT; i++)
        buf_printf(&text, "\n%s", s->profile.tunnel[i].value ? s->profile.tunnel[i].value : "");
    buf_printf(&text, "\n%s", tls ? tls_level_name(c->tls) : "bytes");
    for (size_t i = 0; tls && i < ARRAY_LEN(parts); i++)
        buf_printf(&text, "\n%s", parts[i] ? parts[i] : "");
    for (size_t i = 0; inject && i < KEY_COUNT; i++)
        identity_add_field(&text, profile_str(&s->profile, (enum key)i));
    add_program(s, &text);
    text_hash(buf_str(&text), text.len, hash);
    return mem_strdup(hash);
}

static bool is_there(const struct forward *f, const char *host)
{
    bool both = f->host && text_equal(f->host, KEEPER_LOCALHOST);

    return text_equal(f->host, host) || (both && (text_equal(host, "127.0.0.1") || text_equal(host, "::1")));
}

static bool is_wanted_listener(const struct forward *f, const struct wanted_listener *listener)
{
    if (listener->path || f->socket)
        return text_equal(listener->path, f->socket);
    return is_there(f, listener->host) && (listener->port == 0 || (unsigned long)listener->port == f->port);
}

/* Checks that the running forward can be used: it listens where it was requested and leads to the same
 * server. */
static int check_running(const struct forward *f, const struct forward_wanted *want,
                         const struct wanted_listener *listener, const char *digest, struct err *e)
{
    AUTO_BUF(address, 512);

    forward_address(f, &address);
    if (want->listen_given && !is_wanted_listener(f, listener))
        (void)err_set(e, ERR_UNREACHABLE, "its forward is already running at %s", buf_str(&address));
    else if (!text_equal(f->digest, digest))
        (void)err_set(e, ERR_UNREACHABLE, "its forward at %s has other settings", buf_str(&address));
    else
        return 0;
    return err_hint_sh(e, "broker stop %s", f->name);
}

/* Returns true if the forward listens on the requested address, with `host` for a listener that has several.
 */
static bool is_at(const struct forward *f, const struct wanted_listener *listener, const char *host)
{
    if (listener->path)
        return text_equal(f->socket, listener->path);
    return f->host && is_there(f, host) && f->port == (unsigned long)listener->port;
}

/* Returns the name of our forward that uses the address, malloced. /proc cannot be used, because keepers are
 * not dumpable, so each keeper is asked. */
static char *forward_at(const struct wanted_listener *listener, const char *host)
{
    struct forward *list = NULL;
    struct err ignored = ERR_INIT;
    char *holder = NULL;
    size_t n = 0;

    (void)forward_list(&list, &n, CLOCK_NEVER, &ignored);
    for (size_t i = 0; i < n && !holder; i++)
        holder = is_at(&list[i], listener, host) ? mem_printf("the forward %s", list[i].name) : NULL;
    forward_list_free(list, n);
    return holder;
}

static int explain_bind(const struct wanted_listener *listener, const char *host,
                        const struct sockaddr *address, int failed, struct err *e)
{
    AUTO_FREE(char *, holder);
    AUTO_BUF(text, 512);

    text_address(&text, host, listener->port);
    if (failed == EADDRINUSE) {
        holder = forward_at(listener, host);
        if (!holder)
            holder = holder_of_address(address);
        (void)err_set(e, ERR_UNREACHABLE, "%s is taken%s%s", buf_str(&text), holder ? " by " : "",
                      holder ? holder : "");
    } else {
        (void)err_set(e, ERR_UNREACHABLE, "%s: %s", buf_str(&text),
                      failed == EADDRNOTAVAIL ? "not an address of this machine" : strerror(failed));
    }
    return err_hint(e, "--listen 0 takes a free port");
}

static int check_address(const struct wanted_listener *listener, const char *host, bool optional,
                         struct err *e)
{
    struct addrinfo *address = numeric(host, listener->port);
    AUTO_FD(fd);
    int on = 1, failed = 0;

    if (!address)
        return 0;
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) < 0)
        failed = errno;
    if (optional && (failed == EADDRNOTAVAIL || failed == EAFNOSUPPORT))
        failed = 0;
    int result = failed ? explain_bind(listener, host, address->ai_addr, failed, e) : 0;
    freeaddrinfo(address);
    return result;
}

/* Checks that the port is free by binding it as the keeper will. Another process may still take it before the
 * keeper does, which the keeper then reports. */
static int check_port(const struct wanted_listener *listener, struct err *e)
{
    if (!text_equal(listener->host, KEEPER_LOCALHOST))
        return check_address(listener, listener->host, false, e);
    return check_address(listener, "127.0.0.1", false, e) < 0 ? -1 : check_address(listener, "::1", true, e);
}

/* Removes the socket if it was left by a forward that has ended; fails if it is anything else. */
static int check_path(const struct wanted_listener *listener, struct err *e)
{
    AUTO_FREE(char *, holder);
    struct stat st;

    if (lstat(listener->path, &st) < 0)
        return 0;
    if (S_ISSOCK(st.st_mode) && st.st_uid == geteuid() && socket_try(listener->path) == ECONNREFUSED &&
        unlink(listener->path) == 0)
        return 0;
    holder = forward_at(listener, NULL);
    if (holder)
        (void)err_set(e, ERR_UNREACHABLE, "%s is taken by %s", listener->path, holder);
    else
        (void)err_set(e, ERR_UNREACHABLE, "%s exists already", listener->path);
    return err_hint(e, "use another path, or --listen 0 for a free port");
}

static int take_route(const struct session *s, const char *name, struct route *route, struct forward *out)
{
    struct local_address *listener = &route->listener[0];

    out->name = mem_strdup(name);
    out->host = mem_strdup(listener->host);
    out->socket = mem_strdup(listener->path);
    out->port = listener->port;
    out->makes_tls = listener->kind != LISTENER_BYTES;
    out->logs_in = listener->kind == LISTENER_LOGIN;
    out->user = mem_strdup(!out->logs_in ? NULL : s->plan.conn.user ? s->plan.conn.user : ROUTE_ANY_USER);
    out->password = route->password;
    route->password = NULL;
    out->endpoint_host = mem_strdup(s->plan.conn.socket ? NULL : s->plan.conn.host);
    out->endpoint_socket = mem_strdup(s->plan.conn.socket);
    out->endpoint_port = s->plan.conn.socket ? 0 : s->plan.conn.port;
    out->pid = route->pid;
    out->up = true;
    out->started = time(NULL);
    out->channel = fd_take(&route->channel);
    return 0;
}

static int start(struct session *s, const struct forward_wanted *want, const struct wanted_listener *listener,
                 struct route_request *request, struct forward *out, struct err *e)
{
    __attribute__((cleanup(route_release))) struct route route = ROUTE_INIT;

    if ((listener->path ? check_path(listener, e) : check_port(listener, e)) < 0)
        return -1;
    request->listener[0] = (struct local_address){
        .kind = want->inject                            ? LISTENER_LOGIN
                : listener->path || want->terminate_tls ? LISTENER_TLS
                                                        : LISTENER_BYTES,
        .path = listener->path,
        .host = listener->host,
        .port = (unsigned)listener->port,
    };
    request->listeners = 1;
    if ((want->inject && session_sign_in(s, e) < 0) ||
        route_open(&s->profile, &s->plan, request, s->deadline, &route, e) < 0 ||
        (want->inject && session_get_credential(s, &route, e) < 0))
        return -1;
    /* The keeper has the credential now. This process may run for a long time, so its copy is wiped. */
    credential_release(&s->credential);
    return take_route(s, request->name, &route, out);
}

int forward_check(const struct session *s, const struct forward_wanted *want, struct err *e)
{
    AUTO_LISTENER(listener);

    if (listener_parse(want, &listener, e) < 0 || check_inject(want, &listener, e) < 0)
        return -1;
    return check_tls(s, want, &listener, e);
}

int forward_open(struct session *s, const struct forward_wanted *want, struct forward *out, struct err *e)
{
    const char *name = s->profile.name ? s->profile.name : s->plan.endpoint;
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, lock_name);
    AUTO_FREE(char *, digest);
    AUTO_LISTENER(listener);
    AUTO_LOCK(lock);

    if (listener_parse(want, &listener, e) < 0 || check_inject(want, &listener, e) < 0 ||
        check_tls(s, want, &listener, e) < 0 || control_place(name, &path, &lock_name, e) < 0 ||
        file_lock_for(lock_name, "another broker process that opens the same forward", s->deadline, &lock,
                      e) < 0)
        return -1;
    digest = digest_of(s, listener.path || want->terminate_tls || want->inject, want->inject);
    int found = forward_find(name, out, e);
    if (found > 0) {
        out->running = true;
        return check_running(out, want, &listener, digest, e);
    }
    struct route_request request = {
        .lasts = true,
        .detached = want->detach,
        .name = name,
        .control = path,
        .log = want->log,
        .digest = digest,
        .drain_ms = want->drain_ms,
    };
    /* While the lock is held, a socket that does not answer belongs to a keeper that has ended. */
    if (found == 0)
        (void)unlink(path);
    return found < 0 ? -1 : start(s, want, &listener, &request, out, e);
}
