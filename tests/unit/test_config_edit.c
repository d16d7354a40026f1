/* SPDX-License-Identifier: MIT */
/* Editing the config file: the rest of the file is kept, and written values are read back unchanged. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>

#include <model/config_edit.h>

#include "config_fixture.h"

static int add(const char *name, const struct override *settings, size_t count, struct err *e)
{
    return config_add_profile(name, settings, count, e);
}

static void expect_text(const char *text)
{
    AUTO_FREE(char *, is);

    is = read_text(MAIN_FILE);
    assert_string_equal(is, text);
}

static void first_profile(void **state)
{
    const struct override o[] = {
        {"host", "db.example.com", NULL}, {"user", "app", NULL}, {"database", "shop", NULL}};
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    assert_int_equal(add("shop", o, 3, &e), 0);
    expect_text("[profile shop]\nhost = db.example.com\nuser = app\ndatabase = shop\n");
    path = at_home(MAIN_FILE);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void keeps_the_rest_of_the_file(void **state)
{
    static const char old[] = "# mine\r\n[profile a] \n\thost\n";
    static const char good[] = "; mine\n\n[profile a]   \nhost=  \"h\"\n# the end, without LF";
    const struct override o = {"host", "b", NULL};
    AUTO_FREE(char *, real);
    AUTO_FREE(char *, link);
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    write_text("dotfiles/broker", good);
    set_mode("dotfiles/broker", 0644);
    write_text(".config/broker/x", "");
    real = at_home("dotfiles/broker");
    link = at_home(MAIN_FILE);
    assert_int_equal(symlink(real, link), 0);
    assert_int_equal(add("b", &o, 1, &e), 0);
    expect_text("; mine\n\n[profile a]   \nhost=  \"h\"\n# the end, without LF\n\n[profile b]\nhost = b\n");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(real, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    write_text(MAIN_FILE, old);
    assert_int_equal(add("b", &o, 1, &e), -1);
    expect_text(old);
}

/* Every value that a key may have is read back unchanged; a tab is refused. */
static void quoting(void **state)
{
    static const char *const values[] = {
        "plain",
        "two words",
        " space before",
        "space behind ",
        "a # b",
        "a ; b",
        "a#b;c",
        "#start",
        ";start",
        "\"quoted\"",
        "in \"the\" middle",
        "back\\slash",
        "\"\\",
        "a \\# \" b",
        "\xc3\xa9",
        "=",
        "[x]",
        "'",
        "a\t#b",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        AUTO_FREE(char *, name);
        struct err e = ERR_INIT;
        AUTO_PROFILE(p);
        AUTO_CONFIG(c);
        name = mem_printf("p%zu", i);
        const struct override o = {"user", values[i], NULL};
        bool has_tab = strchr(values[i], '\t') != NULL;
        assert_int_equal(add(name, &o, 1, &e), has_tab ? -1 : 0);
        if (has_tab)
            continue;
        assert_int_equal(config_load(&c, &e), 0);
        assert_int_equal(config_resolve(c, name, NULL, NULL, 0, &p, &e), 0);
        assert_string_equal(profile_str(&p, KEY_user), values[i]);
    }
}

static void written_form(void **state)
{
    const struct override o[] = {
        {"user", "a # \"b\\", NULL}, {"via", "", NULL}, {"tls-ca", "~/ca.pem", NULL}};
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(add("p", o, 3, &e), 0);
    expect_text("[profile p]\nuser = \"a # \\\"b\\\\\"\nvia =\ntls_ca = ~/ca.pem\n");
}

static void own_tunnel(void **state)
{
    const struct override o[] = {
        {"host", "h", NULL},        {"via", "ssh://u@b", NULL},      {"tunnel.type", "ssh", NULL},
        {"tunnel.host", "b", NULL}, {"tunnel.identity", "/k", NULL}, {"user", "u", NULL}};
    AUTO_PROFILE(p);
    AUTO_CONFIG(c);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(add("p", o, 6, &e), 0);
    expect_text(
        "[profile p]\nhost = h\nuser = u\nvia = p\n\n[tunnel p]\ntype = ssh\nhost = b\nidentity = /k\n");
    assert_int_equal(config_load(&c, &e), 0);
    assert_int_equal(config_resolve(c, "p", NULL, NULL, 0, &p, &e), 0);
    assert_string_equal(p.tunnel_name, "p");
}

static void expect_refusal(const char *name, struct override o, enum err_code code, const char *what,
                           const char *msg)
{
    AUTO_FREE(char *, before);
    struct err e = ERR_INIT;

    before = read_text(MAIN_FILE);
    assert_int_equal(add(name, &o, 1, &e), -1);
    assert_string_equal(e.msg, msg);
    assert_string_equal(e.what, what);
    assert_int_equal(e.code, code);
    assert_true(e.hint[0] != '\0');
    expect_text(before);
}

