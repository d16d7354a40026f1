/* SPDX-License-Identifier: MIT */
/* Carries out a plan: each step once, and in the same order for every verb. */
#include <session/session.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>
#include <ipc/helper.h>
#include <model/address.h>
#include <model/url.h>

#include "ca_certs.h"
#include "facts.h"
#include "launch.h"
#include "probe.h"
#include "server_error.h"
#include "route.h"

static void route_free(struct session *s)
{
    if (s->route)
        route_release(s->route);
    free(s->route);
    s->route = NULL;
}

void session_release(struct session *s)
{
    route_free(s);
    plan_release(&s->plan);
    facts_release(&s->facts);
    credential_release(&s->credential);
    profile_release(&s->profile);
    config_free(s->config);
    free(s->label);
    *s = (struct session){0};
}

static bool names_a_place(const struct request *r)
{
    for (size_t i = 0; i < r->override_count; i++) {
        if (text_equal(r->overrides[i].key, "host") || text_equal(r->overrides[i].key, "socket"))
            return true;
    }
    return false;
}

static int which_profile(const struct config *c, const char *verb, struct err *e)
{
    const char *const *names = config_profile_names(c);
    AUTO_BUF(line, 4000);

    for (size_t i = 0; names[i]; i++)
        buf_printf(&line, i ? " %s" : "%s", names[i]);
    (void)err_set(e, ERR_USAGE, "which profile?");
    if (!names[0])
        return err_hint(e, "broker profile add NAME");
    (void)err_detail(e, "%s", buf_str(&line));
    return err_hint(e, "broker %s NAME, or set BROKER_PROFILE", verb);
}

/* Gets the profile's name: as given, $BROKER_PROFILE, [profile default], or none if there are only options.
 */
static int choose_name(const struct config *c, const struct request *r, const char **out, struct err *e)
{
    const char *file, *from_env = secure_getenv("BROKER_PROFILE");
    unsigned line;

    *out = r->name;
    if (*out || names_a_place(r))
        return 0;
    if (from_env && *from_env)
        *out = from_env;
    else if (config_profile_place(c, "default", &file, &line))
        *out = "default";
    return *out ? 0 : which_profile(c, r->verb, e);
}

/* Returns the name for messages; malloced. The argument may be a URL without its scheme. */
static char *label_of(const char *name)
{
    char *label = mem_strdup(name);

    url_mask(label);
    return label;
}

/* Returns true for an address as go-sql-driver takes it: USER@tcp(HOST:PORT)/DATABASE. */
static bool is_go_address(const char *after_at)
{
    return text_starts(after_at, "tcp(") || text_starts(after_at, "unix(") || text_starts(after_at, "(");
}

/* If the argument is USER@HOST or HOST:PORT, as for ssh, or an address of go-sql-driver, suggests adding
 * mysql:// in the hint. */
static int suggest_url(const struct request *r, const char *name, struct err *e)
{
    const char *at = strrchr(name, '@');
    bool has_password = url_has_password(name);
    AUTO_FREE(char *, host);
    AUTO_FREE(char *, url);
    AUTO_BUF(command, 8192);
    long port;
    bool is_go = at && is_go_address(at + 1);

    if (!text_equal(e->msg, "no such profile") || text_starts(e->hint, "did you mean") ||
        (!is_go && (!address_split(at ? at + 1 : name, &host, &port) || (!at && port < 0))))
        return -1;
    if (is_go && has_password)
        return err_hint(e, "broker %s -, and there mysql:// in front of the address", r->verb);
    url = has_password ? mem_strdup("-") : mem_printf("mysql://%s", name);
    buf_printf(&command, "broker %s ", r->verb);
    text_quote_sh(&command, url);
    return err_hint(e, "%s", buf_str(&command));
}

