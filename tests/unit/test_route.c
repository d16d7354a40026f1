/* SPDX-License-Identifier: MIT */
/*
 * The protocol between broker and a keeper. The keeper is this program itself, linked as broker-keeper into
 * the folder of the helpers. The profile's name tells it how to behave, and it returns what it observes as
 * the text of the route. Questions that a user answers need a terminal: tests/cli tests them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/proc.h>
#include <base/tty.h>

#include "../../src/session/route.h"
#include "plan_fixture.h"

/* --- the keeper's side */

static int answer(struct record *r)
{
    struct err e = ERR_INIT;

    return record_write(STDOUT_FILENO, r, CLOCK_NEVER, &e);
}

/* Answers READY with the listeners of the request; the free port is 4000. */
static int ready(const struct record *open, const char *text)
{
    AUTO_RECORD(ok);
    struct err e = ERR_INIT;
    struct field f;
    size_t offset = 0;

    ok.kind = RECORD_OK;
    record_put_u64(&ok, KEEPER_TAG_PID, (uint64_t)getpid());
    record_put_str(&ok, KEEPER_TAG_ROUTE, text);
    while (record_next(open, &offset, &f, &e) > 0) {
        AUTO_FREE(char *, listener);
        if (f.tag != KEEPER_TAG_LISTENER)
            continue;
        listener = mem_strndup(f.bytes, f.len);
        if (text_equal(listener + 1, "0 127.0.0.1")) {
            AUTO_FREE(char *, got);
            got = mem_printf("%c4000 127.0.0.1", *listener);
            record_put_str(&ok, KEEPER_TAG_LISTENER, got);
        } else {
            record_put_str(&ok, KEEPER_TAG_LISTENER, listener);
        }
    }
    return answer(&ok);
}

/* Describes the request, one field per line. */
static void describe_open(const struct record *open, struct buf *out)
{
    struct err e = ERR_INIT;
    struct field f;
    size_t offset = 0;

    while (record_next(open, &offset, &f, &e) > 0) {
        bool text = f.tag == KEEPER_TAG_HOST || f.tag == KEEPER_TAG_SOCKET || f.tag == KEEPER_TAG_LISTENER ||
                    f.tag == KEEPER_TAG_TUNNEL ||
                    (f.tag >= KEEPER_TAG_TLS_NAME && f.tag <= KEEPER_TAG_TLS_VERSION);
        if (text)
            buf_printf(out, "%.*s\n", (int)f.len, f.bytes);
    }
    buf_printf(out, "port %d, tls %d, timeout %d, deadline %s, first %s\n",
               (int)record_u64(open, KEEPER_TAG_PORT, 0), (int)record_u64(open, KEEPER_TAG_TLS, 9),
               (int)record_u64(open, KEEPER_TAG_CONNECT_TIMEOUT, 0),
               record_find(open, KEEPER_TAG_DEADLINE, &f) ? "yes" : "no",
               record_find(open, KEEPER_TAG_FIRST, &f) ? "yes" : "no");
}

