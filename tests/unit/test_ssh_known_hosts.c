/* SPDX-License-Identifier: MIT */
/* known_hosts files: read as ssh-keygen reads them; host keys that are known, new, changed or revoked; lines
 * that are appended. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ipc/keeper.h>
#include <keeper/control_channel.h>
#include <keeper/shutdown.h>
#include <ssh/known_hosts.h>
#include <ssh/ssh.h>

#define A "AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"
#define B "AAAAC3NzaC1lZDI1NTE5AAAAIICBgoOEhYaHiImKi4yNjo+QkZKTlJWWl5iZmpucnZ6f"
#define EC "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAAABBA=="
#define RSA "AAAAB3NzaC1yc2EAAAADAQABAAAABQEBAQEB"

static char folder[] = "/tmp/broker-known-XXXXXX";

static char *in_folder(const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

static void write_text(const char *path, const char *text)
{
    struct err e = ERR_INIT;

    assert_int_equal(file_write(path, text, strlen(text), 0600, &e), 0);
}

static char *read_text(const char *path)
{
    AUTO_BUF(text, 65536);
    struct err e = ERR_INIT;

    assert_int_equal(file_read(path, FILE_ANY, &text, &e), 0);
    return buf_take(&text);
}

/* Returns the stdout of a program; NULL if there is no such program. */
static char *run(const char *const *words)
{
    AUTO_PROC_RESULT(result);
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;
    char *argv[12] = {0};

    path = proc_find(words[0]);
    if (!path)
        return NULL;
    argv[0] = path;
    for (size_t i = 1; words[i]; i++)
        argv[i] = mem_strdup(words[i]);
    struct proc_run how = {.argv = argv, .deadline = clock_deadline(30000, CLOCK_NEVER), .max = 65536};
    assert_int_equal(proc_capture(&how, &result, &e), 0);
    for (size_t i = 1; argv[i]; i++)
        free(argv[i]);
    return mem_strdup(secret_bytes(result.out));
}

/* --- lines ---------------------------------------------------------------------------------------------- */

static const char *const lines[] = {
    "# a comment",
    "",
    "plain.example ssh-ed25519 " A " comment with words",
    "one.example,two.example,192.0.2.1 ssh-ed25519 " A,
    "*.wild.example ssh-ed25519 " A,
    "*.neg.example,!bad.neg.example ssh-ed25519 " A,
    "!first.neg2.example,*.neg2.example ssh-ed25519 " A,
    "h?st.example ssh-ed25519 " A,
    "[port.example]:2222 ssh-ed25519 " A,
    "[*.port2.example]:22?? ssh-ed25519 " A,
    "UPPER.example ssh-ed25519 " A,
    "  \t indented.example \t ssh-ed25519 \t " A "\t",
    "@cert-authority *.ca.example ssh-ed25519 " A,
    "@revoked revoked.example ssh-ed25519 " A,
    "crlf.example ssh-ed25519 " A "\r",
    "2001:db8::1 ssh-ed25519 " A,
    "!onlyneg.example ssh-ed25519 " A,
    "a,,b.example ssh-ed25519 " A,
    "a**b.example ssh-ed25519 " A,
    /* lines that ssh skips */
    "garbage",
    "nokey.example ssh-ed25519",
    "badkey.example ssh-ed25519 AAAA!!!!",
    "othertype.example ssh-rsa " A,
    "short.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAA=",
    "rsa1.example 1024 35 1234567890",
    "@unknown-marker marker.example ssh-ed25519 " A,
    "@revoked @cert-authority marker2.example ssh-ed25519 " A,
    "|1|not base64|x ssh-ed25519 " A,
    "|2|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-ed25519 " A,
    "last.example ssh-ed25519 " A,
};

