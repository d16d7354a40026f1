/* SPDX-License-Identifier: MIT */
/* The parts of the Vault client that need no server: paths as the user writes them and as they are sent,
 * errors on one line, the URL of a login page, the table of methods, tokens. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <base/mem.h>
#include <base/text.h>
#include <vault/auth_url.h>
#include <vault/method.h>
#include <vault/path.h>
#include <vault/refusal.h>
#include <vault/token.h>

static void paths(void **state)
{
    static const struct {
        const char *written, *sent; /* sent NULL: refused */
    } cases[] = {
        {"database/creds/readonly", "database/creds/readonly"},
        {"/database/creds/readonly/", "database/creds/readonly"},
        {"  /databases_credentials/  ", "databases_credentials"},
        {"team/db", "team/db"},
        {"my mount/creds/a+b@c", "my%20mount/creds/a%2Bb%40c"},
        {"@evil.com", "%40evil.com"},
        {"team/%2e%2e/secret", "team/%252e%252e/secret"},
        {"database/creds/x?list=true#y", "database/creds/x%3Flist%3Dtrue%23y"},
        {"a/.../b", "a/.../b"},
        {"   ", NULL},
        {"/", NULL},
        {"../secret", NULL},
        {"team/../secret", NULL},
        {"database/creds/..", NULL},
        {".", NULL},
        {"database/./creds/x", NULL},
        {"team//db", NULL},
        {"team/d\nb", NULL},
        {"team/d\x7f"
         "b",
         NULL},
        {"team/d\xc3\xa9", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE(char *, path);
        AUTO_BUF(sent, 1024);
        struct err e = ERR_INIT;
        if (vault_path_take("vault_path", cases[i].written, &path, &e) < 0) {
            assert_null(cases[i].sent);
            assert_int_equal(e.code, ERR_CONFIG);
            assert_true(text_starts(e.msg, "vault_path: ") && e.hint[0]);
            continue;
        }
        vault_path_encode(&sent, path);
        assert_string_equal(buf_str(&sent), cases[i].sent);
    }
}

