/*
 * What `ssh -G` prints, as settings: a table of its keys, and a table of those that the in-process engine
 * cannot honour, so that a wish of the user's ssh_config is never passed over. Not here: reading ssh_config
 * itself, with its Host, Match and Include; that is ssh's business alone.
 */
#include <ssh/config.h>

#include <errno.h>
#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

#define PATH_MOST 4096
#define MOST_FILES 64
#define KEEPALIVE_MS 60000 /* what the tunnel's key has where nobody has set it */

enum take { TAKE_TEXT, TAKE_LIST, TAKE_FILES, TAKE_BOOL, TAKE_NUMBER, TAKE_SECONDS, TAKE_STRICT, TAKE_THERE };

static const struct {
    const char *key;
    enum take how;
    size_t at;
    const char *absent; /* the value that means: not set */
} rows[] = {
#define ROW(key, how, field, absent)                                                                         \
    {                                                                                                        \
        key, how, offsetof(struct ssh_settings, field), absent                                               \
    }
    ROW("hostname", TAKE_TEXT, host, NULL),
    ROW("user", TAKE_TEXT, user, NULL),
    ROW("port", TAKE_NUMBER, port, NULL),
    ROW("hostkeyalias", TAKE_TEXT, host_key_alias, "none"),
    ROW("identityfile", TAKE_LIST, identity_files, "none"),
    ROW("identitiesonly", TAKE_BOOL, identities_only, NULL),
    ROW("identityagent", TAKE_TEXT, identity_agent, NULL),
    ROW("certificatefile", TAKE_LIST, certificate_files, "none"),
    ROW("pkcs11provider", TAKE_TEXT, pkcs11_provider, "none"),
    ROW("securitykeyprovider", TAKE_TEXT, security_key_provider, "none"),
    ROW("userknownhostsfile", TAKE_FILES, user_known_hosts, "none"),
    ROW("globalknownhostsfile", TAKE_FILES, global_known_hosts, "none"),
    ROW("stricthostkeychecking", TAKE_STRICT, strict, NULL),
    ROW("hashknownhosts", TAKE_BOOL, hash_known_hosts, NULL),
    ROW("loglevel", TAKE_TEXT, log_level, NULL),
    ROW("proxyjump", TAKE_TEXT, proxy_jump, "none"),
    ROW("proxycommand", TAKE_TEXT, proxy_command, "none"),
    ROW("controlpath", TAKE_TEXT, control_path, "none"),
    ROW("compression", TAKE_BOOL, compression, NULL),
    ROW("ciphers", TAKE_TEXT, ciphers, NULL),
    ROW("macs", TAKE_TEXT, macs, NULL),
    ROW("kexalgorithms", TAKE_TEXT, kex, NULL),
    ROW("hostkeyalgorithms", TAKE_TEXT, host_key_algorithms, NULL),
    ROW("pubkeyacceptedalgorithms", TAKE_TEXT, pubkey_algorithms, NULL),
    ROW("pubkeyacceptedkeytypes", TAKE_TEXT, pubkey_algorithms, NULL), /* before 8.5 */
    ROW("requiredrsasize", TAKE_NUMBER, rsa_bits, NULL),
    ROW("preferredauthentications", TAKE_TEXT, preferred_authentications, NULL),
    ROW("pubkeyauthentication", TAKE_BOOL, publickey, NULL),
    ROW("kbdinteractiveauthentication", TAKE_BOOL, keyboard_interactive, NULL),
    ROW("challengeresponseauthentication", TAKE_BOOL, keyboard_interactive, NULL), /* before 8.7 */
    ROW("passwordauthentication", TAKE_BOOL, password, NULL),
    ROW("gssapiauthentication", TAKE_BOOL, gssapi, NULL),
    ROW("numberofpasswordprompts", TAKE_NUMBER, password_prompts, NULL),
    ROW("serveraliveinterval", TAKE_SECONDS, keepalive, NULL),
    ROW("connecttimeout", TAKE_SECONDS, connect_timeout, "none"),
    ROW("bindaddress", TAKE_TEXT, bind_address, NULL),
    ROW("addressfamily", TAKE_TEXT, address_family, "any"),
    ROW("forkafterauthentication", TAKE_THERE, has_fork_option, NULL),
#undef ROW
};

