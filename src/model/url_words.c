/* SPDX-License-Identifier: MIT */
/*
 * Parameters that other programs put into URLs: hosting companies, drivers, clients. One table maps them to
 * our keys; another lists those that only concern a driver and are ignored; url.c refuses any other. Names
 * are compared without case and with `-` as `_`, because all spellings occur.
 */
#include <model/url_parts.h>

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/url.h>

struct value {
    const char *theirs, *ours; /* `theirs`: in the URL; `ours`: for the config key; NULL: no effect */
};

/* TLS levels of MySQL, libpq, mycli and MariaDB Connector/J. */
static const struct value modes[] = {
    {"disabled", "disabled"},
    {"disable", "disabled"},
    {"off", "disabled"},
    {"preferred", "preferred"},
    {"prefer", "preferred"},
    {"allow", "preferred"},
    {"auto", "preferred"},
    {"required", "required"},
    {"require", "required"},
    {"on", "required"},
    {"trust", "required"},
    {"verify_ca", "verify-ca"},
    {"verify_full", "verify-identity"},
    {"verify_identity", "verify-identity"},
    {NULL, NULL},
};
/* Values of go-sql-driver's `tls` that differ from the levels above. */
static const struct value go_modes[] = {
    {"true", "verify-identity"}, {"skip_verify", "required"}, {"false", "disabled"}, {NULL, NULL}};
static const struct value table_plus_modes[] = {
    {"0", "preferred"}, {"1", "disabled"}, {"2", "required"}, {NULL, NULL}};
static const struct value bools[] = {{"1", "yes"},  {"true", "yes"}, {"yes", "yes"},  {"y", "yes"},
                                     {"on", "yes"}, {"0", "no"},     {"false", "no"}, {"no", "no"},
                                     {"n", "no"},   {"off", "no"},   {NULL, NULL}};
/* For features that a URL may turn off but not on. "yes" is refused later. */
static const struct value only_yes[] = {{"1", "yes"},    {"true", "yes"}, {"on", "yes"}, {"0", NULL},
                                        {"false", NULL}, {"off", NULL},   {"no", NULL},  {NULL, NULL}};
/* Values that require at least a TLS level, and values that require none. */
#define LEAST(level)                                                                                         \
    {                                                                                                        \
        {"1", level}, {"true", level}, {"yes", level}, {"on", level}, {"0", NULL}, {"false", NULL},          \
            {"no", NULL}, {"off", NULL}, {NULL, NULL},                                                       \
    }
static const struct value least_required[] = LEAST("required");
static const struct value least_ca[] = LEAST("verify-ca");
static const struct value least_identity[] = LEAST("verify-identity");
static const struct value prisma[] = {
    {"strict", "verify-identity"}, {"accept_invalid_certs", NULL}, {NULL, NULL}};
static const struct value node[] = {{"1", "required"},
                                    {"true", "required"},
                                    {"0", NULL},
                                    {"false", NULL},
                                    {"{}", "required"},
                                    {"{\"rejectUnauthorized\":true}", "verify-identity"},
                                    {"{\"rejectUnauthorized\":false}", "required"},
                                    {NULL, NULL}};
static const struct value off_only[] = {
    {"1", "disabled"}, {"true", "disabled"}, {"0", NULL}, {"false", NULL}, {NULL, NULL}};

static const struct word {
    const char *name;
    enum key key;
    const struct value *values; /* NULL: the value is used as it is */
    enum { SETS, AT_LEAST, MILLISECONDS, JUMPS } how;
} words[] = {
    {"ssl_mode", KEY_tls, modes, SETS},
    {"sslmode", KEY_tls, modes, SETS},
    {"tls", KEY_tls, go_modes, SETS},
    {"tlsmode", KEY_tls, table_plus_modes, SETS},
    {"ssl_disabled", KEY_tls, off_only, SETS},
    {"requiressl", KEY_tls, least_required, AT_LEAST},
    {"verifyservercertificate", KEY_tls, least_ca, AT_LEAST},
    {"ssl_verify_cert", KEY_tls, least_ca, AT_LEAST},
    {"sslverify", KEY_tls, least_ca, AT_LEAST},
    {"ssl_verify_identity", KEY_tls, least_identity, AT_LEAST},
    {"ssl_verify_server_cert", KEY_tls, least_identity, AT_LEAST},
    {"sslaccept", KEY_tls, prisma, AT_LEAST},
    {"ssl", KEY_tls, node, AT_LEAST},
    {"ssl_ca", KEY_tls_ca, NULL, SETS},
    {"sslca", KEY_tls_ca, NULL, SETS},
    {"sslrootcert", KEY_tls_ca, NULL, SETS},
    {"ssl_cert", KEY_tls_cert, NULL, SETS},
    {"sslcert", KEY_tls_cert, NULL, SETS},
    {"ssl_key", KEY_tls_key, NULL, SETS},
    {"sslkey", KEY_tls_key, NULL, SETS},
    {"ssl_cipher", KEY_tls_ciphers, NULL, SETS},
    {"sslcipher", KEY_tls_ciphers, NULL, SETS},
    {"aws_region", KEY_region, NULL, SETS},
    {"enable_cleartext_plugin", KEY_cleartext, bools, SETS},
    {"allowcleartextpasswords", KEY_cleartext, bools, SETS},
    {"get_server_public_key", KEY_server_public_key, bools, SETS},
    {"request_server_public_key", KEY_server_public_key, bools, SETS},
    {"allowpublickeyretrieval", KEY_server_public_key, bools, SETS},
    {"usecompression", KEY_compress, bools, SETS},
    {"connecttimeout", KEY_connect_timeout, NULL, MILLISECONDS},
    {"unix_socket", KEY_socket, NULL, SETS},
    {"unixsocket", KEY_socket, NULL, SETS},
    {"socketpath", KEY_socket, NULL, SETS},
    {"localsocket", KEY_socket, NULL, SETS},
    {"username", KEY_user, NULL, SETS},
    {"name", KEY_title, NULL, SETS},
    {"ssh_jump", KEY_via, NULL, JUMPS},
    {"allowloadlocalinfile", KEY_local_infile, only_yes, SETS},
    {"allowallfiles", KEY_local_infile, only_yes, SETS},
};