/* Describes the other fields for a keeper that logs in: keys that are set, flags, and the clients' login. */
static void describe_login(const struct record *open, struct buf *out)
{
    static const struct {
        uint8_t tag;
        const char *name;
    } flags[] = {{KEEPER_TAG_LOCAL_INFILE, "local_infile"},
                 {KEEPER_TAG_SERVER_PUBLIC_KEY, "server_public_key"},
                 {KEEPER_TAG_OWN_SOCKET, "own_socket"},
                 {KEEPER_TAG_STOCK_CLIENT, "stock_client"},
                 {KEEPER_TAG_REVOKE, "revoke"}};
    struct err e = ERR_INIT;
    struct field f;
    size_t offset = 0, keys = 0;
    AUTO_FREE(char *, user);
    AUTO_FREE(char *, broker);
    AUTO_SECRET(password);

    while (record_next(open, &offset, &f, &e) > 0) {
        bool is_key = f.tag == KEEPER_TAG_KEY, is_empty = is_key && f.bytes[f.len - 1] == '=';
        keys += is_key && !text_starts(f.bytes, "profile=");
        if (f.tag == KEEPER_TAG_LISTENER || (is_key && !is_empty))
            buf_printf(out, "%.*s\n", (int)f.len, f.bytes);
    }
    buf_printf(out, "%s, tls %d",
               keys == KEY_COUNT                  ? "every key"
               : keys == KEY_COUNT + TUNNEL_COUNT ? "every key, and the tunnel's"
                                                  : "some keys",
               (int)record_u64(open, KEEPER_TAG_TLS, 9));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (record_find(open, flags[i].tag, &f))
            buf_printf(out, " %s", flags[i].name);
    }
    user = record_str(open, KEEPER_TAG_USER);
    broker = record_str(open, KEEPER_TAG_BROKER);
    password = record_secret(open, KEEPER_TAG_SECRET);
    buf_printf(out, ", %s, user %s, %zu digits\n",
               broker && *broker == '/' && text_ends(broker, "/broker") ? "/broker" : "no broker", user,
               password ? secret_len(password) : 0);
}

/* Accepts credentials, and lists them in the error that answers the end of a mark. Refuses the password
 * "bad"; answers "odd" with another kind of record, and "garbage" with no record. */
static int take_credentials(void)
{
    AUTO_BUF(text, 4096);

    for (;;) {
        AUTO_RECORD(got);
        AUTO_RECORD(ok);
        AUTO_FREE(char *, user);
        AUTO_SECRET(password);
        struct field f;
        struct err e = ERR_INIT;
        if (record_read(STDIN_FILENO, &got, CLOCK_NEVER, &e) <= 0)
            return 0;
        ok.kind = RECORD_OK;
        if (got.kind == KEEPER_CREDENTIAL) {
            user = record_str(&got, KEEPER_TAG_USER);
            password = record_secret(&got, KEEPER_TAG_SECRET);
            buf_printf(&text, "%s %s %d %d %s;", user ? user : "-", secret_bytes(password),
                       (int)record_u64(&got, KEEPER_TAG_EXPIRES, 0),
                       (int)record_u64(&got, KEEPER_TAG_MADE, 0),
                       record_find(&got, KEEPER_TAG_STATIC, &f) ? "static" : "fresh");
            if (text_equal(secret_bytes(password), "bad"))
                (void)err_set(&e, ERR_REFUSED, "no such password");
            if (text_equal(secret_bytes(password), "odd"))
                ok.kind = KEEPER_STATUS;
            if (text_equal(secret_bytes(password), "garbage"))
                return write(STDOUT_FILENO, "SSH-2.0-OpenSSH\r\n", 17) != 17;
        } else if (!record_find(&got, KEEPER_TAG_TEXT, &f)) {
            (void)err_set(&e, ERR_REFUSED, "%s", buf_str(&text));
        }
        if (e.msg[0])
            record_put_error(&ok, &e);
        if (answer(&ok) < 0)
            return 1;
    }
}

/* Describes what a keeper must not inherit: descriptors, a terminal, secrets in its environment. */
static void describe_self(struct buf *out)
{
    char null[16] = "";
    DIR *dir = opendir("/proc/self/fd");

    buf_puts(out, "fds");
    for (int fd = 0; fd < 64; fd++) {
        if (fd != dirfd(dir) && fcntl(fd, F_GETFD) >= 0)
            buf_printf(out, " %d", fd);
    }
    (void)closedir(dir);
    (void)!readlink("/proc/self/fd/2", null, sizeof null - 1);
    buf_printf(out, ", stderr %s", null);
    buf_printf(out, ", %s", getsid(0) == getpgrp() && !tty_present() ? "a session" : "no session");
    for (char **entry = environ; *entry; entry++) {
        if (strstr(*entry, "hunter2"))
            buf_printf(out, ", %s", *entry);
    }
    buf_printf(out, ", config %s", secure_getenv("BROKER_CONFIG") ? "kept" : "lost");
}

