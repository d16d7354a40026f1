/* SPDX-License-Identifier: MIT */
/* broker test: tries every hop and reports which one fails. Prints a row when each hop ends; the first
 * failure is the error. */
#include "begin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>

#include "json.h"

struct row {
    const char *hop;
    bool ok;
    int64_t ms;
    char *detail;
};

/* Rows that are printed only after the login: on a direct route, only the login shows whether the server
 * answers. */
enum held { HELD_ROUTE, HELD_CREDENTIAL, HELD_COUNT };

struct report {
    json_t *hops; /* NULL: print rows as text instead */
    int64_t began;
    struct row held[HELD_COUNT];
};

static void report_release(struct report *r)
{
    for (size_t i = 0; i < HELD_COUNT; i++)
        free(r->held[i].detail);
}

static void show_row(const struct report *r, const struct row *row)
{
    AUTO_BUF(time, 64);

    if (!row->hop)
        return;
    if (r->hops) {
        json_t *hop = json_pack("{s:s,s:b,s:I,s:s}", "hop", row->hop, "ok", row->ok, "ms",
                                (json_int_t)row->ms, "detail", row->detail);
        (void)json_array_append_new(r->hops, hop);
        return;
    }
    clock_format_duration(&time, row->ms);
    (void)printf("%-10s  ", row->hop);
    print_mark(stdout, row->ok ? MARK_GOOD : MARK_BAD, row->ok ? "ok" : "failed");
    (void)printf("%s  %6s  %s\n", row->ok ? "    " : "", buf_str(&time), row->detail);
    (void)fflush(stdout);
}

static struct row row_make(struct report *r, const char *hop, bool ok, const char *detail)
{
    AUTO_BUF(clean, 8192);
    struct row row = {.hop = hop, .ok = ok, .ms = clock_ms() - r->began};

    text_sanitise_line(&clean, detail, strlen(detail));
    row.detail = buf_take(&clean);
    r->began = clock_ms();
    return row;
}

static int hop_ended(struct report *r, const char *hop, int result, const char *detail, const struct err *e)
{
    struct row row = row_make(r, hop, result == 0, result == 0 ? detail : e->msg);

    show_row(r, &row);
    free(row.detail);
    return result;
}

/* Runs the provider's login; most providers have none. */
static int hop_login(struct session *s, struct report *r, struct err *e)
{
    int result = session_sign_in(s, e);

    return result == 0 ? 0 : hop_ended(r, "login", result < 0 ? -1 : 0, s->credential.login, e);
}

/* Opens the route. For a direct one it only resolves the name: the login connects, and a second connection is
 * avoided. */
static int open_route(struct session *s, struct err *e)
{
    bool tunnelled = profile_is_tunnelled(&s->profile);

    return (!tunnelled && session_resolve(s, e) < 0) || session_open_route(s, tunnelled, e) < 0 ? -1 : 0;
}

static int hop_forward(struct session *s, struct report *r, struct err *e)
{
    AUTO_FREE(char *, detail);
    int result = session_try_forward(s, &detail, e);

    return result == 0 && !detail ? 0 : hop_ended(r, "route", result, detail, e);
}

static int hop_route(struct session *s, struct report *r, struct err *e)
{
    AUTO_FREE(char *, detail);
    int result = session_plan(s, FOR_CLIENT, NULL, false, e);

    /* Errors in the config or on this machine are not failures of a hop, so they get no row. */
    if (result < 0 && e->code != ERR_UNREACHABLE)
        return -1;
    if (result == 0) {
        if (hop_login(s, r, e) < 0)
            return -1;
        result = open_route(s, e);
    }
    detail = session_describe_route(s);
    if (result == 0 && profile_is_tunnelled(&s->profile)) {
        (void)hop_ended(r, "route", result, detail, e);
        return hop_forward(s, r, e);
    }
    if (result < 0)
        return hop_ended(r, "route", result, detail, e);
    r->held[HELD_ROUTE] = row_make(r, "route", true, detail);
    return 0;
}