static void roles(void **state)
{
    static const struct {
        const char *path, *mount, *role;
        bool is_static;
    } cases[] = {
        {"databases_credentials/creds/role-name", "databases_credentials", "role-name", false},
        {"team/db/creds/ro", "team/db", "ro", false},
        {"team/creds/mysql/creds/readonly", "team/creds/mysql", "readonly", false},
        {"db/static-creds/app", "db", "app", true},
        {"static-creds/creds/app", "static-creds", "app", false},
        {"db/creds/static-creds/app", "db/creds", "app", true},
        {"database", "database", NULL, false},
        {"team/db", "team/db", NULL, false},
        {"db/creds", "db", NULL, false},
        {"db/static-creds", "db", NULL, false},
        {"creds", "creds", NULL, false},
        {"weird-value", "weird-value", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE(char *, mount);
        const char *role = vault_path_role(cases[i].path);
        mount = mem_strndup(cases[i].path, (size_t)vault_path_mount_length(cases[i].path));
        assert_string_equal(mount, cases[i].mount);
        assert_int_equal(role != NULL, cases[i].role != NULL);
        if (role)
            assert_string_equal(role, cases[i].role);
        assert_int_equal(vault_path_is_static(cases[i].path), cases[i].is_static);
    }
}

static void errors_on_one_line(void **state)
{
    static const struct {
        const char *errors, *line;
    } cases[] = {
        {"", ""},
        {"permission denied\n", "permission denied"},
        {"1 error occurred:\n\t* permission denied\n\n\n", "permission denied"},
        {"2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n\n",
         "permission denied; invalid token"},
        {"unknown role: missing\n", "unknown role: missing"},
        {"one\ntwo\n", "one; two"},
        {"2 error occurred: x\n", "x"},
        {"12 monkeys\n", "12 monkeys"},
        {"bad \x1b[2J\xe2\x80\xaetext\rbroker: hint: curl\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[256], small[8];
        vault_words(cases[i].errors, out, sizeof out);
        vault_words(cases[i].errors, small, sizeof small);
        assert_true(strlen(small) < sizeof small && strncmp(out, small, strlen(small)) == 0);
        if (cases[i].line)
            assert_string_equal(out, cases[i].line);
        else
            assert_true(!strpbrk(out, "\x1b\r\n") && !strstr(out, "\xe2\x80\xae"));
    }
}

#define STATE "state=st_a"
static void login_pages(void **state)
{
    static const struct {
        const char *url, *value; /* value NULL: refused */
        bool form;
    } cases[] = {
        {"https://idp.example.com/oauth2/auth?" STATE, "st_a", false},
        {"https://idp.example.com?" STATE "&response_mode=form_post", "st_a", true},
        {"https://idp.example.com/a?response_mode=form_post&" STATE "%2Cns%3Dteam", "st_a,ns=team", true},
        {"https://idp.example.com/a?response_mode=query&" STATE "#state=other", "st_a", false},
        {"http://127.0.0.1:8080/a?" STATE, "st_a", false},
        {"http://localhost/a?" STATE, "st_a", false},
        {"https://[2001:db8::1]:8443/a?x=1&" STATE, "st_a", false},
        {"http://idp.example.com/a?" STATE, NULL, false},
        {"http://127.0.0.1.evil.example/a?" STATE, NULL, false},
        {"javascript:alert(1)?" STATE, NULL, false},
        {"file:///etc/passwd?" STATE, NULL, false},
        {"x-myapp://attacker.example.com/steal?" STATE, NULL, false},
        {"data:text/html,<script>alert(1)</script>?" STATE, NULL, false},
        {"-https://idp.example.com/a?" STATE, NULL, false},
        {"--help", NULL, false},
        {" https://idp.example.com/a?" STATE, NULL, false},
        {"https://-idp.example.com/a?" STATE, NULL, false},
        {"https:///a?" STATE, NULL, false},
        {"https://idp.example.com/a b?" STATE, NULL, false},
        {"https://idp.example.com/a?" STATE "\n", NULL, false},
        {"https://idp.example.com/a?x=1", NULL, false},
        {"https://idp.example.com/a?state=", NULL, false},
        {"https://idp.example.com/a?" STATE "&state=st_b", NULL, false},
        {"https://idp.example.com/a?state=%zz", NULL, false},
        {"https://idp.example.com/a?xstate=st_a", NULL, false},
        {"https://idp.example.com/a#" STATE, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_SECRET(value);
        struct err e = ERR_INIT;
        bool form = false;
        if (vault_auth_url_read(cases[i].url, &value, &form, &e) < 0) {
            assert_null(cases[i].value);
            assert_int_equal(e.code, ERR_PROTOCOL);
            assert_true(e.hint[0]);
            continue;
        }
        assert_non_null(cases[i].value);
        assert_string_equal(secret_bytes(value), cases[i].value);
        assert_int_equal(form, cases[i].form);
    }
}

static void methods(void **state)
{
    AUTO_WORDS(known);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(text_split_words(key_infos[KEY_vault_auth].limits, &known, &e), 0);
    for (size_t i = 0; i < known.count; i++) {
        const struct vault_method *m = vault_method_find(known.word[i]);
        assert_non_null(m);
        assert_string_equal(m->name, known.word[i]);
    }
    assert_null(vault_method_find("kerberos"));
}

static void tokens(void **state)
{
    (void)state;
    assert_null(vault_token_fault("hvs.CAESI-_.x"));
    assert_string_equal(vault_token_fault("hvs.a\nX-Evil: 1"), "a control character");
    assert_string_equal(vault_token_fault("hvs.a\x7f"), "a control character");
    assert_string_equal(vault_token_fault("hvs a"), "a space");
    assert_string_equal(vault_token_fault("hvs.\xc3\xa9"), "a character that is not ASCII");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),       cmocka_unit_test(roles),   cmocka_unit_test(errors_on_one_line),
        cmocka_unit_test(login_pages), cmocka_unit_test(methods), cmocka_unit_test(tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
