/* SPDX-License-Identifier: MIT */
/* Logs in once with the MySQL client, for `test` and before a typed password is stored, so that exactly what
 * will be used is tested. Sends a query for one row about the session, and nothing else. */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/memfd.h>

#include "launch.h"
#include "server_error.h"
#include "walk.h"
#include "route.h"

#define QUERY "select version(), user(); show session status like 'Ssl_cipher'"
#define ANSWER_MAX 65536
#define CLIENT_TLS_ERROR 2026
#define CLIENT_LOST 2013

void probe_release(struct probe *p)
{
    free(p->version);
    free(p->user);
    free(p->tls_cipher);
    *p = (struct probe){0};
}

static char *clean(const char *s, size_t n)
{
    AUTO_BUF(text, 4096);

    text_sanitise(&text, s, n);
    return buf_take(&text);
}

/*
 * Parses "VERSION \t USER
 *  Ssl_cipher \t CIPHER
 * ".
 */
static int parse_answer(const char *text, struct probe *out, struct err *e)
{
    size_t version = strcspn(text, "\t\n");
    const char *user = text[version] == '\t' ? text + version + 1 : NULL;
    const char *cipher = strstr(text, "\nSsl_cipher\t");

    if (!user)
        return err_set(e, ERR_PROTOCOL, "the client's answer is not one row");
    out->version = clean(text, version);
    out->user = clean(user, strcspn(user, "\t\n"));
    cipher = cipher ? cipher + sizeof "\nSsl_cipher\t" - 1 : "";
    size_t n = strcspn(cipher, "\t\n");
    out->tls_cipher = n ? clean(cipher, n) : NULL;
    return 0;
}

/* Returns the keeper's own error. Errors of the tunnel have no MySQL error number. */
static int retell(const struct session *s, const struct err *told, struct probe *out, struct err *e)
{
    err_copy(e, told);
    out->server_code = e->number;
    return server_error_of_route(&s->plan, e);
}

/* Returns true if the keeper's error explains why TLS failed: it has the reason, or an error that the server
 * sent before TLS. */
static bool explains_tls(unsigned number, const struct err *told)
{
    return text_starts(told->detail, SERVER_ERROR_BEFORE_TLS) ||
           (number == CLIENT_TLS_ERROR && (told->number == CLIENT_TLS_ERROR || told->code == ERR_CONFIG));
}

/* The clients say little about a failed TLS handshake, and each says it differently. So the login is tried
 * again through a keeper, and its error is used if it explains more. */
static void walk_tls(const struct session *s, probe_again *by_keeper, struct probe *out, struct err *e)
{
    AUTO_PROBE(again);
    struct err told = ERR_INIT;

    if (s->plan.keeper || s->plan.conn.socket || by_keeper(s, &again, &told) == 0 ||
        !explains_tls(out->server_code, &told))
        return;
    err_copy(e, &told);
    out->server_code = again.server_code ? again.server_code : out->server_code;
}

/* Matches "no answer in time", and the keeper's "no greeting within 10s". */
static bool is_silence(unsigned number, const struct err *e)
{
    return number == CLIENT_LOST && strstr(e->msg, ": no ");
}

static bool has_answered(unsigned number, const struct err *e)
{
    return number && !server_error_is_route(number) && !is_silence(number, e);
}

/* Returns true if the error may be about TLS. Some clients only report that the server closed the connection.
 */
static bool is_about_tls(const struct session *s, unsigned number, const struct err *e)
{
    if (number == CLIENT_LOST)
        return s->plan.conn.tls > TLS_DISABLED && !is_silence(number, e);
    return number == CLIENT_TLS_ERROR && !strstr(e->msg, "has no TLS");
}

static int explain(const struct session *s, probe_again *by_keeper, const struct proc_result *result,
                   struct probe *out, struct err *e)
{
    struct err walked = ERR_INIT;
    /* mysql prints only one message on stdout: that the password has expired. */
    const char *text = result->err.len ? buf_str(&result->err) : secret_bytes(result->out), *reason = NULL;
    int64_t deadline = clock_deadline(profile_ms(&s->profile, KEY_connect_timeout), s->deadline);

    if (!s->plan.keeper && server_error_is_route(server_error_number(text)))
        reason = route_walk(&s->plan.conn, true, deadline, &walked) < 0 ? walked.msg : "";
    out->server_code = server_error_explain(&s->plan, text, result->status, reason, e);
    if (is_about_tls(s, out->server_code, e))
        walk_tls(s, by_keeper, out, e);
    return -1;
}

/* Returns the time limit of a login. connect_timeout applies to the client's connection; with a keeper it is
 * multiplied by the number of hops. */
static int64_t probe_ms(const struct session *s)
{
    int64_t hop = profile_ms(&s->profile, KEY_connect_timeout);

    return hop + (s->plan.keeper ? 1000 * (int64_t)s->plan.conn.connect_timeout : hop);
}

/* Reports that the server, not the client, did not answer in time. */
static int late(const struct session *s, int64_t deadline, struct err *e)
{
    if (e->code != ERR_UNREACHABLE || clock_left(deadline) > 0)
        return -1;
    (void)err_set(e, ERR_UNREACHABLE, "%s: no answer in time", s->plan.endpoint);
    if (deadline == s->deadline)
        return err_hint(e, "--timeout ended the run: raise it, or check the server");
    return err_hint(e, "check that it is a MySQL server and does not wait for a PROXY header; if it is slow, "
                       "raise connect_timeout");
}

int probe_run(const struct session *s, probe_again *again, struct probe *out, struct err *e)
{
    AUTO_LAUNCH(launch);
    AUTO_PROC_RESULT(result);
    AUTO_FREE(char *, mark);
    struct err told = ERR_INIT;
    char *const args[] = {(char *)(uintptr_t) "--batch", (char *)(uintptr_t) "--skip-column-names",
                          (char *)(uintptr_t) "-e", (char *)(uintptr_t)QUERY, NULL};

    if (launch_prepare(s, args, &launch, e) < 0)
        return -1;
    struct proc_run run = {
        .argv = launch.argv.word,
        .env = &launch.env,
        .deadline = clock_deadline(probe_ms(s), s->deadline),
        .waiting_for = s->plan.endpoint,
        .wait_ms = profile_ms(&s->profile, KEY_connect_timeout),
        .max = ANSWER_MAX,
        .keep_fd = launch.option_fd,
    };
    if (s->route)
        route_mark(s->route, &mark);
    int captured = proc_capture(&run, &result, e);
    /* The mark is random. A server's text may imitate the keeper's errors, but the server cannot know the
     * mark. */
    bool by_keeper = mark && route_unmark(s->route, &told) < 0 && strstr(buf_str(&result.err), mark);
    if (captured < 0)
        return late(s, run.deadline, e);
    out->answered = true;
    if (result.status == 0)
        return parse_answer(secret_bytes(result.out), out, e);
    (void)(by_keeper ? retell(s, &told, out, e) : explain(s, again, &result, out, e));
    out->answered = has_answered(out->server_code, e);
    return -1;
}

int session_resolve(const struct session *s, struct err *e)
{
    int64_t deadline = clock_deadline(profile_ms(&s->profile, KEY_connect_timeout), s->deadline);

    if (route_walk(&s->plan.conn, false, deadline, e) == 0)
        return 0;
    (void)err_prefix(e, "%s", s->plan.conn.host);
    return err_hint(e, "check host; a name that only a bastion can resolve needs via");
}