/* Asks for the tunnel's password until the answer is an error. Returns the answers as text. */
static void ask_for_all(struct buf *out)
{
    for (bool again = false;; again = true) {
        AUTO_RECORD(ask);
        AUTO_RECORD(got);
        AUTO_SECRET(value);
        struct err e = ERR_INIT;
        struct field person;

        ask.kind = KEEPER_ASK;
        record_put_u64(&ask, KEEPER_TAG_KIND, KEEPER_ASK_PASSWORD);
        record_put_str(&ask, KEEPER_TAG_TEXT, "me@jump's password: ");
        if (again)
            record_put(&ask, KEEPER_TAG_AGAIN, "", 0);
        if (answer(&ask) < 0 || record_read(STDIN_FILENO, &got, CLOCK_NEVER, &e) <= 0)
            return;
        if (got.kind == RECORD_ERROR) {
            (void)record_error(&got, &e);
            error_text(&e, out);
            return;
        }
        value = record_secret(&got, KEEPER_TAG_SECRET);
        buf_printf(out, "%s%s\n", secret_bytes(value),
                   record_find(&got, KEEPER_TAG_PERSON, &person) ? ", by the user" : "");
    }
}

/* Asks one question that only the user can answer. Returns the error that comes instead as text. */
static void ask_user(enum keeper_question kind, const char *text, struct buf *out)
{
    AUTO_RECORD(ask);
    AUTO_RECORD(got);
    struct err e = ERR_INIT;

    ask.kind = KEEPER_ASK;
    record_put_u64(&ask, KEEPER_TAG_KIND, kind);
    record_put_str(&ask, KEEPER_TAG_TEXT, text);
    if (answer(&ask) < 0 || record_read(STDIN_FILENO, &got, CLOCK_NEVER, &e) <= 0)
        return;
    (void)record_error(&got, &e);
    buf_puts(out, e.detail);
    error_text(&e, out);
}

static void say(enum log_level level, const char *hop, const char *text)
{
    AUTO_RECORD(said);

    said.kind = KEEPER_SAY;
    record_put_u64(&said, KEEPER_TAG_LEVEL, level);
    record_put_str(&said, KEEPER_TAG_HOP, hop);
    record_put_str(&said, KEEPER_TAG_TEXT, text);
    (void)answer(&said);
}

static int fail_badly(const char *how)
{
    AUTO_RECORD(r);
    struct err e = ERR_INIT;

    if (text_equal(how, "refuses")) {
        (void)err_set(&e, ERR_REFUSED, "me@jump: Permission denied (publickey)");
        (void)err_hint(&e, "make ssh me@jump work");
        record_put_error(&r, &e);
        (void)answer(&r);
    } else if (text_equal(how, "garbage")) {
        (void)!write(STDOUT_FILENO, "SSH-2.0-OpenSSH\r\n", 17);
    } else if (text_equal(how, "kind")) {
        r.kind = KEEPER_STATUS;
        (void)answer(&r);
    } else if (text_equal(how, "no-listeners")) {
        r.kind = RECORD_OK;
        (void)answer(&r);
    } else if (text_equal(how, "no-answer")) {
        struct pollfd channel = {.fd = STDIN_FILENO}; /* waits only for its end */
        (void)poll(&channel, 1, 60000);
    }
    return 1;
}

/* Waits until the process for which the keeper runs has ended. */
static int live(void)
{
    struct pollfd p = {.fd = KEEPER_LIVES_FOR_FD, .events = POLLIN};

    (void)poll(&p, 1, 60000);
    return 0;
}

