/* SPDX-License-Identifier: MIT */
/* Recognising the private keys that current ssh-keygen and openssl write, and RSA signatures with SHA-512. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/proc.h>
#include <ssh/key.h>

static char folder[] = "/tmp/broker-unit-XXXXXX";

/* Creates a key with ssh-keygen. Returns its path, which is static. */
static const char *make(const char *type, const char *phrase, const char *format)
{
    static char path[64];
    static int made;
    const char *bits = strcmp(type, "rsa") == 0 ? "2048" : "256"; /* a longer RSA key takes a second */
    const char *argv[] = {"/usr/bin/ssh-keygen", "-q",   "-t", type, "-b", bits, "-N", phrase, "-f", path,
                          format ? "-m" : NULL,  format, NULL};
    struct proc_run run = {.argv = (char *const *)argv, .deadline = INT64_MAX, .max = 4096};
    AUTO_PROC_RESULT(result);
    struct err e = ERR_INIT;

    (void)snprintf(path, sizeof path, "%s/%d", folder, ++made);
    assert_int_equal(proc_capture(&run, &result, &e), 0);
    assert_int_equal(result.status, 0);
    return path;
}

static struct ssh_key *load(const char *path)
{
    struct ssh_key *k = NULL;
    struct err e = ERR_INIT;

    assert_int_equal(ssh_key_load(path, &k, &e), 0);
    return k;
}

static void without_pub(const char *path)
{
    AUTO_FREE(char *, pub);

    pub = mem_printf("%s.pub", path);
    assert_int_equal(unlink(pub), 0);
}