static const char *const hosts[] = {
    "plain.example",  "PLAIN.example",          "one.example",       "two.example",      "192.0.2.1",
    "a.wild.example", "a.b.wild.example",       "wild.example",      "good.neg.example", "bad.neg.example",
    "x.neg2.example", "first.neg2.example",     "host.example",      "hst.example",      "port.example",
    "upper.example",  "[port.example]:2222",    "[port.example]:22", "x.ca.example",     "revoked.example",
    "crlf.example",   "[a.port2.example]:2200", "indented.example",  "2001:db8::1",      "onlyneg.example",
    "b.example",      "axxb.example",           "ab.example",        "marker.example",   "marker2.example",
    "last.example",   "unheard.example",        "rsa1.example",      "nokey.example",
};

static char *all_lines(void)
{
    AUTO_BUF(text, 65536);

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        buf_printf(&text, "%s\n", lines[i]);
    return buf_take(&text);
}

static char *lower(const char *s)
{
    return known_hosts_name(s, 22);
}

/* Checks that each name matches the same lines as with `ssh-keygen -F`. */
static void expect_the_lines_of_ssh_keygen(const char *path)
{
    for (size_t h = 0; h < ARRAY_LEN(hosts); h++) {
        AUTO_KNOWN_HOSTS(known);
        AUTO_BUF(ours, 4096);
        AUTO_BUF(theirs, 4096);
        AUTO_FREE(char *, name);
        AUTO_FREE(char *, found);
        struct err e = ERR_INIT;

        name = lower(hosts[h]);
        found = run((const char *[]){"ssh-keygen", "-F", name, "-f", path, NULL});
        if (!found)
            skip();
        for (const char *p = found; (p = strstr(p, " found: line ")); p++)
            buf_printf(&theirs, "%lu ", strtoul(p + strlen(" found: line "), NULL, 10));
        assert_int_equal(known_hosts_read(&known, path, name, NULL, &e), 0);
        for (size_t i = 0; i < known.count; i++) {
            if (known.key[i].ours)
                buf_printf(&ours, "%lu ", known.key[i].line);
        }
        if (strcmp(buf_str(&ours), buf_str(&theirs)) != 0)
            fail_msg("%s: lines %s, ssh-keygen says %s", name, buf_str(&ours), buf_str(&theirs));
    }
}

static void lines_match_as_with_ssh_keygen(void **state)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, text);

    (void)state;
    path = in_folder("known");
    text = all_lines();
    write_text(path, text);
    expect_the_lines_of_ssh_keygen(path);
}

static void hashed_lines_match_as_with_ssh_keygen(void **state)
{
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, said);

    (void)state;
    path = in_folder("hashed");
    write_text(path, "plain.example,one.example ssh-ed25519 " A "\n[port.example]:2222 ssh-ed25519 " A
                     "\n*.wild.example ssh-ed25519 " A "\n");
    said = run((const char *[]){"ssh-keygen", "-H", "-f", path, NULL});
    if (!said)
        skip();
    expect_the_lines_of_ssh_keygen(path);
}

static void ssh_keygen_finds_the_lines_that_we_write(void **state)
{
    static const char *const names[] = {"new.example", "[new.example]:2222"};

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(names); i++) {
        AUTO_FREE(char *, path);
        AUTO_FREE(char *, found);
        AUTO_BUF(line, 4096);
        path = in_folder("written");
        known_hosts_write_name(&line, names[i / 2], i % 2);
        assert_int_equal(*buf_str(&line) == '|', i % 2);
        buf_puts(&line, " ssh-ed25519 " A "\n");
        write_text(path, buf_str(&line));
        found = run((const char *[]){"ssh-keygen", "-F", names[i / 2], "-f", path, NULL});
        if (!found)
            skip();
        assert_non_null(strstr(found, "found: line 1"));
    }
}

static void the_fingerprint_is_that_of_ssh_keygen(void **state)
{
    AUTO_KNOWN_HOSTS(known);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, said);
    AUTO_BUF(print, 128);
    struct err e = ERR_INIT;

    (void)state;
    path = in_folder("print");
    write_text(path, "plain.example ssh-ed25519 " A "\n");
    said = run((const char *[]){"ssh-keygen", "-l", "-f", path, NULL});
    if (!said)
        skip();
    assert_int_equal(known_hosts_read(&known, path, "plain.example", NULL, &e), 0);
    assert_int_equal(known.count, 1);
    host_key_fingerprint(&print, known.key[0].blob, known.key[0].len);
    assert_non_null(strstr(said, buf_str(&print)));
    assert_string_equal(host_key_label(known.key[0].type), "ED25519");
}