/* Names of keys in other programs that are not in URLs: for hints only. */
static const struct {
    const char *name;
    enum key key;
} elsewhere[] = {
    {"hostname", KEY_host},
    {"server", KEY_host},
    {"db", KEY_database},
    {"dbname", KEY_database},
    {"schema", KEY_database},
    {"ssh", KEY_via},
    {"bastion", KEY_via},
    {"tunnel", KEY_via},
    {"password_command", KEY_auth_command},
    {"password_file", KEY_auth_file},
};

const char *const url_ignored_words[] = {
    /* parameters about the character set */
    "charset",
    "character_set",
    "characterencoding",
    "characterset",
    "charactersetresults",
    "encoding",
    "collation",
    "connectioncollation",
    "useunicode",
    "use_unicode",
    /* parameters about how the driver treats the server, times and values */
    "serverversion",
    "server_version",
    "driver",
    "driverversion",
    "adapter",
    "loc",
    "parsetime",
    "servertimezone",
    "connectiontimezone",
    "forceconnectiontimezonetosession",
    "timezone",
    "uselegacydatetimecode",
    "zerodatetimebehavior",
    "sendfractionalseconds",
    "yearisdatetype",
    "tinyint1isbit",
    "transformedbitisboolean",
    "jdbccomplianttruncation",
    "datestrings",
    "supportbignumbers",
    "bignumberstrings",
    "decimalnumbers",
    "binary_prefix",
    /* parameters about TLS that is tried anyway, and login details that the client decides */
    "usessl",
    "allowfallbacktoplaintext",
    "allownativepasswords",
    "allowoldpasswords",
    "permitmysqlscheme",
    /* parameters about connections, pools and timeouts */
    "autoreconnect",
    "reconnect",
    "failoverreadonly",
    "maxreconnects",
    "initialtimeout",
    "pool",
    "pool_size",
    "pool_timeout",
    "pool_recycle",
    "max_overflow",
    "connection_limit",
    "connectionlimit",
    "waitforconnections",
    "queuelimit",
    "conn_max_age",
    "conn_health_checks",
    "checkout_timeout",
    "idle_timeout",
    "reaping_frequency",
    "timeout",
    "sockettimeout",
    "socket_timeout",
    "readtimeout",
    "read_timeout",
    "writetimeout",
    "write_timeout",
    "tcpkeepalive",
    "enablekeepalive",
    "keepalive_ticks",
    "checkconnliveness",
    "rejectreadonly",
    "connectionattributes",
    /* parameters about SQL statements */
    "maxallowedpacket",
    "max_allowed_packet",
    "multistatements",
    "allowmultiqueries",
    "interpolateparams",
    "namedplaceholders",
    "prepared_statements",
    "clientfoundrows",
    "columnswithalias",
    "useaffectedrows",
    "autocommit",
    "rewritebatchedstatements",
    "cacheprepstmts",
    "useserverprepstmts",
    "statement_cache_size",
    "prepstmtcachesize",
    "prepstmtcachesqllimit",
    "uselocalsessionstate",
    "uselocaltransactionstate",
    "cacheresultsetmetadata",
    "cacheserverconfiguration",
    "elidesetautocommits",
    "maintaintimestats",
    "usecursorfetch",
    "defaultfetchsize",
    "nullcatalogmeanscurrent",
    "nulldatabasemeanscurrent",
    "noaccesstoprocedurebodies",
    "useoldaliasmetadatabehavior",
    "useinformationschema",
    "createdatabaseifnotexist",
    /* parameters about how a program displays the connection */
    "statuscolor",
    "env",
    "enviroment",
    "environment",
    "useprivatekey",
    "safemodelevel",
    "advancedsafemodelevel",
    "lazyload",
    "boundary_id",
    "prompt",
    NULL,
};

