/* SPDX-License-Identifier: MIT */
/* Reading the output of `ssh -G`: from the real ssh, and from a fake one that fails or hangs; also the
 * defaults if there is no ssh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <event/child.h>
#include <event/loop.h>
#include <ssh/config.h>

static char folder[] = "/tmp/broker-sshconfig-XXXXXX";

static void write_text(const char *name, const char *text, mode_t mode)
{
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;

    path = mem_printf("%s/%s", folder, name);
    assert_int_equal(file_write(path, text, strlen(text), mode, &e), 0);
}

static void put_list(struct buf *out, const char *name, const struct words *w)
{
    buf_printf(out, "%s", name);
    for (size_t i = 0; i < w->count; i++)
        buf_printf(out, " [%s]", w->word[i]);
    buf_putc(out, '\n');
}

#define TEXT(s) ((s) ? (s) : "-")

/* Appends the settings, one per line, so that a case can look for lines. */
static void show(struct buf *out, const struct ssh_settings *s)
{
    buf_printf(out, "alias %s\nhost %s\nport %u\nuser %s\nhka %s\nagent %s\n", s->alias, s->host, s->port,
               s->user, TEXT(s->host_key_alias), TEXT(s->identity_agent));
    put_list(out, "id", &s->identity_files);
    put_list(out, "cert", &s->certificate_files);
    put_list(out, "user known", &s->user_known_hosts);
    put_list(out, "global known", &s->global_known_hosts);
    buf_printf(out, "given %d\nonly %d\nstrict %d\nhash %d\njump %s\ncommand %s\n", s->identity_given,
               s->identities_only, s->strict, s->hash_known_hosts, TEXT(s->proxy_jump),
               TEXT(s->proxy_command));
    buf_printf(out, "ciphers %s\nmacs %s\nhostkeys %s\npreferred %s\n", TEXT(s->ciphers), TEXT(s->macs),
               TEXT(s->host_key_algorithms), TEXT(s->preferred_authentications));
    buf_printf(out, "pubkey %d\nkbd %d\npassword %d\nprompts %u\nkeepalive %ld\nconnect %ld\n", s->publickey,
               s->keyboard_interactive, s->password, s->password_prompts, (long)s->keepalive,
               (long)s->connect_timeout);
    buf_printf(out, "compression %d\npkcs11 %s\nbind %s\nfamily %s\nbeyond %s\n", s->compression,
               TEXT(s->pkcs11_provider), TEXT(s->bind_address), TEXT(s->address_family), TEXT(s->beyond));
}

static bool has_line(const char *text, const char *line)
{
    AUTO_BUF(whole, 65536);
    AUTO_BUF(wanted, 65536);

    buf_printf(&whole, "\n%s", text);
    buf_printf(&wanted, "\n%s\n", line);
    return strstr(buf_str(&whole), buf_str(&wanted));
}

/* --- the whole run: child, parser, the tunnel's keys ---------------------------------------------------- */

static struct err last_error;
static struct buf last = BUF_INIT(65536);
static bool is_read;

static void was_read(const struct ssh_settings *s, const struct err *e)
{
    buf_clear(&last);
    err_clear(&last_error);
    if (s)
        show(&last, s);
    else
        err_copy(&last_error, e);
    is_read = true;
}

static struct target target;

/* Reads the settings for these keys of a tunnel: "a=b,c=d". */
static void read_with(const char *keys)
{
    words_release(&target.keys);
    for (const char *p = keys; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ','))
        words_take(&target.keys, mem_strndup(p, strcspn(p, ",")));
    target.connect_timeout = 10000;
    is_read = false;
    ssh_config_read(&target, was_read);
    assert_false(is_read);
    loop_until(&is_read);
}

/* Creates a program `ssh` that runs the real one with this configuration, and puts it first in PATH. Returns
 * false if there is no ssh. */
static bool real_ssh(const char *config)
{
    AUTO_FREE(char *, real);
    AUTO_FREE(char *, script);
    AUTO_FREE(char *, path);

    assert_int_equal(setenv("PATH", "/usr/bin:/bin", 1), 0);
    real = proc_find("ssh");
    if (!real)
        return false;
    write_text("config", config, 0600);
    script = mem_printf("#!/bin/sh\nprintf '%%s\\n' \"$*\" >%s/args\nexec %s -F %s/config \"$@\"\n", folder,
                        real, folder);
    write_text("ssh", script, 0700);
    path = mem_printf("%s:/usr/bin:/bin", folder);
    return setenv("PATH", path, 1) == 0;
}

