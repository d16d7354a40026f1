/* SPDX-License-Identifier: MIT */
/* Parses the OPEN record. It comes from broker, so an invalid record is a bug or comes from another
 * version. */
#include "options.h"

#include <base/clock.h>
#include <base/mem.h>

struct options opt;

static int take_repeated(const struct record *open, struct options *o)
{
    struct err ignored = ERR_INIT;
    struct field f;
    size_t offset = 0;

    while (record_next(open, &offset, &f, &ignored) > 0) {
        if (f.tag == KEEPER_TAG_LISTENER &&
            (o->listeners == LISTENERS_MOST || !local_address_take(&f, &o->listener[o->listeners++])))
            return -1;
        if (f.tag == KEEPER_TAG_TUNNEL)
            words_take(&o->target.keys, mem_strndup(f.bytes, f.len));
        if (f.tag == KEEPER_TAG_KEY)
            words_take(&o->keys, mem_strndup(f.bytes, f.len));
    }
    return 0;
}

static bool is_there(const struct record *open, uint8_t tag)
{
    struct field f;

    return record_find(open, tag, &f);
}

/* A port that all users of this machine can reach requires a password, and a keeper that logs in requires the
 * path of broker. */
static int check_listeners(struct options *o)
{
    if (o->tls.level > KEEPER_TLS_NAME)
        return -1;
    for (unsigned i = 0; i < o->listeners; i++) {
        bool logs_in = o->listener[i].kind == LISTENER_LOGIN;
        o->logs_in |= logs_in;
        if (logs_in && (!o->broker || (!o->listener[i].path && (!o->password || !secret_len(o->password)))))
            return -1;
        if (o->tls.level < KEEPER_TLS_ENCRYPT && !logs_in && o->listener[i].kind != LISTENER_BYTES)
            return -1;
    }
    return 0;
}

static void settle_login(const struct record *open, struct options *o)
{
    o->endpoint = mem_strdup(target_name(&o->target));
    o->login = (struct login_options){.server = o->endpoint,
                                      .connect_timeout = o->target.connect_timeout,
                                      .tls = &o->tls,
                                      .profile = o->label,
                                      .own_socket = is_there(open, KEEPER_TAG_OWN_SOCKET),
                                      .server_public_key = is_there(open, KEEPER_TAG_SERVER_PUBLIC_KEY),
                                      .local_infile = is_there(open, KEEPER_TAG_LOCAL_INFILE)};
    for (unsigned i = 0; i < o->listeners; i++)
        o->login.bytes_beside |= o->listener[i].kind == LISTENER_BYTES;
}

int options_parse(const struct record *open, struct options *out, struct err *e)
{
    const struct {
        uint8_t tag;
        char **to;
    } texts[] = {{KEEPER_TAG_LABEL, &out->label},
                 {KEEPER_TAG_NAME, &out->name},
                 {KEEPER_TAG_HOST, &out->target.host},
                 {KEEPER_TAG_SOCKET, &out->target.socket},
                 {KEEPER_TAG_TLS_NAME, &out->tls.name},
                 {KEEPER_TAG_TLS_CA, &out->tls.ca},
                 {KEEPER_TAG_TLS_CERT, &out->tls.cert},
                 {KEEPER_TAG_TLS_KEY, &out->tls.key},
                 {KEEPER_TAG_TLS_CIPHERS, &out->tls.ciphers},
                 {KEEPER_TAG_TLS_VERSION, &out->tls.version},
                 {KEEPER_TAG_CONTROL, &out->control},
                 {KEEPER_TAG_LOG, &out->log},
                 {KEEPER_TAG_DIGEST, &out->digest},
                 {KEEPER_TAG_BROKER, &out->broker},
                 {KEEPER_TAG_USER, &out->user}};
    uint64_t deadline = record_u64(open, KEEPER_TAG_DEADLINE, 0);

    if (open->kind != KEEPER_OPEN)
        return err_set(e, ERR_PROTOCOL, "a request of kind %d", open->kind);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i].to = record_str(open, texts[i].tag);
    out->target.port = (unsigned)record_u64(open, KEEPER_TAG_PORT, 3306);
    out->tls.level = (enum keeper_tls)record_u64(open, KEEPER_TAG_TLS, KEEPER_TLS_NAME);
    out->target.connect_timeout = (int64_t)record_u64(open, KEEPER_TAG_CONNECT_TIMEOUT, 10000);
    out->target.login_timeout = (int64_t)record_u64(open, KEEPER_TAG_LOGIN_TIMEOUT, 120000);
    out->drain = (int64_t)record_u64(open, KEEPER_TAG_DRAIN, 0);
    out->deadline = deadline ? clock_deadline((int64_t)deadline, CLOCK_NEVER) : CLOCK_NEVER;
    out->first = is_there(open, KEEPER_TAG_FIRST);
    out->tls.ca_own = is_there(open, KEEPER_TAG_TLS_CA_OWN);
    out->target.lasts = is_there(open, KEEPER_TAG_LASTS);
    out->target.person = is_there(open, KEEPER_TAG_PERSON);
    out->stock_client = is_there(open, KEEPER_TAG_STOCK_CLIENT);
    out->revokes = is_there(open, KEEPER_TAG_REVOKE);
    out->password = record_secret(open, KEEPER_TAG_SECRET);
    out->verbose = (enum log_level)record_u64(open, KEEPER_TAG_VERBOSE, LOG_NOTE);
    const char *there = out->target.host ? out->target.host : out->target.socket;
    if (take_repeated(open, out) < 0 || out->listeners == 0 || check_listeners(out) < 0 ||
        !out->target.host == !out->target.socket || !*there)
        return err_set(e, ERR_PROTOCOL, "the request to open is incomplete");
    settle_login(open, out);
    return 0;
}