/* What has another value than this, or any where there is none, is for the system's ssh. */
static const struct {
    const char *key, *usual, *words;
} only_ssh[] = {
    {"addkeystoagent", "false", "AddKeysToAgent"},
    {"batchmode", "no", "BatchMode"},
    {"bindinterface", NULL, "BindInterface"},
    {"checkhostip", "no", "CheckHostIP"},
    {"connectionattempts", "1", "ConnectionAttempts"},
    {"fingerprinthash", "SHA256", "FingerprintHash"},
    {"hostbasedauthentication", "no", "HostbasedAuthentication"},
    {"knownhostscommand", NULL, "KnownHostsCommand"},
    {"nohostauthenticationforlocalhost", "no", "NoHostAuthenticationForLocalhost"},
    {"permitlocalcommand", "no", "PermitLocalCommand"},
    {"rekeylimit", "0 0", "RekeyLimit"},
    {"revokedhostkeys", NULL, "RevokedHostKeys"},
    {"tunnel", "false", "Tunnel"},
    {"verifyhostkeydns", "false", "VerifyHostKeyDNS"},
    {"visualhostkey", "no", "VisualHostKey"},
};

static void put_text(char **to, const char *value)
{
    free(*to);
    *to = mem_strdup(value);
}

static bool is_yes(const char *value)
{
    return !text_equal(value, "no") && !text_equal(value, "false");
}

/* "/a /with blank/b ~/c": ssh prints them with a blank between; each is absolute, or at home. */
static void take_files(struct words *w, const char *value)
{
    words_release(w);
    for (const char *from = value; *from && w->count < MOST_FILES;) {
        const char *end = from;
        while (*end && !(end[0] == ' ' && (end[1] == '/' || end[1] == '~')))
            end++;
        words_take(w, mem_strndup(from, (size_t)(end - from)));
        from = *end ? end + 1 : end;
    }
}

static enum ssh_strictness strictness(const char *value)
{
    if (text_equal(value, "accept-new"))
        return SSH_STRICT_ACCEPT_NEW;
    if (text_equal(value, "ask"))
        return SSH_STRICT_ASK;
    return text_equal(value, "no") || text_equal(value, "off") || text_equal(value, "false") ? SSH_STRICT_NO
                                                                                             : SSH_STRICT_YES;
}

static int take(enum take how, void *field, const char *value, const char *absent, struct err *e)
{
    bool set = !text_equal(value, absent);
    unsigned long n = 0;

    if ((how == TAKE_NUMBER || how == TAKE_SECONDS) && set && !text_number(value, 65535L * 65535, &n))
        return err_set(e, ERR_PROTOCOL, "not a number");
    if (how == TAKE_NUMBER)
        *(unsigned *)field = (unsigned)n;
    else if (how == TAKE_SECONDS)
        *(int64_t *)field = (int64_t)n * 1000;
    else if (how == TAKE_BOOL)
        *(bool *)field = is_yes(value);
    else if (how == TAKE_THERE)
        *(bool *)field = true;
    else if (how == TAKE_STRICT)
        *(enum ssh_strictness *)field = strictness(value);
    else if (how == TAKE_TEXT)
        put_text(field, set ? value : NULL);
    else if (how == TAKE_FILES)
        set ? take_files(field, value) : words_release(field);
    else if (set && ((struct words *)field)->count < MOST_FILES)
        words_add(field, value);
    return 0;
}

static int take_line(struct ssh_settings *s, const char *key, const char *value, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (text_equal_nocase(key, rows[i].key) &&
            take(rows[i].how, (char *)s + rows[i].at, value, rows[i].absent, e) < 0)
            return err_prefix(e, "%s", rows[i].key);
    }
    for (size_t i = 0; i < ARRAY_LEN(only_ssh) && !s->beyond; i++) {
        if (text_equal_nocase(key, only_ssh[i].key) && !text_equal_nocase(value, only_ssh[i].usual))
            s->beyond = only_ssh[i].words;
    }
    return 0;
}