/* Compares names; `known` is in lower case and has `_` for `-`. */
static bool is_word(const char *known, const char *typed)
{
    while (*known && (*known == tolower((unsigned char)*typed) || (*known == '_' && *typed == '-'))) {
        known++;
        typed++;
    }
    return *known == tolower((unsigned char)*typed);
}

static bool url_word_is_ignored(const char *name)
{
    for (size_t i = 0; url_ignored_words[i]; i++)
        if (is_word(url_ignored_words[i], name))
            return true;
    return false;
}

static int rank(const char *level)
{
    static const char *const levels[] = {"disabled", "preferred", "required", "verify-ca", "verify-identity"};

    for (int i = 0; i < (int)ARRAY_LEN(levels); i++)
        if (text_equal(level, levels[i]))
            return i;
    return -1;
}

/* Returns our value for another program's; *known is false if the table does not have it. */
static const char *translate(const struct value *values, const char *theirs, bool *known)
{
    *known = true;
    for (; values->theirs; values++)
        if (is_word(values->theirs, theirs) || text_equal_nocase(values->theirs, theirs))
            return values->ours;
    *known = false;
    return theirs;
}

static int set_milliseconds(struct url *u, const char *name, const char *value)
{
    AUTO_FREE(char *, time);
    unsigned long ms;

    if (!text_number(value, UINT32_MAX, &ms))
        return url_refuse(u, NULL, "connectTimeout is not a number of milliseconds");
    time = mem_printf("%lums", ms);
    return ms ? url_set_key(u, KEY_connect_timeout, time, name) : 0;
}

static int take(struct url *u, const struct word *w, const char *name, const char *value)
{
    AUTO_FREE(char *, address);
    bool known = true;
    const char *ours = w->values ? translate(w->values, value, &known) : value;

    if (!known && w->values == bools)
        ours = "no"; /* an unknown value means no, as in Sequel Ace */
    switch (w->how) {
    case MILLISECONDS:
        return set_milliseconds(u, name, value);
    case JUMPS:
        address = mem_printf("ssh://%s", value);
        return url_set_key(u, w->key, address, name);
    case AT_LEAST:
        u->is_prisma = u->is_prisma || w->values == prisma;
        if (!known)
            return url_refuse(u, "tls = one of: disabled preferred required verify-ca verify-identity",
                              "unknown TLS value");
        if (rank(ours) > rank(u->least_tls))
            u->least_tls = ours;
        return 0;
    case SETS:
        break;
    }
    return ours ? url_set_key(u, w->key, ours, name) : 0;
}

int url_take_word(struct url *u, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (is_word(words[i].name, name))
            return take(u, &words[i], name, value) < 0 ? -1 : 1;
    return url_word_is_ignored(name);
}

const char *url_word_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (is_word(words[i].name, name))
            return key_infos[words[i].key].name;
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
        if (is_word(elsewhere[i].name, name))
            return key_infos[elsewhere[i].key].name;
    return NULL;
}

/* Prisma's `sslcert` is the CA certificate, other programs' is the client's. Prisma has no `sslkey`. */
static int settle_prisma(struct url *u)
{
    struct setting *cert = &u->p->set[KEY_tls_cert];

    if (!u->is_prisma || cert->origin != ORIGIN_URL || !cert->value ||
        u->p->set[KEY_tls_key].origin == ORIGIN_URL)
        return 0;
    if (url_set_key(u, KEY_tls_ca, cert->value, "sslcert") < 0)
        return -1;
    setting_clear(cert);
    return 0;
}

int url_settle_tls(struct url *u)
{
    const struct setting *tls = &u->p->set[KEY_tls];

    if (settle_prisma(u) < 0)
        return -1;
    if (!u->least_tls || (tls->origin == ORIGIN_URL && tls->value && rank(tls->value) >= rank(u->least_tls)))
        return 0;
    return url_set_key(u, KEY_tls, u->least_tls, "ssl");
}

void url_words_print(struct buf *out)
{
    for (size_t k = 0; k < KEY_COUNT; k++) {
        bool is_first = true;
        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            if (words[i].key != k || text_equal(words[i].name, key_infos[k].name))
                continue;
            if (is_first)
                buf_printf(out, "  %-17s", key_infos[k].name);
            buf_printf(out, " %s", words[i].name);
            is_first = false;
        }
        if (!is_first)
            buf_putc(out, '\n');
    }
}
