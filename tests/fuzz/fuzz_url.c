/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the URL parser, the masking and the rule for URLs. Apart from memory errors, it checks that every
 * refusal says what is wrong and how to fix it, that masking keeps the length and only writes asterisks, and
 * that no accepted URL runs a program, opens a file or uses a credential of this machine, or has a
 * credential sent to a server that it is not meant for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <model/address.h>
#include <model/url.h>
#include <session/session.h>

/* Masking only replaces characters by asterisks; a URL with a password is recognized as one. */
static void check_stars(const struct secret *s)
{
    if (s && strspn(secret_bytes(s), "*") != secret_len(s))
        abort();
}

static void check_mask(const char *url, const struct profile *p)
{
    AUTO_FREE(char *, masked);
    AUTO_PROFILE(again);
    struct err e = ERR_INIT;

    masked = mem_strdup(url);
    url_mask(masked);
    if (strlen(masked) != strlen(url))
        abort();
    bool has_password =
        (p->password && secret_len(p->password)) || (p->ssh_password && secret_len(p->ssh_password));
    if (has_password && !url_has_password(url))
        abort();
    for (size_t i = 0; url[i]; i++)
        if (masked[i] != url[i] && masked[i] != '*')
            abort();
    if (url_parse(masked, &again, &e) < 0)
        abort();
    check_stars(again.password);
    check_stars(again.ssh_password);
}

/* Listed by name, because the test checks the column of keys.def that says which keys a URL may set. */
static const enum key forbidden[] = {
    KEY_inherits,         KEY_client,     KEY_my_cnf,         KEY_local_infile,         KEY_listen,
    KEY_sign_host,        KEY_sign_port,  KEY_mfa_command,    KEY_vault_addr,           KEY_vault_ca,
    KEY_vault_cert,       KEY_vault_key,  KEY_vault_auth,     KEY_vault_namespace,      KEY_vault_mount,
    KEY_vault_role,       KEY_vault_user, KEY_vault_role_id,  KEY_vault_secret_id_file, KEY_vault_jwt_file,
    KEY_vault_token_file, KEY_vault_path, KEY_vault_callback, KEY_vault_revoke,         KEY_auth_command,
    KEY_auth_file,        KEY_auth_env,   KEY_auth_helper,    KEY_auth_helper_url,
};

static bool is(const struct profile *p, enum key k, const char *word)
{
    return p->set[k].value && strcmp(p->set[k].value, word) == 0;
}

/* The config is empty, so the URL has set every value. */
static void check_rule(const struct profile *p)
{
    const char *host = profile_str(p, KEY_host);
    bool tunnelled = profile_is_tunnelled(p), here = !tunnelled && (!host || host_is_loopback(host));
    bool own = p->password && (is(p, KEY_auth, "keychain") || is(p, KEY_auth, "prompt"));

    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (p->set[forbidden[i]].origin == ORIGIN_URL)
            abort();
    if (is(p, KEY_auth, "command") || is(p, KEY_auth, "file") || is(p, KEY_auth, "env") ||
        is(p, KEY_auth, "helper") || is(p, KEY_auth, "vault"))
        abort();
    if (own || is(p, KEY_auth, "none"))
        return;
    if (is(p, KEY_auth, "client") && !here)
        abort();
    if (is(p, KEY_auth, "iam") && (!is(p, KEY_tls, "verify-identity") || !host || profile_str(p, KEY_tls_ca)))
        abort();
    if (is(p, KEY_tls, "disabled") || (!here && !tunnelled && is(p, KEY_tls, "preferred")))
        abort();
    if (profile_bool(p, KEY_cleartext) && host && !is(p, KEY_tls, "verify-identity"))
        abort();
}

static void check_run(const char *url)
{
    AUTO_CONFIG(config);
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    if (setenv("BROKER_CONFIG", "/dev/null", 1) < 0 || config_load(&config, &e) < 0)
        abort();
    if (config_resolve(config, NULL, url, NULL, 0, &p, &e) == 0 &&
        session_derive(config, url, NULL, 0, &p, &e) == 0 && plan_check_url(&p, &e) == 0)
        check_rule(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE(char *, url);
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    url = mem_strndup((const char *)data, size);
    int got = url_parse(url, &p, &e);
    if (got < 0 && (e.code != ERR_DATA || strcmp(e.what, "URL") != 0 || !e.msg[0] || !e.hint[0]))
        abort();
    for (size_t k = 0; got == 0 && k < KEY_COUNT; k++) {
        AUTO_FREE(char *, again);
        if (p.set[k].value && key_check(&key_infos[k], p.set[k].value, &again, &e) < 0)
            abort();
    }
    if (got == 0) {
        check_mask(url, &p);
        check_run(url);
    } else if (url_is(url)) {
        url_mask(url);
    }
    return 0;
}
