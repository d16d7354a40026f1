/* SPDX-License-Identifier: MIT */
/*
 * Resolves the chain in botocore's order: environment; role_arn; web identity; SSO; keys in the credentials
 * file; `aws login`; credential_process; keys in the config file; container; instance. The choice depends
 * only on the configuration, never on which service answers, so that the same files always give the same
 * chain.
 */
#include <aws/chain.h>

#include <stdlib.h>
#include <string.h>

#include <aws/keys.h>
#include <base/mem.h>
#include <base/text.h>

#include "chain_profile.h"
#include "chain_sso.h"

const char *aws_kind_words(enum aws_kind kind)
{
    static const char *const words[] = {
#define SOURCE(id, text) text,
#include <aws/kinds.def>
    };

    return words[kind];
}

void aws_chain_release(struct aws_chain *c)
{
    free(c->step);
    *c = (struct aws_chain){0};
}

static struct aws_step *push(struct aws_chain *c, enum aws_kind kind, const char *profile)
{
    c->step = mem_grow(c->step, c->count + 1, sizeof *c->step);
    c->step[c->count] = (struct aws_step){.kind = kind, .profile = profile};
    return &c->step[c->count++];
}

/* --- keys in the environment */

static int check_variable(const char *name, const char *value, struct err *e)
{
    const char *found = value ? aws_word_fault(value) : NULL;

    if (!found)
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s contains %s", name, found);
    return err_hint(e, "export it again");
}