struct config_case {
    const char *config, *keys;
    const char *lines[6];
};

static const struct config_case cases[] = {
    {"",
     "host=b.example",
     {"host b.example", "port 22", "strict 0", "keepalive 60000", "connect 10000", "beyond -"}},
    {"Host b\n HostName real.example\n Port 2222\n User them\n",
     "host=b",
     {"alias b", "host real.example", "port 2222", "user them"}},
    {"Host b\n Port 2222\n User them\n", "host=b,port=2200,user=us", {"port 2200", "user us"}},
    {"Match user us\n Port 7\n", "host=b,user=us", {"port 7"}},
    {"IdentityFile /k/%h-%r-%p-%n-%%\nUser u", "host=b.example", {"id [/k/b.example-u-22-b.example-%]"}},
    {"IdentityFile \"/k/with blank\"\nIdentityFile /k/two", "host=b", {"id [/k/with blank] [/k/two]"}},
    {"IdentityFile ${BROKER_TEST_DIR}/x", "host=b", {"id [/var/x]", "beyond -"}},
    {"IdentityFile /k/%C", "host=b", {"id", "beyond the name of a file"}},
    {"IdentityFile none", "host=b", {"id"}},
    {"IdentitiesOnly yes", "host=b", {"only 1"}},
    {"CertificateFile /k/%n-cert.pub", "host=b", {"cert [/k/b-cert.pub]"}},
    {"UserKnownHostsFile \"/k/with blank\" /k/%h", "host=b", {"user known [/k/with blank] [/k/b]"}},
    {"UserKnownHostsFile none\nGlobalKnownHostsFile none", "host=b", {"user known", "global known"}},
    {"UserKnownHostsFile /dev/null", "host=b", {"user known [/dev/null]"}},
    {"GlobalKnownHostsFile ~nobody/k", "host=b", {"beyond the name of a file"}},
    {"StrictHostKeyChecking yes", "host=b", {"strict 1"}},
    {"StrictHostKeyChecking accept-new", "host=b", {"strict 2"}},
    {"StrictHostKeyChecking no", "host=b", {"strict 3"}},
    {"StrictHostKeyChecking off", "host=b", {"strict 3"}},
    {"HashKnownHosts yes", "host=b", {"hash 1"}},
    {"HostKeyAlias other", "host=b", {"hka other"}},
    {"ProxyJump a,u@c:2222", "host=b", {"jump a,u@c:2222"}},
    {"ProxyCommand nc %h %p", "host=b", {"command nc %h %p"}},
    {"ProxyCommand none", "host=b", {"command -", "jump -"}},
    {"PubkeyAuthentication no\nPasswordAuthentication no\nKbdInteractiveAuthentication no",
     "host=b",
     {"pubkey 0", "password 0", "kbd 0"}},
    {"PreferredAuthentications password", "host=b", {"preferred password", "pubkey 1"}},
    {"NumberOfPasswordPrompts 1", "host=b", {"prompts 1"}},
    {"ServerAliveInterval 30", "host=b,keepalive=60000", {"keepalive 30000"}},
    {"ServerAliveInterval 30", "host=b,keepalive=15000", {"keepalive 15000"}},
    {"ServerAliveInterval 30", "host=b,keepalive=0", {"keepalive 0"}},
    {"ConnectTimeout 7", "host=b", {"connect 7000"}},
    {"ConnectTimeout 7", "host=b,connect_timeout=2500", {"connect 2500"}},
    {"Ciphers aes128-ctr\nMACs hmac-sha2-256\nHostKeyAlgorithms ssh-ed25519",
     "host=b",
     {"ciphers aes128-ctr", "macs hmac-sha2-256", "hostkeys ssh-ed25519"}},
    {"BindAddress 127.0.0.1\nAddressFamily inet\nCompression yes",
     "host=b",
     {"bind 127.0.0.1", "family inet", "compression 1"}},
    {"IdentityAgent /a/%n", "host=b", {"agent /a/b"}},
    {"IdentityAgent none", "host=b", {"agent -", "beyond -"}},
    {"IdentityAgent agent.sock", "host=b", {"agent -", "beyond the name of the agent's socket"}},
    {"IdentityAgent $BROKER_TEST_DIR", "host=b", {"agent /var"}},
    {"IdentityAgent SSH_AUTH_SOCK", "host=b", {"agent /run/agent"}},
    {"", "host=b", {"agent /run/agent"}},
    {"PKCS11Provider /lib/p11.so", "host=b", {"pkcs11 /lib/p11.so"}},
    {"RevokedHostKeys /k/revoked", "host=b", {"beyond RevokedHostKeys"}},
    {"KnownHostsCommand /bin/echo %H", "host=b", {"beyond KnownHostsCommand"}},
    {"VerifyHostKeyDNS yes", "host=b", {"beyond VerifyHostKeyDNS"}},
    {"FingerprintHash md5", "host=b", {"beyond FingerprintHash"}},
    {"AddKeysToAgent yes", "host=b", {"beyond AddKeysToAgent"}},
    {"RekeyLimit 1G", "host=b", {"beyond RekeyLimit"}},
    {"BatchMode yes", "host=b", {"beyond BatchMode"}},
    {"CheckHostIP yes", "host=b", {"beyond CheckHostIP"}},
    {"ConnectionAttempts 3", "host=b", {"beyond ConnectionAttempts"}},
};