/* --- verdicts ------------------------------------------------------------------------------------------- */

#define ANSWERS_MOST 3

struct verdict_case {
    const char *what, *text; /* the file */
    const char *offered;
    enum ssh_strictness strict;
    const char *answers[ANSWERS_MOST];
    unsigned port;
    bool hash;
    enum err_code code;
    const char *msg;   /* a part of the error */
    const char *added; /* what was appended to the file */
};

static const struct verdict_case cases[] = {
    {"known", "b.example ssh-ed25519 " A "\n", A, .port = 22},
    {"known by the bare name", "b.example ssh-ed25519 " A "\n", A, .port = 2222},
    {"known by either type", "b.example ssh-rsa " RSA "\nb.example ssh-ed25519 " A "\n", A, .port = 22},
    {"known, strictly", "b.example ssh-ed25519 " A "\n", A, SSH_STRICT_YES, .port = 22},
    {"changed", "b.example ssh-ed25519 " B "\n", A, .port = 22, .code = ERR_REFUSED,
     .msg = "b.example: REMOTE HOST IDENTIFICATION HAS CHANGED"},
    {"changed, type too", "b.example ssh-rsa " RSA "\n", A, .port = 22, .code = ERR_REFUSED,
     .msg = "REMOTE HOST IDENTIFICATION HAS CHANGED"},
    {"changed, and not strict", "b.example ssh-ed25519 " B "\n", A, SSH_STRICT_NO, .port = 22,
     .code = ERR_REFUSED, .msg = "REMOTE HOST IDENTIFICATION HAS CHANGED"},
    {"changed at the port, though known without a port",
     "[b.example]:2222 ssh-ed25519 " B "\nb.example ssh-ed25519 " A "\n", A, .port = 2222,
     .code = ERR_REFUSED, .msg = "[b.example]:2222: REMOTE HOST"},
    {"revoked", "@revoked * ssh-ed25519 " A "\nb.example ssh-ed25519 " A "\n", A, .port = 22,
     .code = ERR_REFUSED, .msg = "marked as revoked"},
    {"revoked, and not strict", "@revoked b.example ssh-ed25519 " A "\n", A, SSH_STRICT_NO, .port = 22,
     .code = ERR_REFUSED, .msg = "marked as revoked"},
    {"another is revoked", "@revoked * ssh-ed25519 " B "\nb.example ssh-ed25519 " A "\n", A, .port = 22},
    {"a CA key is not a host key", "@cert-authority b.example ssh-ed25519 " A "\n", A, .port = 22,
     .answers = {"no"}, .code = ERR_REFUSED, .msg = "b.example: Host key verification failed"},
    {"new, yes", "", A, .port = 22, .answers = {"yes"}, .added = "b.example ssh-ed25519 " A "\n"},
    {"new, Yes", "", A, .port = 22, .answers = {"Yes"}, .added = "b.example ssh-ed25519 " A "\n"},
    {"new, at a port", "", A, .port = 2222, .answers = {"yes"},
     .added = "[b.example]:2222 ssh-ed25519 " A "\n"},
    {"new, fingerprint typed", "", A, .port = 22,
     .answers = {"SHA256:mKqU+0K8OhKmA8bBQi9Rz0Q5l7/g160hIP+rJYSTNj4"},
     .added = "b.example ssh-ed25519 " A "\n"},
    {"new, another fingerprint typed", "", A, .port = 22, .answers = {"SHA256:x", "what?", "no"},
     .code = ERR_REFUSED, .msg = "verification failed"},
    {"new, empty answer", "", A, .port = 22, .answers = {""}, .code = ERR_REFUSED,
     .msg = "verification failed"},
    {"new, strictly", "", A, SSH_STRICT_YES, .port = 22, .code = ERR_REFUSED,
     .msg = "b.example: No ED25519 host key is known and you have requested strict checking"},
    {"new, accepted without a question", "x ssh-ed25519 " B "\n", A, SSH_STRICT_ACCEPT_NEW, .port = 22,
     .added = "b.example ssh-ed25519 " A "\n"},
    {"new, after a line without newline", "x ssh-ed25519 " B, A, SSH_STRICT_NO, .port = 22,
     .added = "\nb.example ssh-ed25519 " A "\n"},
    {"new, hashed", "", A, SSH_STRICT_NO, .port = 22, .hash = true, .added = "|1|"},
};