static int keeper_main(void)
{
    AUTO_RECORD(open);
    AUTO_BUF(text, 65536);
    AUTO_FREE(char *, how);
    struct err e = ERR_INIT;

    if (record_read(STDIN_FILENO, &open, CLOCK_NEVER, &e) <= 0 || open.kind != KEEPER_OPEN)
        return 1;
    how = record_str(&open, KEEPER_TAG_LABEL);
    if (text_equal(how, "open"))
        describe_open(&open, &text);
    else if (text_equal(how, "login"))
        describe_login(&open, &text);
    else if (text_equal(how, "self"))
        describe_self(&text);
    else if (text_equal(how, "password"))
        ask_for_all(&text);
    else if (text_equal(how, "phrase"))
        ask_user(KEEPER_ASK_SECRET, "Enter passphrase for key '/k': ", &text);
    else if (text_equal(how, "hostkey"))
        ask_user(KEEPER_ASK_YES,
                 "The authenticity of host 'b' can't be established.\nED25519 key fingerprint is X.\n"
                 "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
                 &text);
    else if (!text_equal(how, "says") && !text_equal(how, "lives") && !text_equal(how, "takes"))
        return fail_badly(how);
    if (text_equal(how, "says")) {
        say(LOG_STEP, "ssh", "keys met");
        say(LOG_TRACE, NULL, "not wanted");
        say(LOG_WARNING, "fix it", "careful");
    }
    if (ready(&open, buf_str(&text)) < 0)
        return 1;
    return text_equal(how, "takes") ? take_credentials() : live();
}

/* --- broker's side */

static int set_up(void **state)
{
    AUTO_FREE(char *, here);
    AUTO_FREE(char *, self);
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;

    (void)state;
    tty_forbid_input("--no-input");
    here = proc_self_dir();
    self = mem_printf("%s/test_route", here);
    folder = mem_printf("%s/../libexec/broker", here);
    path = mem_printf("%s/broker-keeper", folder);
    if (file_mkdirs(folder, &e) < 0 || (unlink(path) < 0 && errno != ENOENT))
        return -1;
    return symlink(self, path);
}

struct opened {
    struct made made;
    struct route route;
};

static void opened_release(struct opened *o)
{
    if (o->route.pid > 0)
        (void)kill((pid_t)o->route.pid, SIGKILL);
    route_release(&o->route);
    made_release(&o->made);
}
#define AUTO_OPENED(name) __attribute__((cleanup(opened_release))) struct opened name = {.route = ROUTE_INIT}

static int open_profile(const char *config, const char *where, struct route_request *want, int64_t deadline,
                        struct opened *o, struct err *e)
{
    static const struct facts facts = FACTS_MARIADB;
    struct local_address listener = {.kind = LISTENER_TLS, .path = TEXT("/run/x.sock")};

    assert_int_equal(derive_text(config, where, NULL, 0, &o->made, e), 0);
    assert_int_equal(plan_make(&o->made.profile, &facts, FOR_CLIENT, &o->made.plan, e), 0);
    if (want->listeners == 0)
        want->listener[want->listeners++] = listener;
    return route_open(&o->made.profile, &o->made.plan, want, deadline, &o->route, e);
}

static void open_ok(const char *config, const char *where, struct route_request *want, struct opened *o)
{
    struct err e = ERR_INIT;

    if (open_profile(config, where, want, CLOCK_NEVER, o, &e) < 0)
        fail_msg("%d: %s", (int)e.code, e.msg);
}

#define DB "host = db.example.com\nport = 3307\nuser = app\nauth = none\n"