static void kinds_are_recognised(void **state)
{
    static const struct {
        const char *type, *phrase, *format, *found;
        bool pub, encrypted, lacks, blob;
    } cases[] = {
        {"ed25519", "", NULL, "ssh-ed25519", true, false, false, true},
        {"ed25519", "", NULL, "ssh-ed25519", false, false, false, true},
        {"ed25519", "phrase", NULL, "ssh-ed25519", false, true, false, true},
        {"ecdsa", "phrase", NULL, "ecdsa-sha2-nistp256", false, true, false, true},
        {"ecdsa", "", "PEM", "ecdsa-sha2-nistp256", true, false, false, true},
        {"ecdsa", "", "PEM", "", false, false, false, false},
        {"ecdsa", "phrase", "PKCS8", "ecdsa-sha2-nistp256", true, true, false, true},
        {"ecdsa", "phrase", "PKCS8", "", false, true, false, false},
        {"rsa", "", NULL, "ssh-rsa", false, false, false, true},
        {"rsa", "phrase", NULL, "ssh-rsa", false, true, true, true},
        {"rsa", "", "PEM", "ssh-rsa", false, false, false, true},
        {"rsa", "phrase", "PEM", "ssh-rsa", true, true, false, true},
        {"rsa", "phrase", "PEM", "", false, true, false, false},
        {"rsa", "", "PKCS8", "ssh-rsa", false, false, false, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *path = make(cases[i].type, cases[i].phrase, cases[i].format);
        if (!cases[i].pub)
            without_pub(path);
        struct ssh_key *k = load(path);
        assert_string_equal(k->type, cases[i].found);
        assert_int_equal(k->encrypted, cases[i].encrypted);
        assert_int_equal(k->lacks != NULL, cases[i].lacks);
        assert_int_equal(k->blob.len > 0, cases[i].blob);
        ssh_key_free(k);
    }
}

/* The public key that is read from the private file is the same as that in the .pub file. */
static void blob_is_that_of_the_pub_file(void **state)
{
    static const char *const formats[] = {NULL, "PEM", "PKCS8"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        const char *path = make("rsa", "", formats[i]);
        struct ssh_key *with = load(path);
        without_pub(path);
        struct ssh_key *without = load(path);
        assert_int_equal(with->blob.len, without->blob.len);
        assert_memory_equal(with->blob.data, without->blob.data, with->blob.len);
        ssh_key_free(with);
        ssh_key_free(without);
    }
}

static void passphrase_is_checked(void **state)
{
    const char *path = make("rsa", "sesame", "PEM");

    (void)state;
    struct ssh_key *k = load(path);
    assert_false(k->unlocked);
    assert_false(ssh_key_unlock(k, secret_from("sesam", 5)));
    assert_null(k->phrase);
    assert_true(ssh_key_unlock(k, secret_from("sesame", 6)));
    assert_true(k->unlocked);
    ssh_key_free(k);
}

static void rsa_signs(void **state)
{
    static const char *const formats[] = {NULL, "PEM"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct ssh_key *k = load(make("rsa", "", formats[i]));
        struct err e = ERR_INIT;
        AUTO_BUF(signature, 4096);
        AUTO_BUF(wire, SSH_BLOB_MAX);
        assert_true(ssh_key_is_rsa(k));
        assert_int_equal(ssh_key_sign_rsa(k, "data", 4, &signature, &e), 0);
        assert_int_equal(signature.len, 2048 / 8);
        ssh_key_wire_blob(k, &wire);
        assert_int_equal(wire.len, k->blob.len + strlen("rsa-sha2-512") - strlen("ssh-rsa"));
        assert_memory_equal(wire.data, "\0\0\0\x0crsa-sha2-512", 16);
        assert_memory_equal(wire.data + 16, k->blob.data + 11, k->blob.len - 11);
        ssh_key_free(k);
    }
}

static void parse_fails(const char *text, enum err_code code)
{
    struct ssh_key *k = NULL;
    struct err e = ERR_INIT;

    assert_int_equal(ssh_key_parse("key", secret_from(text, strlen(text)), NULL, &k, &e), -1);
    assert_int_equal(e.code, code);
    assert_null(k);
}

static void other_formats_are_refused(void **state)
{
    (void)state;
    parse_fails("", ERR_DATA);
    parse_fails("ssh-ed25519 AAAA\n", ERR_DATA);
    parse_fails("PuTTY-User-Key-File-3: ssh-ed25519\n", ERR_DATA);
    parse_fails("-----BEGIN OPENSSH PRIVATE KEY-----\n", ERR_DATA);
    parse_fails("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", ERR_DATA);
    parse_fails(
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n",
        ERR_DATA);
    parse_fails("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", ERR_DATA);
}

static void putty_keys_have_a_hint(void **state)
{
    static const char text[] = "PuTTY-User-Key-File-3: ssh-ed25519\n";
    struct ssh_key *k = NULL;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(ssh_key_parse("id.ppk", secret_from(text, strlen(text)), NULL, &k, &e), -1);
    assert_string_equal(e.msg, "a PuTTY key");
    assert_string_equal(e.hint, "puttygen id.ppk -O private-openssh -o NEW-FILE");
}

static void files_readable_by_others_are_refused(void **state)
{
    const char *path = make("ed25519", "", NULL);
    struct ssh_key *k = NULL;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(ssh_key_load(path, &k, &e), -1);
    assert_string_equal(e.msg, "permissions 0644 are too open: the key is not used");
    assert_int_equal(ssh_key_load("/nonexistent", &k, &e), 1);
}

static void unsupported_agent_keys_are_recognised(void **state)
{
    static const struct {
        const char *blob;
        size_t n;
        bool lacks;
    } cases[] = {
        {"\0\0\0\x0bssh-ed25519\0\0\0\1x", 20, false},
        {"\0\0\0\7ssh-rsa\0\0\0\1x", 16, false},
        {"\0\0\0\x1ask-ssh-ed25519@openssh.com\0\0\0\1x", 35, true},
        {"\0\0\0\x20ssh-ed25519-cert-v01@openssh.com\0\0\0\1x", 41, true},
        {"\0\0\0\7ssh-dss\0\0\0\1x", 16, true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct ssh_key *k = ssh_key_in_agent((const unsigned char *)cases[i].blob, cases[i].n, "me", 2);
        assert_non_null(k);
        assert_int_equal(k->lacks != NULL, cases[i].lacks);
        ssh_key_free(k);
    }
    assert_null(ssh_key_in_agent((const unsigned char *)"\0\0\1\0x", 5, "me", 2));
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int finish(void **state)
{
    const char *argv[] = {"/bin/rm", "-rf", folder, NULL};
    struct proc_run run = {.argv = (char *const *)argv, .deadline = INT64_MAX, .max = 4096};
    AUTO_PROC_RESULT(result);
    struct err e = ERR_INIT;

    (void)state;
    return proc_capture(&run, &result, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_recognised),
        cmocka_unit_test(blob_is_that_of_the_pub_file),
        cmocka_unit_test(passphrase_is_checked),
        cmocka_unit_test(rsa_signs),
        cmocka_unit_test(other_formats_are_refused),
        cmocka_unit_test(putty_keys_have_a_hint),
        cmocka_unit_test(files_readable_by_others_are_refused),
        cmocka_unit_test(unsupported_agent_keys_are_recognised),
    };

    return cmocka_run_group_tests(tests, begin, finish);
}