static int hop_credential(struct session *s, struct report *r, struct err *e)
{
    AUTO_BUF(detail, 4096);
    int result = session_login(s, e);

    if (s->plan.provider)
        s->plan.provider->describe(&s->profile, &detail);
    else
        buf_puts(&detail, "password of the URL");
    if (s->credential.expires_at) {
        buf_puts(&detail, ", valid for ");
        clock_format_duration(&detail, (int64_t)(s->credential.expires_at - time(NULL)) * 1000);
    }
    if (result < 0 || !r->held[HELD_ROUTE].hop)
        return hop_ended(r, "credential", result, buf_str(&detail), e);
    r->held[HELD_CREDENTIAL] = row_make(r, "credential", true, buf_str(&detail));
    return 0;
}

static int hop_server(struct session *s, struct report *r, struct probe *probe, struct err *e)
{
    AUTO_FREE(char *, detail);
    int result = session_probe_patiently(s, probe, e);

    if (result == 0)
        detail = mem_printf("%s, %s, %s", probe->version, probe->user,
                            probe->tls_cipher ? probe->tls_cipher : "no TLS");
    if (probe->answered)
        show_row(r, &r->held[HELD_ROUTE]);
    show_row(r, &r->held[HELD_CREDENTIAL]);
    return hop_ended(r, "server", result, detail, e);
}

/* Notes a root login without a password, a common security hole. */
static void note_open_root(const struct session *s)
{
    if (text_equal(s->plan.conn.user, "root") && s->plan.conn.host && s->credential.password &&
        secret_len(s->credential.password) == 0)
        log_note("note: root logs in over TCP without a password");
}

static void print_json(const struct invocation *inv, const struct report *r, const struct probe *probe,
                       int result, const struct err *e)
{
    AUTO_JSON(root);
    json_t *error = json_null();

    if (result < 0)
        error = json_pack("{s:o,s:o,s:o}", "message", json_text(e->msg), "hint",
                          json_text(e->hint[0] ? e->hint : NULL), "server_code",
                          probe->server_code ? json_integer((json_int_t)probe->server_code) : json_null());
    root = json_pack(
        "{s:o,s:b,s:i,s:O,s:o,s:o,s:o,s:o}", "profile", json_text(inv->label[0] ? inv->label : NULL), "ok",
        result == 0, "exit", result == 0 ? 0 : (int)e->code, "hops", r->hops, "user", json_text(probe->user),
        "version", json_text(probe->version), "tls_cipher", json_text(probe->tls_cipher), "error", error);
    print_json_line(root);
}

static int dry_run(struct session *s, struct err *e)
{
    if (session_plan(s, FOR_CLIENT, NULL, true, e) < 0)
        return -1;
    print_plan(s, NULL);
    return 0;
}

static int walk_hops(struct session *s, struct report *r, struct probe *probe, struct err *e)
{
    if (hop_route(s, r, e) < 0 || hop_credential(s, r, e) < 0)
        return -1;
    return hop_server(s, r, probe, e);
}

/* Tests a session that was opened (`result` is 0), or reports why it could not be. */
static int test_session(struct invocation *inv, struct session *s, int result, struct err *e)
{
    AUTO_PROBE(probe);
    AUTO_JSON(hops);
    __attribute__((cleanup(report_release))) struct report report = {.began = clock_ms()};

    s->may_log_in = s->login_connects = true;
    if (inv->given[OPT_json])
        report.hops = hops = json_array();
    if (result == 0 && inv->given[OPT_dry_run])
        return dry_run(s, e);
    if (result == 0)
        result = walk_hops(s, &report, &probe, e);
    if (report.hops)
        print_json(inv, &report, &probe, result, e);
    if (result < 0)
        return -1;
    note_open_root(s);
    return session_offer_to_keep(s, true, e);
}

static int test_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);

    json_use_wiping_memory();
    return test_session(inv, &s, begin(inv, &s, e), e);
}

int test_request(struct invocation *inv, const struct request *r, struct err *e)
{
    AUTO_SESSION(s);

    json_use_wiping_memory();
    return test_session(inv, &s, session_open(&s, r, e), e);
}

const struct verb verb_test = {
    .name = "test",
    .usage = "[PROFILE|URL] [OPTION]...",
    .summary = "check each step of a connection",
    .about = "Check each step of a connection: tunnel, TLS, credential, login. Report which step failed and "
             "how to fix it.",
    .group = GROUP_CONNECT,
    .examples = {"broker test prod", "broker test prod --json"},
    .sets = SET_PROFILE | SET_RUN | SET_DRY | SET_JSON | SET_FRESH,
    .most_words = 1,
    .words = "profile",
    .run = test_run,
};