/* Forks a child that answers like broker, at the other end of the keeper's control channel. A question for
 * which there is no answer is answered "no", and then the child exits with 1. */
static pid_t answer_with(const char *const *answers, int saved[2], int sockets[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    saved[0] = dup(0);
    saved[1] = dup(1);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(sockets[0]);
        for (size_t i = 0;;) {
            AUTO_RECORD(question);
            AUTO_RECORD(answer);
            struct err e = ERR_INIT;
            if (record_read(sockets[1], &question, CLOCK_NEVER, &e) <= 0)
                _exit(i > ANSWERS_MOST || (i > 0 && !answers[i - 1]));
            if (question.kind != KEEPER_ASK)
                continue;
            answer.kind = KEEPER_ANSWER;
            record_put_str(&answer, KEEPER_TAG_SECRET, i < ANSWERS_MOST && answers[i] ? answers[i] : "no");
            (void)record_write(sockets[1], &answer, CLOCK_NEVER, &e);
            i++;
        }
    }
    (void)close(sockets[1]);
    (void)dup2(sockets[0], 0);
    (void)dup2(sockets[0], 1);
    return pid;
}

static void stop_answering(pid_t pid, const int saved[2], const int sockets[2])
{
    int status;

    (void)dup2(saved[0], 0);
    (void)dup2(saved[1], 1);
    (void)close(saved[0]);
    (void)close(saved[1]);
    (void)close(sockets[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static size_t blob_of(const char *base64, void *out, size_t room)
{
    AUTO_KNOWN_HOSTS(known);
    AUTO_FREE(char *, line);

    line = mem_printf("x %s %s", text_starts(base64, RSA) ? "ssh-rsa" : "ssh-ed25519", base64);
    known_hosts_parse(&known, "x", line, strlen(line), "x", NULL);
    assert_int_equal(known.count, 1);
    assert_true(known.key[0].len <= room);
    memcpy(out, known.key[0].blob, known.key[0].len);
    return known.key[0].len;
}

static int check(const struct verdict_case *c, char *path, struct err *e)
{
    char *user[] = {path}, *global[] = {(char *)"/nonexistent/known_hosts"};
    char alias[] = "b", host[] = "B.example";
    static const struct target target = {.ask = control_ask};
    static const struct control_events events = {.quit = shutdown_now, .wait = shutdown_wait};
    struct ssh_settings s = {.target = &target,
                             .alias = alias,
                             .host = host,
                             .port = c->port,
                             .strict = c->strict,
                             .hash_known_hosts = c->hash,
                             .user_known_hosts = {user, 1},
                             .global_known_hosts = {global, 1}};
    unsigned char blob[512];
    size_t n = blob_of(c->offered, blob, sizeof blob);
    int saved[2], sockets[2];
    int64_t deadline = CLOCK_NEVER;

    control_init(&events);
    pid_t pid = answer_with(c->answers, saved, sockets);
    int result = host_key_check(&s, "203.0.113.7", blob, n, &deadline, e);
    stop_answering(pid, saved, sockets);
    return result;
}

static void verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct verdict_case *c = &cases[i];
        AUTO_FREE(char *, path);
        AUTO_FREE(char *, now);
        struct err e = ERR_INIT;
        path = in_folder("verdict");
        write_text(path, c->text);
        int result = check(c, path, &e);
        if (result != (c->code ? -1 : 0) || e.code != c->code || (c->msg && !strstr(e.msg, c->msg)))
            fail_msg("%s: %d %d %s", c->what, result, e.code, e.msg);
        now = read_text(path);
        if (strncmp(now, c->text, strlen(c->text)) != 0 ||
            strncmp(now + strlen(c->text), c->added ? c->added : "", c->hash ? 3 : 4096) != 0)
            fail_msg("%s: the file is now %s", c->what, now);
    }
}

static void the_error_of_a_changed_key(void **state)
{
    static const struct verdict_case c = {
        "", "# one\nb.example ssh-rsa " RSA "\nb.example ssh-ed25519 " B "\n", A, .port = 22};
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, details);
    AUTO_FREE(char *, hint);
    struct err e = ERR_INIT;

    (void)state;
    path = in_folder("changed");
    write_text(path, c.text);
    assert_int_equal(check(&c, path, &e), -1);
    details = mem_printf("%s:3  ED25519 SHA256:%s\noffered now%*s  ED25519 SHA256:%s\n", path,
                         "YcVk7i0bMzY4caiU7i03fc1WQqqKloaFRrxkrGW4SDQ", (int)(strlen(path) + 2 - 11), "",
                         "mKqU+0K8OhKmA8bBQi9Rz0Q5l7/g160hIP+rJYSTNj4");
    hint = mem_printf("ssh-keygen -R b.example -f %s, once you know why", path);
    assert_string_equal(e.msg, "b.example: REMOTE HOST IDENTIFICATION HAS CHANGED");
    assert_string_equal(e.detail, details);
    assert_string_equal(e.hint, hint);
}