static void fields_of_an_open_request(void **state)
{
    AUTO_OPENED(tcp);
    AUTO_OPENED(direct);
    AUTO_OPENED(command);
    struct route_request one = {.first = true};
    struct route_request two = {
        .listener = {{.kind = LISTENER_TLS, .path = TEXT("/run/x.sock")},
                     {.kind = LISTENER_OURS, .host = TEXT("127.0.0.1")}},
        .listeners = 2,
    };
    struct route_request three = {.listeners = 0};

    (void)state;
    open_ok("[profile open]\n" DB "via = t\ntls = verify-identity\ntls_ca = /ca\ntls_cert = /c\n"
            "[tunnel t]\ntype = tcp\naddress = 13306\n",
            "open", &one, &tcp);
    assert_string_equal(
        tcp.route.text,
        "db.example.com\nt/run/x.sock\ndb.example.com\n/ca\n/c\nTLSv1.2,TLSv1.3\nname=t\ntype=tcp\n"
        "ssh_engine=auto\nkeepalive=60000\naddress=13306 127.0.0.1\n"
        "port 3307, tls 4, timeout 10000, deadline no, first yes\n");
    assert_string_equal(tcp.route.listener[0].path, "/run/x.sock");
    open_ok("[profile open]\n" DB "tls = required\nconnect_timeout = 3s\n", "open", &two, &direct);
    assert_string_equal(
        direct.route.text,
        "db.example.com\nt/run/x.sock\no0 127.0.0.1\ndb.example.com\nTLSv1.2,TLSv1.3\ntype=direct\n"
        "port 3307, tls 2, timeout 3000, deadline no, first no\n");
    assert_int_equal(direct.route.listeners, 2);
    assert_string_equal(direct.route.listener[1].host, "127.0.0.1");
    assert_int_equal(direct.route.listener[1].port, 4000);
    open_ok("[profile open]\n" DB "tls = verify-ca\ntls_ca = /ca\nvia = t\n[tunnel t]\ntype = command\n"
            "command = run {host} 'a b' {socket}\nready = up\nconnect_timeout = 1m\n",
            "open", &three, &command);
    assert_string_equal(
        command.route.text,
        "db.example.com\nt/run/x.sock\ndb.example.com\n/ca\nTLSv1.2,TLSv1.3\nname=t\ntype=command\n"
        "ssh_engine=auto\nkeepalive=60000\nconnect_timeout=60000\ncommand=run {host} 'a b' {socket}\n"
        "ready=up\nport 3307, tls 3, timeout 10000, deadline no, first no\n");
}

#define LOGIN_LISTENER(place)                                                                                \
    {                                                                                                        \
        .kind = LISTENER_LOGIN, place                                                                        \
    }

/* The keeper gets all keys but no secret: no password of a URL or of the environment. */
static void fields_for_a_keeper_that_logs_in(void **state)
{
    AUTO_OPENED(client);
    AUTO_OPENED(program);
    AUTO_OPENED(forward);
    AUTO_OPENED(url);
    struct route_request by_path = {.listener = {LOGIN_LISTENER(.path = TEXT("/run/x.sock"))},
                                    .listeners = 1};
    struct route_request both = {
        .listener = {LOGIN_LISTENER(.path = TEXT("/run/x.sock")), LOGIN_LISTENER(.host = TEXT("127.0.0.1"))},
        .listeners = 2};
    struct route_request named = {.listener = {LOGIN_LISTENER(.path = TEXT("/run/y.sock"))},
                                  .listeners = 1,
                                  .name = "login",
                                  .control = "/c"};
    struct route_request of_url = {.listener = {LOGIN_LISTENER(.path = TEXT("/run/x.sock"))}, .listeners = 1};

    (void)state;
    open_ok("[profile base]\nregion = eu-west-1\n"
            "[profile login]\ninherits = base\nhost = db.example.com\nuser = app\nauth = iam\n"
            "local_infile = yes\n",
            "login", &by_path, &client);
    assert_string_equal(client.route.text,
                        "l/run/x.sock\nprofile=login\nhost=db.example.com\nuser=app\nauth=iam\n"
                        "local_infile=yes\nregion=eu-west-1\n"
                        "every key, tls 4 local_infile stock_client, /broker, user app, 0 digits\n");
    assert_null(client.route.password);
    assert_int_equal(secret_len(client.route.nothing), 0);
    open_ok("[profile login]\nhost = db\nauth = vault\nvault_addr = https://v\nvault_path = p\n"
            "vault_revoke = yes\ntls = disabled\nserver_public_key = yes\nvia = b\n"
            "[tunnel b]\ntype = ssh\nhost = jump\n",
            "login", &both, &program);
    assert_string_equal(
        program.route.text,
        "l/run/x.sock\nl0 127.0.0.1\nprofile=login\nhost=db\nauth=vault\nvia=b\n"
        "tls=disabled\nserver_public_key=yes\nvault_addr=https://v\nvault_path=p\n"
        "vault_revoke=yes\ntunnel.type=ssh\ntunnel.host=jump\nevery key, and the tunnel's, tls 0 "
        "server_public_key stock_client revoke, /broker, user broker, 32 digits\n");
    open_ok("[profile login]\nsocket = /s\nuser = app\nlogin = keeper\n", "login", &named, &forward);
    assert_string_equal(forward.route.text,
                        "l/run/y.sock\nprofile=login\nsocket=/s\nuser=app\nlogin=keeper\n"
                        "every key, tls 0 own_socket stock_client, /broker, user app, 32 digits\n");
    /* Each run has a new password. */
    assert_int_equal(secret_len(forward.route.password), 32);
    assert_false(secret_equal(forward.route.password, program.route.password));
    open_ok("", "mysql://app:hunter2@login/?ssh_host=jump&ssh_password=hunter2", &of_url, &url);
    assert_null(strstr(url.route.text, "hunter2"));
    assert_non_null(strstr(url.route.text, "\nhost=login\n"));
    assert_non_null(strstr(url.route.text, "\ntunnel.host=jump\n"));
    assert_null(strstr(url.route.text, "profile="));
}