/* --- paths ---------------------------------------------------------------------------------------------- */

/* The home that ssh takes: the password database's, whatever $HOME says. */
static const char *ssh_home(void)
{
    const struct passwd *pw = getpwuid(getuid());

    return pw && pw->pw_dir && *pw->pw_dir == '/' ? pw->pw_dir : "/";
}

static const char *local_user(void)
{
    const struct passwd *pw = getpwuid(getuid());

    return pw && pw->pw_name ? pw->pw_name : "";
}

/* A token of ssh_config(5), TOKENS. False: it is not known here. */
static bool put_token(struct buf *out, const struct ssh_settings *s, char token)
{
    const char *const values[] = {
        ['%'] = "%",         ['d'] = ssh_home(),
        ['h'] = s->host,     ['k'] = s->host_key_alias ? s->host_key_alias : s->alias,
        ['n'] = s->alias,    ['r'] = s->user,
        ['u'] = local_user()};
    size_t i = (unsigned char)token;

    if (token == 'p' || token == 'i')
        buf_printf(out, "%u", token == 'p' ? s->port : (unsigned)getuid());
    else if (i < ARRAY_LEN(values) && values[i])
        buf_puts(out, values[i]);
    else
        return false;
    return true;
}

/* "~/", %h and its like, ${NAME}. NULL: something in it is not known here, or not set. */
static char *expand(const struct ssh_settings *s, const char *path)
{
    AUTO_BUF(out, PATH_MOST);

    if (text_starts(path, "~/")) {
        buf_puts(&out, ssh_home());
        path++;
    }
    for (const char *p = path; *p; p++) {
        const char *end = text_starts(p, "${") ? strchr(p, '}') : NULL;
        if (end) {
            AUTO_FREE(char *, name);
            name = mem_strndup(p + 2, (size_t)(end - p - 2));
            const char *value = secure_getenv(name);
            if (!value)
                return NULL;
            buf_puts(&out, value);
            p = end;
        } else if (*p != '%') {
            buf_putc(&out, *p);
        } else if (!put_token(&out, s, *++p)) {
            return NULL;
        }
    }
    return buf_ok(&out) && *buf_str(&out) == '/' ? buf_take(&out) : NULL;
}

/* What cannot be expanded is for the system's ssh, which knows what it is. */
static void expand_all(struct ssh_settings *s, struct words *files)
{
    struct words expanded = {0};

    for (size_t i = 0; i < files->count; i++) {
        char *path = expand(s, files->word[i]);
        if (path)
            words_take(&expanded, path);
        else
            s->beyond = "the name of a file";
    }
    words_release(files);
    *files = expanded;
}

static void settle_agent(struct ssh_settings *s)
{
    const char *said = s->identity_agent, *path = secure_getenv("SSH_AUTH_SOCK");
    char *expanded = NULL;

    if (text_equal(said, "none"))
        path = NULL;
    else if (said && *said == '$' && said[1] != '{')
        path = secure_getenv(said + 1);
    else if (said && !text_equal(said, "SSH_AUTH_SOCK") && !(path = expanded = expand(s, said)))
        s->beyond = "the name of the agent's socket";
    put_text(&s->identity_agent, path && *path ? path : NULL);
    free(expanded);
}

/* GSSAPI is on wherever Debian's ssh is; it means something only where there is a ticket. */
static bool has_ticket(void)
{
    const char *cache = secure_getenv("KRB5CCNAME");
    AUTO_FREE(char *, usual);

    usual = mem_printf("/tmp/krb5cc_%u", (unsigned)getuid());
    return (cache && *cache) || access(usual, R_OK) == 0;
}

static void settle(struct ssh_settings *s)
{
    expand_all(s, &s->identity_files);
    expand_all(s, &s->certificate_files);
    expand_all(s, &s->user_known_hosts);
    expand_all(s, &s->global_known_hosts);
    settle_agent(s);
    s->gssapi = s->gssapi && has_ticket();
}