static void the_file_and_its_folder_are_private(void **state)
{
    static const struct verdict_case c = {"", "", A, SSH_STRICT_NO, .port = 22};
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, parent);
    struct err e = ERR_INIT;
    struct stat st;

    (void)state;
    parent = in_folder(".ssh");
    path = in_folder(".ssh/known_hosts");
    assert_int_equal(check(&c, path, &e), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(parent, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void dev_null_is_an_empty_file(void **state)
{
    static const struct verdict_case c = {"", "", A, SSH_STRICT_NO, .port = 22};
    char path[] = "/dev/null";
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(check(&c, path, &e), 0);
}

static void types_of_known_keys_come_first(void **state)
{
    static const char text[] =
        "@revoked b.example ssh-dss AAAAB3NzaC1kc3MAAAABAQ==\n"
        "b.example ssh-rsa " RSA "\nb.example ssh-ed25519 " A "\n"
        "*.example ssh-rsa " RSA "\n@cert-authority *.example ssh-ed25519 " B "\n"
        "b.example ecdsa-sha2-nistp256 " EC "\n@revoked * ecdsa-sha2-nistp256 " EC "\n";
    AUTO_FREE(char *, path);
    AUTO_WORDS(types);
    bool authority = false;

    (void)state;
    path = in_folder("types");
    write_text(path, text);
    char *user[] = {path}, host[] = "b.example", alias[] = "b";
    struct ssh_settings s = {.alias = alias, .host = host, .port = 22, .user_known_hosts = {user, 1}};
    host_key_types(&s, &types, &authority);
    assert_int_equal(types.count, 2);
    assert_string_equal(types.word[0], "ssh-rsa");
    assert_string_equal(types.word[1], "ssh-ed25519");
    assert_true(authority);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(run((const char *[]){"rm", "-r", folder, NULL}));
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_match_as_with_ssh_keygen),
        cmocka_unit_test(hashed_lines_match_as_with_ssh_keygen),
        cmocka_unit_test(ssh_keygen_finds_the_lines_that_we_write),
        cmocka_unit_test(the_fingerprint_is_that_of_ssh_keygen),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(the_error_of_a_changed_key),
        cmocka_unit_test(the_file_and_its_folder_are_private),
        cmocka_unit_test(dev_null_is_an_empty_file),
        cmocka_unit_test(types_of_known_keys_come_first),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