int session_open(struct session *s, const struct request *r, struct err *e)
{
    const char *name = NULL, *file;
    unsigned line;

    s->deadline = r->timeout_ms ? clock_deadline(r->timeout_ms, CLOCK_NEVER) : CLOCK_NEVER;
    if (config_load(&s->config, e) < 0 || config_found(s->config, e) < 0 ||
        choose_name(s->config, r, &name, e) < 0)
        return -1;
    const char *url = name && url_is(name) ? name : NULL;
    if (name && !url)
        s->label = label_of(name);
    if (config_resolve(s->config, url ? NULL : name, url, r->overrides, r->override_count, &s->profile, e) <
        0)
        return name && !url ? suggest_url(r, name, e) : -1;
    if (!s->label)
        s->label = profile_label(&s->profile);
    if (name && !url && log_wants(LOG_STEP) && config_profile_place(s->config, name, &file, &line)) {
        AUTO_FREE(char *, place);
        place = path_short(file);
        log_step("config", "%s:%u", place, line);
    }
    if (session_derive(s->config, url, r->overrides, r->override_count, &s->profile, e) < 0)
        return -1;
    ca_certs_derive(&s->profile);
    return 0;
}

/* Checks the files that the profile names. A forward's TLS files are not checked here but by its keeper,
 * which starts at once. */
static int check_files(const struct profile *p, enum purpose purpose, struct err *e)
{
    bool tls = purpose != FOR_FORWARD && purpose != FOR_INJECT &&
               tls_level_parse(profile_str(p, KEY_tls)) != TLS_DISABLED;

    return purpose == FOR_SECRET ? 0 : config_check_files(p, tls, e);
}

int session_plan(struct session *s, enum purpose purpose, const char *client, bool dry, struct err *e)
{
    struct facts_wanted want = {
        .client = purpose == FOR_CLIENT || purpose == FOR_TOOL,
        .client_name = client,
        .route = purpose != FOR_SECRET,
        .socket = !dry && purpose != FOR_SECRET,
        .deadline = s->deadline,
    };

    if (facts_gather(&s->profile, &want, &s->facts, e) < 0)
        return -1;
    if (plan_make(&s->profile, &s->facts, purpose, &s->plan, e) < 0 ||
        check_files(&s->profile, purpose, e) < 0)
        return -1;
    if (!s->plan.keeper)
        log_step("route", "direct, %s", s->plan.endpoint);
    return 0;
}

/* Makes a session for the same profile with a plan of its own. It shares the keeper if the plan needs one. */
static int twin_make(const struct session *s, enum purpose purpose, struct session *out, struct err *e)
{
    *out = *s;
    out->facts = (struct facts){0};
    out->plan = (struct plan){0};
    int result = session_plan(out, purpose, NULL, false, e);
    if (!out->plan.keeper)
        out->route = NULL;
    return result;
}

static void twin_release(const struct session *s, struct session *twin)
{
    if (twin->route && twin->route != s->route) {
        route_stop(twin->route);
        route_free(twin);
    }
    plan_release(&twin->plan);
    facts_release(&twin->facts);
}

static int probe_by_keeper(const struct session *s, struct probe *out, struct err *e)
{
    struct session twin;
    int result = twin_make(s, FOR_CLIENT, &twin, e);

    if (result == 0) {
        plan_by_keeper(&twin.plan);
        result = session_open_route(&twin, false, e) < 0 ? -1 : probe_run(&twin, NULL, out, e);
    }
    twin_release(s, &twin);
    return result;
}

int session_probe(const struct session *s, struct probe *out, struct err *e)
{
    return probe_run(s, probe_by_keeper, out, e);
}

/* Makes a session to check a password. A plan of `exec` with another program has no client, so a plan with
 * one is made. */
static int prover_make(const struct session *s, struct session *out, struct err *e)
{
    *out = *s;
    return s->plan.client ? 0 : twin_make(s, FOR_CLIENT, out, e);
}

int session_offer_to_keep(struct session *s, bool proved, struct err *e)
{
    AUTO_PROBE(probe);
    struct session prover;
    struct err ignored = ERR_INIT;
    int result = 0;

    if (!s->credential.keepable || !tty_present())
        return 0;
    if (prover_make(s, &prover, &ignored) == 0 && tty_ask_yes("store it in the keychain? [y/N] ")) {
        if (!proved)
            result = session_open_route(&prover, true, e) < 0 ? -1 : session_probe(&prover, &probe, e);
        if (result == 0)
            result = s->plan.provider->keep(&s->profile, &s->credential, s->deadline, e);
    }
    if (!s->plan.client)
        twin_release(s, &prover);
    return result;
}