static void ssh_config_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct config_case *c = &cases[i];
        if (!real_ssh(c->config))
            skip();
        read_with(c->keys);
        if (last_error.code)
            fail_msg("%s: %s", c->config, last_error.msg);
        for (size_t l = 0; l < ARRAY_LEN(c->lines) && c->lines[l]; l++) {
            if (!has_line(buf_str(&last), c->lines[l]))
                fail_msg("%s: not '%s' in\n%s", c->config, c->lines[l], buf_str(&last));
        }
    }
}

static void tilde_in_known_hosts_files_is_the_home(void **state)
{
    const struct passwd *pw = getpwuid(getuid());
    AUTO_FREE(char *, line);

    (void)state;
    if (!pw || !real_ssh("GlobalKnownHostsFile ~/k \"~/with blank\" /k/two"))
        skip();
    line = mem_printf("global known [%s/k] [%s/with blank] [/k/two]", pw->pw_dir, pw->pw_dir);
    read_with("host=b");
    assert_true(has_line(buf_str(&last), line));
}

static void only_keys_that_are_set_become_arguments(void **state)
{
    static const char *const expected[][2] = {
        {"host=b", "-G -N -T -- b\n"},
        {"host=b,port=22,user=us", "-G -N -T -p 22 -l us -- b\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        AUTO_FREE(char *, path);
        AUTO_BUF(args, 4096);
        struct err e = ERR_INIT;
        if (!real_ssh(""))
            skip();
        read_with(expected[i][0]);
        path = mem_printf("%s/args", folder);
        assert_int_equal(file_read(path, FILE_ANY, &args, &e), 0);
        assert_string_equal(buf_str(&args), expected[i][1]);
    }
}

static void an_identity_comes_first(void **state)
{
    AUTO_FREE(char *, keys);
    AUTO_FREE(char *, line);

    (void)state;
    write_text("key", "x", 0600);
    if (!real_ssh("IdentityFile /k/other"))
        skip();
    keys = mem_printf("host=b,identity=%s/key", folder);
    line = mem_printf("id [%s/key] [/k/other]", folder);
    read_with(keys);
    assert_true(has_line(buf_str(&last), line));
    assert_true(has_line(buf_str(&last), "given 1"));
    read_with("host=b,identity=/nonexistent/key");
    assert_int_equal(last_error.code, ERR_CONFIG);
    assert_string_equal(last_error.msg, "identity /nonexistent/key: No such file or directory");
}

static void an_error_in_the_configuration_is_reported(void **state)
{
    AUTO_FREE(char *, message);
    AUTO_FREE(char *, detail);

    (void)state;
    if (!real_ssh("\nColour red\n"))
        skip();
    read_with("host=b");
    message = mem_printf("ssh -G b: %s/config: line 2: Bad configuration option: colour", folder);
    detail = mem_printf("%s/config: terminating, 1 bad configuration options\n", folder);
    assert_int_equal(last_error.code, ERR_CONFIG);
    assert_string_equal(last_error.msg, message);
    assert_string_equal(last_error.detail, detail);
    assert_string_equal(last_error.hint, "make ssh b work");
}

static void a_program_that_is_not_ssh(void **state)
{
    static const struct {
        const char *script;
        enum err_code code;
        const char *msg;
    } scripts[] = {
        {"#!/bin/sh\nexit 3\n", ERR_CONFIG, "ssh -G b: exit status 3"},
        {"#!/bin/sh\necho hello world\n", ERR_PROTOCOL, "ssh -G b: printed no host, port and user"},
        {"#!/bin/sh\necho port 22x\n", ERR_PROTOCOL, "ssh -G b: port: not a number"},
        {"#!/bin/sh\nprintf 'host b\\nhostname b\\nuser u\\nport 70000\\n'\n", ERR_PROTOCOL,
         "ssh -G b: printed no host, port and user"},
        {"#!/bin/sh\nhead -c 300000 /dev/zero\n", ERR_CONFIG, "ssh -G b: printed too much"},
    };
    AUTO_FREE(char *, path);

    (void)state;
    path = mem_printf("%s:/usr/bin:/bin", folder);
    assert_int_equal(setenv("PATH", path, 1), 0);
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        write_text("ssh", scripts[i].script, 0700);
        read_with("host=b");
        assert_int_equal(last_error.code, scripts[i].code);
        assert_string_equal(last_error.msg, scripts[i].msg);
    }
}