static void the_credential_is_sent(void **state)
{
    AUTO_OPENED(o);
    AUTO_CREDENTIAL(typed);
    AUTO_CREDENTIAL(lease);
    AUTO_CREDENTIAL(bad);
    struct route_request want = {.listener = {LOGIN_LISTENER(.path = TEXT("/run/x.sock"))}, .listeners = 1};
    struct err e = ERR_INIT;

    (void)state;
    open_ok("[profile takes]\n" DB, "takes", &want, &o);
    typed.password = secret_from("hunter2", 7);
    lease.user = mem_strdup("v-1");
    lease.password = secret_from("s3cret", 6);
    lease.expires_at = 1795244400;
    lease.made_at = 1795240000;
    bad.password = secret_from("bad", 3);
    assert_int_equal(route_credential(&o.route, &typed, true, &e), 0);
    assert_int_equal(route_credential(&o.route, &lease, false, &e), 0);
    assert_int_equal(route_credential(&o.route, &bad, true, &e), -1);
    assert_int_equal(e.code, ERR_REFUSED);
    assert_string_equal(e.msg, "no such password");
    assert_int_equal(route_unmark(&o.route, &e), -1);
    assert_string_equal(e.msg,
                        "- hunter2 0 0 static;v-1 s3cret 1795244400 1795240000 fresh;- bad 0 0 static;");
}

