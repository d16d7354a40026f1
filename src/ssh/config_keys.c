/* SPDX-License-Identifier: MIT */
/*
 * The keys of `ssh -G`: those that broker understands, those that the libssh2 engine does not support, and
 * those that can be ignored. Any other key requires the system's ssh, so that no setting of the user's
 * ssh_config is ignored.
 */
#include "config_keys.h"

#include <stddef.h>
#include <stdlib.h>

#include <base/mem.h>

#define MOST_FILES 64

enum take { TAKE_TEXT, TAKE_LIST, TAKE_FILES, TAKE_BOOL, TAKE_NUMBER, TAKE_SECONDS, TAKE_STRICT, TAKE_THERE };

static const struct {
    const char *key;
    enum take how;
    size_t at;
    const char *absent; /* the value that means "not set" */
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
    ROW("pubkeyacceptedkeytypes", TAKE_TEXT, pubkey_algorithms, NULL), /* name before 8.5 */
    ROW("requiredrsasize", TAKE_NUMBER, rsa_bits, NULL),
    ROW("preferredauthentications", TAKE_TEXT, preferred_authentications, NULL),
    ROW("pubkeyauthentication", TAKE_BOOL, publickey, NULL),
    ROW("kbdinteractiveauthentication", TAKE_BOOL, keyboard_interactive, NULL),
    ROW("challengeresponseauthentication", TAKE_BOOL, keyboard_interactive, NULL), /* name before 8.7 */
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

/* Options for which any other value than this one (NULL: any value) requires the system's ssh. */
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

/* These can be ignored whatever their value: they do not apply to a forward, or `ssh -G` has already used
 * them, or they belong to a row above. casignaturealgorithms: certificates require the system's ssh.
 * localcommand: see PermitLocalCommand. updatehostkeys: docs/tunnels.md. */
static const char harmless[] =
    "host canonicaldomains canonicalizefallbacklocal canonicalizehostname canonicalizemaxdots "
    "canonicalizepermittedcnames casignaturealgorithms channeltimeout clearallforwardings controlmaster "
    "controlpersist dynamicforward enableescapecommandline enablesshkeysign escapechar "
    "exitonforwardfailure forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports "
    "gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange "
    "gssapirenewalforcesrekey gssapiserveridentity gssapitrustdns hostbasedacceptedalgorithms "
    "hostbasedkeytypes ignoreunknown ipqos localcommand localforward logverbose obscurekeystroketiming "
    "permitremoteopen proxyusefdpass remotecommand remoteforward requesttty securitykeyprovider sendenv "
    "serveralivecountmax sessiontype setenv stdinnull streamlocalbindmask streamlocalbindunlink "
    "syslogfacility tag tcpkeepalive tunneldevice updatehostkeys versionaddendum warnweakcrypto "
    "xauthlocation";

void settings_put(char **to, const char *value)
{
    free(*to);
    *to = mem_strdup(value);
}

static bool is_yes(const char *value)
{
    return !text_equal(value, "no") && !text_equal(value, "false");
}

/* Splits "/a /with blank/b ~/c": ssh prints the files separated by spaces; each is absolute or begins with
 * ~/. */
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
        settings_put(field, set ? value : NULL);
    else if (how == TAKE_FILES)
        set ? take_files(field, value) : words_release(field);
    else if (set && ((struct words *)field)->count < MOST_FILES)
        words_add(field, value);
    return 0;
}

static bool is_harmless(const char *key)
{
    AUTO_WORDS(words);

    words_split(&words, harmless, ' ');
    for (size_t i = 0; i < words.count; i++) {
        if (text_equal_nocase(key, words.word[i]))
            return true;
    }
    return false;
}

/* A key that is not understood requires the system's ssh. */
static void leave_to_ssh(struct ssh_settings *s, const char *key)
{
    if (s->beyond || is_harmless(key))
        return;
    settings_put(&s->unknown, key);
    s->beyond = s->unknown;
}

int config_take(struct ssh_settings *s, const char *key, const char *value, struct err *e)
{
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!text_equal_nocase(key, rows[i].key))
            continue;
        known = true;
        if (take(rows[i].how, (char *)s + rows[i].at, value, rows[i].absent, e) < 0)
            return err_prefix(e, "%s", rows[i].key);
    }
    for (size_t i = 0; i < ARRAY_LEN(only_ssh); i++) {
        if (!text_equal_nocase(key, only_ssh[i].key))
            continue;
        known = true;
        if (!s->beyond && !text_equal_nocase(value, only_ssh[i].usual))
            s->beyond = only_ssh[i].words;
    }
    if (!known)
        leave_to_ssh(s, key);
    return 0;
}

void ssh_settings_release(struct ssh_settings *s)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        void *field = (char *)s + rows[i].at;
        if (rows[i].how == TAKE_TEXT)
            settings_put(field, NULL);
        else if (rows[i].how == TAKE_LIST || rows[i].how == TAKE_FILES)
            words_release(field);
    }
    settings_put(&s->alias, NULL);
    settings_put(&s->unknown, NULL);
    *s = (struct ssh_settings){0};
}
