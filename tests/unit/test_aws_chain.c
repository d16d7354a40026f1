/* SPDX-License-Identifier: MIT */
/*
 * Resolves credential chains: the texts of the two files, the environment and a profile's name give a list of
 * steps or an error. tests/cli/test_aws_chain.py compares the keys that are found with botocore's.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <aws/chain.h>
#include <aws/session.h>
#include <base/mem.h>
#include <base/text.h>

#include "aws_chain_cases.h"
#include "aws_auto.h"

static void add(struct buf *out, const char *name, const char *value)
{
    if (value)
        buf_printf(out, " %s=%s", name, value);
}

static void render(const struct aws_chain *c, struct buf *out)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct aws_step *s = &c->step[i];
        buf_printf(out, "%s%s", i ? "; " : "", aws_kind_words(s->kind));
        add(out, "of", s->profile);
        add(out, "id", s->id);
        add(out, "secret", s->secret);
        add(out, "token", s->token);
        add(out, "account", s->account);
        add(out, "expiration", s->expiration);
        add(out, "command", s->command);
        add(out, "role", s->role_arn);
        add(out, "session", s->session_name);
        add(out, "external", s->external_id);
        add(out, "mfa", s->mfa_serial);
        add(out, "duration", s->duration);
        add(out, "file", s->token_file);
        add(out, "sso", s->session);
        add(out, "url", s->start_url);
        add(out, "region", s->sso_region);
        add(out, "sso_account", s->sso_account);
        add(out, "sso_role", s->sso_role);
        add(out, "scopes", s->scopes);
        add(out, "login", s->login_session);
        if (s->is_last_resort)
            buf_puts(out, " (last)");
    }
}

static void chains(void **state)
{
    const struct chain_case *c = *state;
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);
    AUTO_AWS_CHAIN(chain);
    AUTO_BUF(out, 65536);

    assert_int_equal(aws_files_parse(c->config, c->config ? strlen(c->config) : 0, c->credentials,
                                     c->credentials ? strlen(c->credentials) : 0, &files, &e),
                     0);
    if (aws_chain_resolve(&c->env, &files, c->profile, &chain, &e) == 0)
        render(&chain, &out);
    else
        buf_printf(&out, "%d: %s%s%s", (int)e.code, e.what, e.what[0] ? ": " : "", e.msg);
    assert_string_equal(buf_str(&out), c->text);
    if (e.code)
        assert_true(e.hint[0]);
}

/* --- the identity of a chain, and its description */

static void identity_of(const char *config, const struct aws_env *env, char out[64], struct buf *description)
{
    AUTO_FREE(char *, identity);
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);
    AUTO_AWS_CHAIN(chain);

    assert_int_equal(aws_files_parse(config, strlen(config), NULL, 0, &files, &e), 0);
    if (aws_chain_resolve(env, &files, NULL, &chain, &e) < 0)
        fail_msg("%s", e.msg);
    const struct aws_context c = {.env = *env, .files = files, .chain = chain};
    identity = aws_session_identity(&c);
    (void)snprintf(out, 64, "%s", identity);
    aws_chain_describe(&chain, description);
}

#define BASE "[profile b]\naws_access_key_id = id\naws_secret_access_key = s\n"
#define ROLE "[profile p]\nrole_arn = arn:aws:iam::1:role/path/R\nsource_profile = b\n"

/* Each config has another identity, except the last two, which have the identity of the first. */
static void identities(void **state)
{
    static const char *const configs[] = {
        BASE ROLE,
        BASE ROLE "external_id = x\n",
        BASE ROLE "role_session_name = x\n",
        BASE ROLE "mfa_serial = x\n",
        BASE ROLE "duration_seconds = 900\n",
        "[profile b]\naws_access_key_id = other\naws_secret_access_key = s\n" ROLE,
        BASE "[profile p]\nrole_arn = arn:aws:iam::1:role/path/S\nsource_profile = b\n",
        "[profile b]\nrole_arn = r\nsource_profile = c\n[profile c]\naws_access_key_id = id\n"
        "aws_secret_access_key = s\n" ROLE,
        "[profile b]\ncredential_process = run id\n" ROLE,
        BASE ROLE "region = eu-west-1\n",
        ROLE
        "duration_seconds = much\n[profile b]\naws_secret_access_key = another\naws_access_key_id = id\n",
    };
    static const size_t alike = 2;
    const struct aws_env env = {.profile = "p"};
    char identity[ARRAY_LEN(configs)][64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        AUTO_BUF(description, 1024);
        identity_of(configs[i], &env, identity[i], &description);
        assert_non_null(strstr(buf_str(&description), "aws profile p, "));
        for (size_t j = 0; j < i && i < ARRAY_LEN(configs) - alike; j++)
            assert_string_not_equal(identity[i], identity[j]);
    }
    for (size_t i = ARRAY_LEN(configs) - alike; i < ARRAY_LEN(configs); i++)
        assert_string_equal(identity[i], identity[0]);
}

static void description(void **state)
{
    static const struct {
        const char *config;
        struct aws_env env;
        const char *text;
    } cases[] = {
        {"[profile p]\naws_access_key_id = i\naws_secret_access_key = s\n",
         {.profile = "p"},
         "aws profile p, static keys"},
        {"", {.access_key_id = "i", .secret_access_key = "s"}, "aws environment, static keys"},
        {BASE ROLE, {.profile = "p"}, "aws profile p, static keys of b, role R"},
        {"[profile p]\ncredential_process = x\n", {.profile = "p"}, "aws profile p, credential_process"},
        {"",
         {.role_arn = "a:role/W", .web_identity_token_file = "/f"},
         "aws environment, web identity, role W"},
        {"", {.container_full_uri = "http://x"}, "aws, container credentials"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(text, 1024);
        char identity[64];
        identity_of(cases[i].config, &cases[i].env, identity, &text);
        assert_string_equal(buf_str(&text), cases[i].text);
    }
}

/* The length of a chain is not limited. */
static void long_chain(void **state)
{
    struct err e = ERR_INIT;
    AUTO_BUF(config, AWS_FILE_MOST);
    AUTO_AWS_FILES(files);
    AUTO_AWS_CHAIN(chain);
    const struct aws_env env = {.profile = "p0"};

    (void)state;
    for (int i = 0; i < 300; i++)
        buf_printf(&config, "[profile p%d]\nrole_arn = r%d\nsource_profile = p%d\n", i, i, i + 1);
    buf_puts(&config, "[profile p300]\ncredential_process = x\n");
    assert_int_equal(aws_files_parse(buf_str(&config), config.len, NULL, 0, &files, &e), 0);
    assert_int_equal(aws_chain_resolve(&env, &files, NULL, &chain, &e), 0);
    assert_int_equal(chain.count, 301);
    assert_string_equal(chain.step[1].role_arn, "r299");
    assert_string_equal(chain.step[300].role_arn, "r0");
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(chain_cases) + 3];
    size_t n = 0;

    for (; n < ARRAY_LEN(chain_cases); n++)
        tests[n] = (struct CMUnitTest){.name = chain_cases[n].name,
                                       .test_func = chains,
                                       .initial_state = (void *)(uintptr_t)&chain_cases[n]};
    tests[n++] = (struct CMUnitTest){.name = "identities", .test_func = identities};
    tests[n++] = (struct CMUnitTest){.name = "description", .test_func = description};
    tests[n++] = (struct CMUnitTest){.name = "long chain", .test_func = long_chain};
    return cmocka_run_group_tests_name("aws chain", tests, NULL, NULL);
}