/* The ssh is a fake, because no current ssh prints such an option. */
static void an_unknown_option_needs_the_systems_ssh(void **state)
{
    (void)state;
    if (!real_ssh(""))
        skip();
    read_with("host=b");
    assert_true(has_line(buf_str(&last), "beyond -"));
    write_text("ssh",
               "#!/bin/sh\necho host b\necho hostname b\necho user u\necho port 22\necho obligation yes\n",
               0700);
    read_with("host=b");
    assert_true(has_line(buf_str(&last), "beyond obligation"));
}

static void an_ssh_that_hangs_is_killed(void **state)
{
    AUTO_FREE(char *, path);

    (void)state;
    path = mem_printf("%s:/usr/bin:/bin", folder);
    assert_int_equal(setenv("PATH", path, 1), 0);
    write_text("ssh", "#!/bin/sh\nsleep 60\n", 0700);
    words_release(&target.keys);
    words_add(&target.keys, "host=b");
    target.connect_timeout = 200;
    is_read = false;
    ssh_config_read(&target, was_read);
    loop_until(&is_read);
    assert_int_equal(last_error.code, ERR_UNREACHABLE);
    assert_string_equal(last_error.msg, "ssh -G b: no answer within the connect timeout");
}

static void defaults_without_ssh(void **state)
{
    (void)state;
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    read_with("host=b.example,port=2222,user=us,keepalive=60000");
    assert_true(has_line(buf_str(&last), "host b.example"));
    assert_true(has_line(buf_str(&last), "port 2222"));
    assert_true(has_line(buf_str(&last), "user us"));
    assert_true(has_line(buf_str(&last), "strict 0"));
    assert_true(has_line(buf_str(&last), "global known [/etc/ssh/ssh_known_hosts]"));
    assert_non_null(strstr(buf_str(&last), "/.ssh/id_ed25519]"));
    assert_non_null(strstr(buf_str(&last), "/.ssh/known_hosts]"));
}

static int set_up(void **state)
{
    (void)state;
    (void)setenv("SSH_AUTH_SOCK", "/run/agent", 1);
    (void)setenv("BROKER_TEST_DIR", "/var", 1);
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char rm[] = "/bin/rm", r[] = "-r";
    char *argv[] = {rm, r, folder, NULL};
    struct proc_run run = {.argv = argv, .deadline = clock_deadline(30000, CLOCK_NEVER), .max = 1};
    AUTO_PROC_RESULT(result);
    struct err e = ERR_INIT;

    (void)state;
    child_end_all();
    words_release(&target.keys);
    buf_release(&last);
    return proc_capture(&run, &result, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssh_config_is_read),
        cmocka_unit_test(tilde_in_known_hosts_files_is_the_home),
        cmocka_unit_test(only_keys_that_are_set_become_arguments),
        cmocka_unit_test(an_identity_comes_first),
        cmocka_unit_test(an_error_in_the_configuration_is_reported),
        cmocka_unit_test(a_program_that_is_not_ssh),
        cmocka_unit_test(an_unknown_option_needs_the_systems_ssh),
        cmocka_unit_test(an_ssh_that_hangs_is_killed),
        cmocka_unit_test(defaults_without_ssh),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