static void refuses_invalid(void **state)
{
    (void)state;
    write_text(MAIN_FILE, "[defaults]\ninclude = team\n[profile p]\n[tunnel t]\n");
    write_text(".config/broker/team", "\n[profile q]\n");
    expect_refusal("p", (struct override){"host", "h", NULL}, ERR_CONFIG, "p",
                   "this profile exists already, ~/.config/broker/config:3");
    expect_refusal("q", (struct override){"host", "h", NULL}, ERR_CONFIG, "q",
                   "this profile exists already, ~/.config/broker/team:2");
    expect_refusal("t", (struct override){"tunnel.host", "h", NULL}, ERR_CONFIG, "t",
                   "this tunnel exists already, ~/.config/broker/config:4");
    expect_refusal("a/b", (struct override){"host", "h", NULL}, ERR_USAGE, "a/b", "not a valid name");
    expect_refusal("n", (struct override){"hots", "h", NULL}, ERR_USAGE, "hots", "unknown key 'hots'");
    expect_refusal("n", (struct override){"password", "s3cret", "-o password"}, ERR_USAGE, "-o password",
                   "unknown key 'password'");
    expect_refusal("n", (struct override){"user", "a\nb = c", NULL}, ERR_CONFIG, "user",
                   "user: contains a control character");
    expect_refusal("n", (struct override){"port", "0", "-P"}, ERR_CONFIG, "-P",
                   "port: '0' is not a number from 1 to 65535");
}

/* Starts a process that adds [profile NAME] when `go` is closed. It must not inherit our lock. Its exit
 * status is 0, or the code of the error. */
static pid_t add_in_another_process(const char *name, int *go)
{
    const struct override o = {"host", "theirs", NULL};
    struct err e = ERR_INIT;
    int ends[2];
    char byte;

    assert_int_equal(fd_pipe(ends, &e), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    (void)close(ends[pid > 0 ? 0 : 1]);
    *go = ends[1];
    if (pid > 0)
        return pid;
    (void)alarm(60);
    (void)!read(ends[0], &byte, 1);
    _exit(add(name, &o, 1, &e) == 0 ? 0 : (int)e.code);
}

static bool has_open(pid_t pid, const char *path)
{
    AUTO_FREE(char *, folder);
    bool found = false;

    folder = mem_printf("/proc/%d/fd", (int)pid);
    DIR *files = opendir(folder);
    for (struct dirent *d; files && (d = readdir(files));) {
        char target[256] = "";
        (void)!readlinkat(dirfd(files), d->d_name, target, sizeof target - 1);
        found |= text_equal(target, path);
    }
    if (files)
        (void)closedir(files);
    return found;
}

/* Waits until the process has opened the lock, which this process holds. */
static void await_at_the_lock(pid_t pid)
{
    AUTO_FREE(char *, lock);

    lock = at_home(MAIN_FILE ".lock");
    while (!has_open(pid, lock)) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            fail_msg("it did not wait for the lock");
        (void)poll(NULL, 0, 5);
    }
}

/* Two processes add a profile at the same time. The one that waits for the lock reads the file under it, so
 * it keeps the other's profile, and refuses the same name. */
static void a_profile_of_another_process(void **state)
{
    static const struct {
        const char *theirs, *after;
        int status;
    } rows[] = {
        {"p", "[profile p]\nhost = ours\n", ERR_CONFIG},
        {"q", "[profile p]\nhost = ours\n\n[profile q]\nhost = theirs\n", 0},
    };
    const struct override o = {"host", "ours", NULL};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = ERR_INIT;
        AUTO_EDIT(edit);
        int go, status;
        write_text(MAIN_FILE, "");
        pid_t pid = add_in_another_process(rows[i].theirs, &go);
        assert_int_equal(config_edit_begin(&edit, &e), 0);
        (void)close(go);
        await_at_the_lock(pid);
        assert_int_equal(config_edit_add(&edit, "p", &o, 1, &e), 0);
        assert_int_equal(config_edit_save(&edit, &e), 0);
        file_unlock(&edit.lock);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), rows[i].status);
        expect_text(rows[i].after);
    }
}