/* --- the whole ------------------------------------------------------------------------------------------ */

int ssh_config_parse(struct ssh_settings *s, const char *text, size_t n, struct err *e)
{
    for (const char *p = text, *end = text + n, *stop; p < end; p = stop + 1) {
        AUTO_FREE(char *, line);
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        line = mem_strndup(p, (size_t)(stop - p));
        char *value = strchr(line, ' ');
        if (!value)
            continue;
        *value++ = '\0';
        if (take_line(s, line, value, e) < 0)
            return -1;
    }
    if (!s->host || !*s->host || !s->user || !s->port || s->port > 65535)
        return err_set(e, ERR_PROTOCOL, "does not say host, port and user");
    settle(s);
    return 0;
}

void ssh_config_defaults(struct ssh_settings *s, const char *alias)
{
    static const char *const keys[] = {"rsa", "ecdsa", "ed25519"};

    *s = (struct ssh_settings){.port = 22,
                               .publickey = true,
                               .keyboard_interactive = true,
                               .password = true,
                               .password_prompts = 3,
                               .alias = mem_strdup(alias),
                               .host = mem_strdup(alias),
                               .user = mem_strdup(local_user())};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        words_take(&s->identity_files, mem_printf("%s/.ssh/id_%s", ssh_home(), keys[i]));
    words_take(&s->user_known_hosts, mem_printf("%s/.ssh/known_hosts", ssh_home()));
    words_add(&s->global_known_hosts, "/etc/ssh/ssh_known_hosts");
    settle(s);
}

/* Offered before all others. A file that is not there would be passed over by ssh with a warning that nobody
 * sees. */
static int put_identity(struct ssh_settings *s, const char *path, struct err *e)
{
    struct words files = {0};
    AUTO_FREE(char *, full);
    AUTO_FREE(char *, name);

    full = path_expand(path);
    name = path_short(full);
    if (access(full, R_OK) < 0) {
        (void)err_set(e, ERR_CONFIG, "identity %s: %s", name, strerror(errno));
        return err_hint(e, "set identity to a private key file that can be read");
    }
    words_add(&files, full);
    for (size_t i = 0; i < s->identity_files.count; i++) {
        if (!text_equal(s->identity_files.word[i], full))
            words_add(&files, s->identity_files.word[i]);
    }
    words_release(&s->identity_files);
    s->identity_files = files;
    s->identity_given = true;
    return 0;
}

static void take_ms(const struct target *target, const char *key, int64_t *ms)
{
    const char *value = target_key(target, key);
    unsigned long n;

    if (value && text_number(value, 1UL << 40, &n))
        *ms = (int64_t)n;
}

int ssh_config_override(struct ssh_settings *s, struct err *e)
{
    const char *port = target_key(s->target, "port"), *user = target_key(s->target, "user");
    const char *identity = target_key(s->target, "identity");
    int64_t keepalive = KEEPALIVE_MS;
    unsigned long n;

    if (port && text_number(port, 65535, &n) && n)
        s->port = (unsigned)n;
    if (user)
        put_text(&s->user, user);
    take_ms(s->target, "keepalive", &keepalive);
    if (keepalive != KEEPALIVE_MS || s->keepalive == 0)
        s->keepalive = keepalive;
    if (s->connect_timeout <= 0)
        s->connect_timeout = s->target->connect_timeout;
    take_ms(s->target, "connect_timeout", &s->connect_timeout);
    return identity ? put_identity(s, identity, e) : 0;
}

void ssh_settings_release(struct ssh_settings *s)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        void *field = (char *)s + rows[i].at;
        if (rows[i].how == TAKE_TEXT)
            put_text(field, NULL);
        else if (rows[i].how == TAKE_LIST || rows[i].how == TAKE_FILES)
            words_release(field);
    }
    put_text(&s->alias, NULL);
    *s = (struct ssh_settings){0};
}