/* Answers to a credential that are errors of the keeper; "killed" gets none. */
static void wrong_answers_to_a_credential(void **state)
{
    static const struct {
        const char *password, *msg;
    } rows[] = {{"odd", "broker-keeper: a record of kind 20"},
                {"garbage", "broker-keeper: not a record"},
                {"killed", "broker-keeper: exited without an answer"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_OPENED(o);
        AUTO_CREDENTIAL(given);
        struct route_request want = {.listener = {LOGIN_LISTENER(.path = TEXT("/run/x.sock"))},
                                     .listeners = 1};
        struct err e = ERR_INIT;
        open_ok("[profile takes]\n" DB, "takes", &want, &o);
        if (text_equal(rows[i].password, "killed"))
            (void)kill((pid_t)o.route.pid, SIGKILL);
        given.password = secret_from(rows[i].password, strlen(rows[i].password));
        assert_int_equal(route_credential(&o.route, &given, true, &e), -1);
        assert_int_equal(e.code, ERR_PROTOCOL);
        assert_string_equal(e.msg, rows[i].msg);
    }
}

/* The keeper inherits neither our descriptors nor the variables of the environment that hold secrets. */
static void what_a_keeper_inherits(void **state)
{
    static const char *const names[] = {"MYSQL_PWD", "BROKER_PROFILE", "BROKER_DATABASE", "PW"};
    AUTO_OPENED(plain);
    AUTO_OPENED(alone);
    struct route_request want = {.listeners = 0}, detached = {.detached = true};
    int extra = open("/dev/null", O_RDONLY), pipes[2];

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(setenv(names[i], "hunter2", 1), 0);
    open_ok("[profile self]\nhost = db\nuser = a\nauth = env\nauth_env = PW\n", "self", &want, &plain);
    open_ok("[profile self]\nhost = db\nuser = a\nauth = none\n", "self", &detached, &alone);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
    assert_string_equal(plain.route.text, "fds 0 1 2 3, stderr /dev/null, a session, config kept");
    assert_string_equal(alone.route.text, "fds 0 1 2, stderr /dev/null, a session, PW=hunter2, config kept");
    assert_int_equal(fcntl(plain.route.channel, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    /* The keepers are not our children. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    (void)close(extra);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

#define JUMP "host = db\nuser = app\nauth = none\n"

/* Each password is used once; then the keeper gets an error, because no user can be asked. */
static void each_password_is_used_once(void **state)
{
    static const struct {
        const char *config, *where, *text;
    } cases[] = {
        {"[profile password]\n" JUMP "via = tcp://127.0.0.1:1\n", "password",
         "79: no stored password for the tunnel\nhint: run it on a terminal, or set BROKER_ASKPASS\n"},
        {"[profile password]\n" JUMP "via = b\n[tunnel b]\ntype = ssh\nhost = jump\nuser = me\n", "password",
         "79: no stored password for me@jump\nhint: broker password set --tunnel b\n"},
        {"", "mysql://app@password/?auth=none&ssh_host=jump&ssh_user=me&ssh_password=hunter2",
         "hunter2\n77: the password of me@jump was refused\n"
         "hint: run it on a terminal, or set BROKER_ASKPASS\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_OPENED(o);
        struct route_request want = {.listeners = 0};
        open_ok(cases[i].config, cases[i].where, &want, &o);
        assert_string_equal(o.route.text, cases[i].text);
    }
}

static void questions_without_a_terminal(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"phrase", "79: cannot ask without a terminal: Enter passphrase for key '/k'\n"
                   "hint: run it on a terminal, or set BROKER_ASKPASS\n"},
        {"hostkey", "ED25519 key fingerprint is X.\n"
                    "79: cannot ask without a terminal: The authenticity of host 'b' can't be established\n"
                    "hint: broker connect hostkey, on a terminal\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_OPENED(o);
        AUTO_FREE(char *, config);
        struct route_request want = {.listeners = 0};
        config = mem_printf("[profile %s]\n" JUMP, cases[i].name);
        open_ok(config, cases[i].name, &want, &o);
        assert_string_equal(o.route.text, cases[i].text);
    }
}

static struct buf logged = BUF_INIT(4096);

static void keep_log(enum log_level level, const char *label, const char *text)
{
    buf_printf(&logged, "%d %s %s\n", (int)level, label ? label : "-", text);
}

static void log_lines_of_the_keeper_are_passed_on(void **state)
{
    AUTO_OPENED(o);
    struct route_request want = {.listeners = 0};

    (void)state;
    log_set_sink(keep_log, LOG_STEP);
    open_ok("[profile says]\n" JUMP, "says", &want, &o);
    log_set_sink(NULL, LOG_SAY);
    assert_non_null(strstr(buf_str(&logged), "3 ssh keys met\n"));
    assert_non_null(strstr(buf_str(&logged), "1 fix it careful\n"));
    assert_null(strstr(buf_str(&logged), "not wanted"));
    buf_release(&logged);
}

static void errors_of_a_keeper_that_misbehaves(void **state)
{
    static const struct {
        const char *name;
        enum err_code code;
        const char *msg, *hint;
    } bad[] = {
        {"refuses", ERR_REFUSED, "me@jump: Permission denied (publickey)", "make ssh me@jump work"},
        {"dies", ERR_PROTOCOL, "broker-keeper: exited without an answer",
         "please report this, with the output of broker bugreport"},
        {"garbage", ERR_PROTOCOL, "broker-keeper: not a record", ""},
        {"kind", ERR_PROTOCOL, "broker-keeper: a record of kind 20", ""},
        {"no-listeners", ERR_PROTOCOL, "broker-keeper: 0 local addresses instead of 1", ""},
        {"no-answer", ERR_UNREACHABLE, "broker-keeper: no answer in time", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO_OPENED(o);
        AUTO_FREE(char *, config);
        struct route_request want = {.listeners = 0};
        struct err e = ERR_INIT;
        int64_t start = clock_ms();

        config = mem_printf("[profile %s]\n" JUMP, bad[i].name);
        int64_t deadline =
            text_equal(bad[i].name, "no-answer") ? clock_deadline(100, CLOCK_NEVER) : CLOCK_NEVER;
        assert_int_equal(open_profile(config, bad[i].name, &want, deadline, &o, &e), -1);
        assert_int_equal(e.code, bad[i].code);
        assert_string_equal(e.msg, bad[i].msg);
        assert_string_equal(e.hint, bad[i].hint);
        assert_int_equal(o.route.channel, -1);
        assert_in_range(clock_ms() - start, 0, 20000);
    }
}

static void a_missing_keeper_is_an_error(void **state)
{
    AUTO_OPENED(o);
    AUTO_FREE(char *, here);
    AUTO_FREE(char *, path);
    struct route_request want = {.listeners = 0};
    struct err e = ERR_INIT;

    here = proc_self_dir();
    path = mem_printf("%s/../libexec/broker/broker-keeper", here);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_profile("[profile lives]\n" JUMP, "lives", &want, CLOCK_NEVER, &o, &e), -1);
    assert_int_equal(set_up(state), 0);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_non_null(strstr(e.msg, "broker-keeper: No such file"));
    assert_string_equal(e.hint, "install all of broker: make install");
}

static bool is_gone(pid_t pid, int64_t until)
{
    while (kill(pid, 0) == 0) {
        if (clock_left(until) == 0)
            return false;
        (void)poll(NULL, 0, 5);
    }
    return true;
}

/* The keeper continues if our process execs another program, and ends when our process ends. */
static void the_keeper_ends_with_our_process(void **state)
{
    int pid_pipe[2], go[2];
    pid_t keeper = 0;
    char byte;

    (void)state;
    assert_int_equal(pipe(pid_pipe), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        struct opened o = {.route = ROUTE_INIT};
        struct route_request want = {.listeners = 0};
        char script[64];
        open_ok("[profile lives]\n" JUMP, "lives", &want, &o);
        pid_t pid = (pid_t)o.route.pid;
        (void)!write(pid_pipe[1], &pid, sizeof pid);
        (void)snprintf(script, sizeof script, "read x <&%d", go[0]);
        (void)close(go[1]);
        (void)execl("/bin/sh", "sh", "-c", script, NULL);
        _exit(1);
    }
    (void)close(go[0]);
    assert_int_equal(read(pid_pipe[0], &keeper, sizeof keeper), sizeof keeper);
    assert_false(is_gone(keeper, clock_deadline(100, CLOCK_NEVER)));
    byte = '\n';
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(is_gone(keeper, clock_deadline(20000, CLOCK_NEVER)));
    (void)close(go[1]);
    (void)close(pid_pipe[0]);
    (void)close(pid_pipe[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_for_a_keeper_that_logs_in),
        cmocka_unit_test(the_credential_is_sent),
        cmocka_unit_test(wrong_answers_to_a_credential),
        cmocka_unit_test(fields_of_an_open_request),
        cmocka_unit_test(what_a_keeper_inherits),
        cmocka_unit_test(each_password_is_used_once),
        cmocka_unit_test(questions_without_a_terminal),
        cmocka_unit_test(log_lines_of_the_keeper_are_passed_on),
        cmocka_unit_test(errors_of_a_keeper_that_misbehaves),
        cmocka_unit_test(a_missing_keeper_is_an_error),
        cmocka_unit_test(the_keeper_ends_with_our_process),
    };
    const char *name = argc > 0 && strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : "";

    if (text_equal(name, "broker-keeper"))
        return keeper_main();
    return cmocka_run_group_tests_name("route", tests, set_up, NULL);
}