static int add_environment(const struct aws_env *env, struct aws_chain *out, struct err *e)
{
    const char *token = env->security_token ? env->security_token : env->session_token;

    if (!env->secret_access_key) {
        (void)err_set(e, ERR_CONFIG, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
        return err_hint(e, "export both, or neither");
    }
    if (check_variable("AWS_ACCESS_KEY_ID", env->access_key_id, e) < 0 ||
        check_variable("AWS_SECRET_ACCESS_KEY", env->secret_access_key, e) < 0 ||
        check_variable(env->security_token ? "AWS_SECURITY_TOKEN" : "AWS_SESSION_TOKEN", token, e) < 0)
        return -1;
    struct aws_step *s = push(out, AWS_KIND_static_keys, NULL);
    s->id = env->access_key_id;
    s->secret = env->secret_access_key;
    s->token = token;
    s->account = env->account_id;
    s->expiration = env->credential_expiration;
    return 0;
}

/* --- the source in one profile */

/* Adds the profile's static keys. Returns 1 if it has keys, 0 if not. Both halves must be in the same
 * file. */
static int add_static(const struct scope *s, enum aws_file file, struct aws_chain *out, struct err *e)
{
    const struct aws_property *id = scope_property_of(s, file, "aws_access_key_id");
    const struct aws_property *secret = scope_property_of(s, file, "aws_secret_access_key");
    const struct aws_property *token = scope_property_of(s, file, "aws_security_token");
    const struct aws_property *account = scope_property_of(s, file, "aws_account_id");

    if (!id)
        return 0;
    if (!secret || !*secret->value || !*id->value)
        return scope_refuse(s, id, "write both keys into the same section of the same file", e,
                            *id->value ? "aws_access_key_id without aws_secret_access_key"
                                       : "aws_access_key_id is empty");
    if (token && !*token->value)
        return scope_refuse(s, token, "delete the line", e, "aws_security_token is empty");
    token = token ? token : scope_property_of(s, file, "aws_session_token");
    if (scope_word(s, id, e) < 0 || scope_word(s, secret, e) < 0 || scope_word(s, token, e) < 0)
        return -1;
    struct aws_step *step = push(out, AWS_KIND_static_keys, s->name);
    step->id = id->value;
    step->secret = secret->value;
    step->token = token && *token->value ? token->value : NULL;
    step->account = account && *account->value ? account->value : NULL;
    return 1;
}

/* Each environment variable overrides the profile's key, unless `env` is NULL. */
static int add_web_identity(const struct aws_env *env, const struct scope *s, struct aws_chain *out,
                            struct err *e)
{
    const char *file = env ? env->web_identity_token_file : NULL;
    const char *role = env ? env->role_arn : NULL, *session = env ? env->role_session_name : NULL;
    const struct aws_property *at = scope_property(s, "web_identity_token_file");

    if (!file && !at)
        return 0;
    if (!file && scope_text(s, "web_identity_token_file", &file, e) < 0)
        return -1;
    if (role ? check_variable("AWS_ROLE_ARN", role, e) < 0
             : scope_word(s, scope_property(s, "role_arn"), e) < 0)
        return -1;
    role = role ? role : scope_value(s, "role_arn");
    if (!role) {
        if (env && env->web_identity_token_file) {
            (void)err_set(e, ERR_CONFIG, "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
            return err_hint(e, "export both, or neither");
        }
        return scope_refuse(s, at, "add role_arn", e, "web_identity_token_file without role_arn");
    }
    struct aws_step *step =
        push(out, AWS_KIND_web_identity, env && env->web_identity_token_file ? NULL : s->name);
    step->token_file = file;
    step->role_arn = role;
    step->session_name = session ? session : scope_value(s, "role_session_name");
    return 1;
}

static int add_sso(const struct scope *s, struct aws_chain *out, struct err *e)
{
    struct aws_step step = {.kind = AWS_KIND_sso, .profile = s->name};
    int found = chain_sso_read(s, &step, e);

    if (found > 0)
        *push(out, step.kind, s->name) = step;
    return found;
}

static int add_login_session(const struct scope *s, struct aws_chain *out, struct err *e)
{
    const char *value;
    int found = scope_text(s, "login_session", &value, e);

    if (found > 0 && scope_word(s, scope_property(s, "login_session"), e) < 0)
        return -1;
    if (found > 0)
        push(out, AWS_KIND_login_session, s->name)->login_session = value;
    return found;
}

static int add_process(const struct scope *s, struct aws_chain *out, struct err *e)
{
    const char *value;
    int found = scope_text(s, "credential_process", &value, e);

    if (found > 0) {
        struct aws_step *step = push(out, AWS_KIND_credential_process, s->name);
        step->command = value;
        step->account = scope_value(s, "aws_account_id");
    }
    return found;
}

/* Adds the profile's own source of keys. Returns 0 if it has none. If `env` is NULL, the environment's web
 * identity is ignored. */
static int add_profile_base(const struct aws_env *env, const struct scope *s, struct aws_chain *out,
                            struct err *e)
{
    int found = add_web_identity(env, s, out, e);

    if (found == 0)
        found = add_sso(s, out, e);
    if (found == 0)
        found = add_static(s, AWS_FILE_CREDENTIALS, out, e);
    if (found == 0)
        found = add_login_session(s, out, e);
    if (found == 0)
        found = add_process(s, out, e);
    if (found == 0)
        found = add_static(s, AWS_FILE_CONFIG, out, e);
    return found ? found : chain_sso_refuse_half(s, e);
}

/* --- roles */

static int add_named_source(const struct aws_env *env, const struct scope *s, struct aws_chain *out,
                            struct err *e)
{
    const struct aws_property *at = scope_property(s, "credential_source");

    if (text_equal(at->value, "Environment")) {
        if (env->access_key_id)
            return add_environment(env, out, e);
        return scope_refuse(s, at, "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", e,
                            "credential_source = Environment, but AWS_ACCESS_KEY_ID is not set");
    }
    if (text_equal(at->value, "EcsContainer")) {
        if (env->container_relative_uri || env->container_full_uri) {
            (void)push(out, AWS_KIND_container, NULL);
            return 0;
        }
        return scope_refuse(s, at, "this works only in a container of ECS or EKS", e,
                            "credential_source = EcsContainer, but AWS_CONTAINER_CREDENTIALS_* is not set");
    }
    if (text_equal(at->value, "Ec2InstanceMetadata")) {
        (void)push(out, AWS_KIND_instance, NULL);
        return 0;
    }
    return scope_refuse(s, at, "one of: Environment Ec2InstanceMetadata EcsContainer", e,
                        "unknown credential_source '%s'", at->value);
}

static int add_role(const struct scope *s, const char *arn, struct aws_chain *out, struct err *e)
{
    static const char *const words[] = {"role_arn", "role_session_name", "mfa_serial"};
    const char *duration = scope_value(s, "duration_seconds");
    unsigned long n;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (scope_word(s, scope_property(s, words[i]), e) < 0)
            return -1;
    }
    struct aws_step *step = push(out, AWS_KIND_assume_role, s->name);
    step->role_arn = arn;
    step->session_name = scope_value(s, "role_session_name");
    step->external_id = scope_value(s, "external_id");
    step->mfa_serial = scope_value(s, "mfa_serial");
    step->duration = text_number(duration, 1000000, &n) ? duration : NULL;
    return 0;
}

/* If a profile has both a role and keys, the role is used if it is the chosen profile, and the keys if it is
 * the source_profile of another one. */
static bool is_role(const struct scope *s, bool is_source)
{
    return scope_property(s, "role_arn") && !scope_property(s, "web_identity_token_file") &&
           !(is_source && scope_has_keys(s));
}

/* Finds the source_profile of `s`. Returns 1 if it is another profile, 0 if it is `s` itself, whose own keys
 * are then the source. */
static int next_profile(const struct scope *s, const struct words *visited, struct scope *next, struct err *e)
{
    const struct aws_property *at = scope_property(s, "source_profile");

    *next = (struct scope){s->files, at->value};
    if (!aws_files_has(s->files, AWS_PROFILE, next->name))
        return scope_refuse(s, at, "set it to a profile that exists", e,
                            "no AWS profile '%s' for source_profile", next->name);
    if (aws_files_check(s->files, AWS_PROFILE, next->name, e) < 0)
        return -1;
    for (size_t i = 0; i < visited->count; i++) {
        if (!text_equal(visited->word[i], next->name))
            continue;
        if (text_equal(next->name, s->name) && scope_has_keys(next))
            return 0;
        return scope_refuse(s, at, "the last profile of the chain needs credentials of its own", e,
                            "source_profile = %s is a loop", next->name);
    }
    return 1;
}

static int base_of_source(const struct scope *s, struct aws_chain *out, struct err *e)
{
    int found = add_profile_base(NULL, s, out, e);

    if (found != 0)
        return found < 0 ? -1 : 0;
    (void)err_set(e, ERR_CONFIG, "AWS profile '%s', the source_profile of another one, has no credentials",
                  s->name);
    return err_hint_sh(e, "aws configure --profile %s", s->name);
}

/* Follows source_profile from the chosen profile to the one with keys, then adds the roles in reverse
 * order. */
static int add_roles(const struct aws_env *env, struct scope s, struct aws_chain *out, struct err *e)
{
    AUTO_WORDS(visited);
    bool at_end = false;

    do {
        const struct aws_property *arn = scope_property(&s, "role_arn");
        const struct aws_property *named = scope_property(&s, "credential_source");
        bool has_source = scope_property(&s, "source_profile");
        if (!*arn->value)
            return scope_refuse(&s, arn, "write the role's ARN, or delete the line", e, "role_arn is empty");
        if (named && has_source)
            return scope_refuse(&s, named, "delete one of them", e,
                                "both source_profile and credential_source");
        if (!named && !has_source)
            return scope_refuse(&s, arn, "add source_profile = the profile whose keys may assume the role", e,
                                "role_arn without source_profile or credential_source");
        words_add(&visited, s.name);
        if (named) {
            if (add_named_source(env, &s, out, e) < 0)
                return -1;
            break;
        }
        struct scope next;
        int more = next_profile(&s, &visited, &next, e);
        if (more < 0)
            return -1;
        at_end = more == 0 || !is_role(&next, true);
        if (at_end && base_of_source(&next, out, e) < 0)
            return -1;
        s = next;
    } while (!at_end);
    for (size_t i = visited.count; i-- > 0;) {
        /* The chain keeps this name, so it must be the string in the files; `visited` is freed on return. */
        struct scope role = {s.files, scope_section_name(s.files, visited.word[i])};
        if (add_role(&role, scope_value(&role, "role_arn"), out, e) < 0)
            return -1;
    }
    return 0;
}

/* --- the chain */

const char *aws_profile_name(const struct aws_env *env, const char *profile)
{
    if (profile)
        return profile;
    return env->profile ? env->profile : env->default_profile ? env->default_profile : "default";
}

/* Adds the machine's own role, if nothing is configured. */
static void add_rest(const struct aws_env *env, struct aws_chain *out)
{
    if (env->container_relative_uri || env->container_full_uri)
        (void)push(out, AWS_KIND_container, NULL);
    else
        push(out, AWS_KIND_instance, NULL)->is_last_resort = true;
}

int aws_chain_resolve(const struct aws_env *env, const struct aws_files *files, const char *profile,
                      struct aws_chain *out, struct err *e)
{
    const char *name = aws_profile_name(env, profile);
    bool is_named = profile || env->profile || env->default_profile;
    struct scope s = {files, name};

    out->profile = name;
    if (is_named && !aws_files_has(files, AWS_PROFILE, name))
        return scope_no_profile(&s, e);
    if (aws_files_check(files, AWS_PROFILE, name, e) < 0)
        return -1;
    if (!profile && env->access_key_id)
        return add_environment(env, out, e);
    if (is_role(&s, false))
        return add_roles(env, s, out, e);
    int found = add_profile_base(profile ? NULL : env, &s, out, e);
    if (found < 0)
        return -1;
    if (found == 0)
        add_rest(env, out);
    return 0;
}

int aws_chain_no_keys(const struct aws_chain *c, struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "no AWS credentials in the environment or in AWS profile '%s'", c->profile);
    return err_hint(e,
                    "aws_profile = NAME, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or: aws configure");
}