/* Every kind of change to an existing file: the text before, the change, the text after. */
static const struct change {
    const char *before, *name, *key, *value, *after;
} changes[] = {
    {"[profile p]\nhost = h\n", "p", "host", "g", "[profile p]\nhost = g\n"},
    {"[profile p]\n  host        = h  \n", "p", "host", "g", "[profile p]\n  host        = g\n"},
    {"[profile p]\nhost=h\n", "p", "database", "d", "[profile p]\nhost=h\ndatabase=d\n"},
    {"[profile p]\nhost=h\n", "p", "tls", "required", "[profile p]\nhost=h\ntls=required\n"},
    {"[profile p]\n\thost     = h\n\n# q\n[profile q]\nuser = x\n", "p", "user", "u",
     "[profile p]\n\thost     = h\n\tuser     = u\n\n# q\n[profile q]\nuser = x\n"},
    {"[profile p]", "p", "user", "u", "[profile p]\nuser = u\n"},
    {"[profile p]\nhost = h", "p", "user", "u", "[profile p]\nhost = h\nuser = u\n"},
    {"[profile p]\r\nhost = h\r\n; c\r\n", "p", "user", "u",
     "[profile p]\r\nhost = h\r\nuser = u\r\n; c\r\n"},
    {"[profile p]\nhost = \"h\"\n", "p", "title", "a # \"b\"",
     "[profile p]\nhost = \"h\"\ntitle = \"a # \\\"b\\\"\"\n"},
    {"[profile p]\nvia = x\n", "p", "via", "", "[profile p]\nvia =\n"},
    {"[profile p]\nvia = x\n# c\nhost = h\n", "p", "via", NULL, "[profile p]\n# c\nhost = h\n"},
    {"[profile p]\nhost = h\n", "p", "via", NULL, "[profile p]\nhost = h\n"},
    {"[tunnel p]\nhost = t\n", "p", "host", "h", "[tunnel p]\nhost = t\n\n[profile p]\nhost = h\n"},
    {"\xef\xbb\xbf[profile p]\nhost = h\n", "p", "host", "g", "\xef\xbb\xbf[profile p]\nhost = g\n"},
    {"[ profile  p ]\nhost =\n", "p", "host", "g", "[ profile  p ]\nhost = g\n"},
};

static void sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        const struct override o = {changes[i].key, changes[i].value, NULL};
        struct err e = ERR_INIT;
        AUTO_EDIT(edit);
        write_text(MAIN_FILE, changes[i].before);
        assert_int_equal(config_edit_begin(&edit, &e), 0);
        assert_int_equal(config_edit_set(&edit, changes[i].name, &o, 1, &e), 0);
        assert_string_equal(buf_str(&edit.text), changes[i].after);
        assert_int_equal(config_edit_save(&edit, &e), 0);
        expect_text(changes[i].after);
    }
}

static void removes_and_renames(void **state)
{
    static const char *const rows[][3] = {
        {"[profile p]\nhost = h\n", "", "[profile n]\nhost = h\n"},
        {"# a\n[profile p]\n; in\nhost = h\n# below\n\n[profile q]\ninherits = p\n",
         "# a\n# below\n\n[profile q]\ninherits = p\n",
         "# a\n[profile n]\n; in\nhost = h\n# below\n\n[profile q]\ninherits = n\n"},
        {"[profile a]\nhost = h\n\n[profile p]\nhost = h\n\n[profile b]\n\tinherits=p\n[profile c]\ninherits "
         "= p",
         "[profile a]\nhost = h\n\n[profile b]\n\tinherits=p\n[profile c]\ninherits = p",
         "[profile a]\nhost = h\n\n[profile n]\nhost = h\n\n[profile b]\n\tinherits=n\n[profile c]\ninherits "
         "= n\n"},
        {"[profile a]\nhost = h\n\n  [ profile p ]  \r\nhost = h\r\n", "[profile a]\nhost = h\n",
         "[profile a]\nhost = h\n\n  [profile n]\r\nhost = h\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int renames = 0; renames < 2; renames++) {
            struct err e = ERR_INIT;
            AUTO_EDIT(edit);
            write_text(MAIN_FILE, rows[i][0]);
            assert_int_equal(config_edit_begin(&edit, &e), 0);
            assert_int_equal(
                renames ? config_edit_rename(&edit, "p", "n", &e) : config_edit_remove(&edit, "p", &e), 0);
            assert_string_equal(buf_str(&edit.text), rows[i][1 + renames]);
        }
    }
}

static void refuses_too_large_file(void **state)
{
    AUTO_BUF(text, 2 * 1024 * 1024);
    const struct override o = {"host", "h", NULL};
    struct err e = ERR_INIT;

    (void)state;
    while (text.len < 1024 * 1024 - 8)
        buf_puts(&text, "# 5678\n");
    write_bytes(MAIN_FILE, text.data, text.len);
    assert_int_equal(add("p", &o, 1, &e), -1);
    assert_string_equal(e.msg, "the config file would be too large");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, new_home, drop_home)
        TEST(first_profile),
        TEST(keeps_the_rest_of_the_file),
        TEST(quoting),
        TEST(written_form),
        TEST(own_tunnel),
        TEST(refuses_invalid),
        TEST(sets),
        TEST(removes_and_renames),
        TEST(a_profile_of_another_process),
        TEST(refuses_too_large_file),
    };

    return cmocka_run_group_tests_name("config, editing", tests, NULL, NULL);
}
