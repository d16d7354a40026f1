/* SPDX-License-Identifier: MIT */
/*
 * Collects the settings for Vault: the profile's keys, or else the environment variables of OpenBao's and
 * Vault's own programs, BAO_NAME before VAULT_NAME.
 */
#include <vault/vault.h>

#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>

#include "lease.h"
#include "method.h"
#include "path.h"
#include "token.h"

static const struct vault_method *const methods[] = {
#define METHOD(id) &vault_method_##id,
#include "methods.def"
};

const struct vault_method *vault_method_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (text_equal(methods[i]->name, name))
            return methods[i];
    }
    return NULL;
}

void vault_release(struct vault *v)
{
    char **const owned[] = {&v->addr,         &v->space,      &v->ca,   &v->cert,     &v->key,
                            &v->mount,        &v->role,       &v->user, &v->role_id,  &v->secret_id_file,
                            &v->jwt_file,     &v->token_file, &v->path, &v->tls_name, &v->callback,
                            &v->profile_name, &v->given_by};

    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        free(*owned[i]);
    secret_free(v->given);
    vault_token_clear(&v->token);
    vault_lease_clear(&v->lease);
    *v = (struct vault){0};
}

/* The two variables for one setting. */
struct variable {
    const char *bao, *vault;
};

/* Returns the value and sets *name to the variable that has it; returns NULL if neither is set. */
static const char *value_of(struct variable of, const char **name)
{
    const char *const names[] = {of.bao, of.vault};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = secure_getenv(names[i]);
        *name = names[i];
        if (value && *value)
            return value;
    }
    return NULL;
}
#define VARIABLE(name)                                                                                       \
    (struct variable)                                                                                        \
    {                                                                                                        \
        "BAO_" name, "VAULT_" name                                                                           \
    }

/* Takes the profile's key, or else the variable, checked as if it were the key's value. */
static int take(const struct profile *p, enum key key, struct variable of, char **out, struct err *e)
{
    const char *own = profile_str(p, key), *name, *value;

    if (own) {
        *out = mem_strdup(own);
        return 0;
    }
    value = value_of(of, &name);
    if (!value || key_check(&key_infos[key], value, out, e) == 0)
        return 0;
    return err_what(e, "%s", name);
}

/* Takes the token from the environment. A line break in it would start another HTTP header; other invisible
 * characters are a mistake. */
static int take_token(struct vault *v, struct err *e)
{
    const char *name, *value = value_of(VARIABLE("TOKEN"), &name);
    const char *fault = value ? vault_token_fault(value) : NULL;

    if (!value)
        return 0;
    if (fault) {
        (void)err_set(e, ERR_CONFIG, "the token in it contains %s", fault);
        (void)err_what(e, "%s", name);
        return err_hint_sh(e, "unset %s", name);
    }
    v->given_by = mem_strdup(name);
    v->given = secret_from(value, strlen(value));
    return 0;
}

static int take_mount(const struct profile *p, struct vault *v, struct err *e)
{
    const char *own = profile_str(p, KEY_vault_mount);

    if (v->method->has_no_mount)
        return 0;
    return vault_path_take("vault_mount", own ? own : v->method->name, &v->mount, e);
}

static int check_namespace(const struct vault *v, struct err *e)
{
    if (!v->space || !vault_token_fault(v->space))
        return 0;
    (void)err_set(e, ERR_CONFIG, "vault_namespace: %s", vault_token_fault(v->space));
    return err_hint(e, "for example: vault_namespace = team/db");
}

static int lacks(const char *key, const char * or, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "auth = vault needs %s", key);
    return err_hint(e, "%s", or);
}

/* Refuses settings that would otherwise be ignored. */
static int check_profile(const struct profile *p, struct err *e)
{
    if (profile_str(p, KEY_user)) {
        (void)err_set(e, ERR_CONFIG, "auth = vault creates the user, so user cannot be set");
        return err_hint(e, "remove user, or leave it empty if it is inherited");
    }
    return 0;
}

static int fill(const struct profile *p, struct vault *v, struct err *e)
{
    const char *name;

    if (take(p, KEY_vault_addr, VARIABLE("ADDR"), &v->addr, e) < 0 ||
        take(p, KEY_vault_namespace, VARIABLE("NAMESPACE"), &v->space, e) < 0 ||
        take(p, KEY_vault_ca, VARIABLE("CACERT"), &v->ca, e) < 0 ||
        take(p, KEY_vault_cert, VARIABLE("CLIENT_CERT"), &v->cert, e) < 0 ||
        take(p, KEY_vault_key, VARIABLE("CLIENT_KEY"), &v->key, e) < 0 || take_token(v, e) < 0)
        return -1;
    v->tls_name = mem_strdup(value_of(VARIABLE("TLS_SERVER_NAME"), &name));
    if (v->tls_name && !host_is_valid(v->tls_name)) {
        (void)err_set(e, ERR_CONFIG, "no host name");
        (void)err_what(e, "%s", name);
        return err_hint_sh(e, "unset %s", name);
    }
    v->role = mem_strdup(profile_str(p, KEY_vault_role));
    v->user = mem_strdup(profile_str(p, KEY_vault_user));
    v->role_id = mem_strdup(profile_str(p, KEY_vault_role_id));
    v->secret_id_file = mem_strdup(profile_str(p, KEY_vault_secret_id_file));
    v->jwt_file = mem_strdup(profile_str(p, KEY_vault_jwt_file));
    v->token_file = path_expand(profile_str(p, KEY_vault_token_file));
    v->callback = mem_strdup(profile_str(p, KEY_vault_callback));
    v->profile_name = mem_strdup(p->name);
    v->connect_ms = profile_ms(p, KEY_connect_timeout);
    v->revokes = profile_bool(p, KEY_vault_revoke);
    return 0;
}

int vault_open(const struct profile *p, struct vault *out, struct err *e)
{
    const char *path = profile_str(p, KEY_vault_path);

    if (check_profile(p, e) < 0 || fill(p, out, e) < 0)
        return -1;
    if (!out->addr)
        return lacks("vault_addr", "vault_addr = https://vault.example.com, or VAULT_ADDR", e);
    if (!path)
        return lacks("vault_path", "vault_path = database/creds/ROLE", e);
    out->method = vault_method_find(profile_str(p, KEY_vault_auth));
    if (!out->method)
        return err_set(e, ERR_BUG, "vault_auth = %s: unknown method", profile_str(p, KEY_vault_auth));
    if (take_mount(p, out, e) < 0 || vault_path_take("vault_path", path, &out->path, e) < 0 ||
        check_namespace(out, e) < 0)
        return -1;
    return out->method->check && !out->given ? out->method->check(out, e) : 0;
}

int vault_check(const struct profile *p, struct err *e)
{
    AUTO_VAULT(v);

    return vault_open(p, &v, e);
}

void vault_describe(const struct vault *v, struct buf *out)
{
    buf_printf(out, "vault %s, %s", v->addr, v->given ? v->given_by : v->method->name);
}