int session_sign_out(struct session *s, unsigned *forgotten, struct err *e)
{
    const struct provider *provider = s->plan.provider;

    *forgotten = 0;
    return provider && provider->logout ? provider->logout(&s->profile, s->deadline, forgotten, e) : 0;
}

/* Returns a unique socket path in our runtime folder, because several clients of one profile may run. */
static int unix_listener(char **path, struct err *e)
{
    AUTO_FREE(char *, runtime);
    AUTO_FREE(char *, name);
    char hash[33];

    if (path_runtime(&runtime, e) < 0)
        return -1;
    name = mem_printf("%ld %lld", (long)getpid(), (long long)clock_ms());
    text_hash(name, strlen(name), hash);
    *path = mem_printf("%s/%.16s.sock", runtime, hash);
    if (strlen(*path) <= SOCKET_PATH_MOST)
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s: too long for a unix socket, which may have %d bytes", *path,
                  SOCKET_PATH_MOST);
    return err_hint(e, "set XDG_RUNTIME_DIR to a folder that you own, with a short name and mode 0700");
}

static void fill_request(const struct plan *plan, char *path, struct route_request *want)
{
    struct local_address by_path = {.path = path}, by_port = {.host = (char *)(uintptr_t) "127.0.0.1"};

    by_path.kind = plan->login_by_keeper            ? LISTENER_LOGIN
                   : plan_own_socket(plan->profile) ? LISTENER_BYTES
                                                    : LISTENER_TLS;
    by_port.kind = plan->login_by_keeper ? LISTENER_LOGIN
                   : plan->tls_by_keeper ? LISTENER_OURS
                                         : LISTENER_BYTES;
    if (plan->path_listener)
        want->listener[want->listeners++] = by_path;
    if (plan->port_listener)
        want->listener[want->listeners++] = by_port;
}

int session_open_route(struct session *s, bool first, struct err *e)
{
    struct route_request want = {.first = first, .log = s->log};
    struct route route = ROUTE_INIT;
    AUTO_FREE(char *, path);

    if (!s->plan.keeper || s->route)
        return 0;
    if (s->plan.path_listener && unix_listener(&path, e) < 0)
        return -1;
    fill_request(&s->plan, path, &want);
    if (route_open(&s->profile, &s->plan, &want, s->deadline, &route, e) < 0)
        return server_error_of_route(&s->plan, e);
    s->route = mem_alloc(1, sizeof *s->route);
    *s->route = route;
    return 0;
}

/* Text after a comma is left out: it names the software that made the connection, which users need not know.
 */
char *session_describe_route(const struct session *s)
{
    const char *words = s->route && s->route->text ? s->route->text : s->plan.route;

    if (!profile_is_tunnelled(&s->profile))
        return mem_printf("direct to %s", s->plan.endpoint ? s->plan.endpoint : "");
    return words ? mem_strndup(words, strcspn(words, ",")) : NULL;
}

int session_try_tunnel(struct session *s, struct err *e)
{
    struct session twin;
    int result = 1;

    if (!text_equal(profile_tunnel_str(&s->profile, TUNNEL_type), "ssh"))
        return 0;
    if (twin_make(s, FOR_FORWARD, &twin, e) < 0 || session_open_route(&twin, false, e) < 0)
        result = -1;
    twin_release(s, &twin);
    return result;
}

int session_become_client(struct session *s, char *const *args, struct err *e)
{
    AUTO_LAUNCH(launch);

    if (launch_prepare(s, args, &launch, e) < 0)
        return -1;
    (void)fcntl(launch.option_fd, F_SETFD, 0);
    launch_forget(s);
    helper_end_all();
    return proc_exec(launch.argv.word, &launch.env, e);
}
