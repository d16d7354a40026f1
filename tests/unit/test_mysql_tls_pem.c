/* SPDX-License-Identifier: MIT */
/* Finding the broken certificate in a PEM file: at each position, of each kind, and among other contents. */
#include "tls_fixture.h"

#include <mysql/tls_pem.h>

static struct made made;

/* Appends the certificate as a block of this kind, with `more` before its last line. */
static void block(const char *kind, bool trusted, const char *more)
{
    AUTO_FREE(char *, text);
    unsigned char *der = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    char *data;
    int n = trusted ? i2d_X509_AUX(made.cert, &der) : i2d_X509(made.cert, &der);

    assert_true(n > 0);
    assert_true(PEM_write_bio(out, kind, "", der, n) > 0);
    long length = BIO_get_mem_data(out, &data);
    char *last = strstr(data, "-----END");
    text = mem_printf("%.*s%s%.*s", (int)(last - data), data, more, (int)(length - (last - data)), last);
    put_text("f", text);
    BIO_free(out);
    OPENSSL_free(der);
}

static void good(void)
{
    block(PEM_STRING_X509, false, "");
}

static void broken(void)
{
    block(PEM_STRING_X509, false, "!!!!\n");
}

/* Returns the next free descriptor. It is the same as before if none was left open. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)close(fd);
    return fd;
}

/* Checks the result for the file, and removes the file. */
static void file_gives(const char *expected)
{
    AUTO_FREE(char *, result);
    int before = next_descriptor();

    result = tls_pem_broken("f");
    assert_int_equal(next_descriptor(), before);
    if (expected)
        assert_non_null(result);
    assert_string_equal(result ? result : "none", expected ? expected : "none");
    assert_int_equal(ERR_peek_error(), 0);
    assert_int_equal(unlink("f"), 0);
}

static int lines_of_one(void)
{
    AUTO_BUF(text, 8192);
    struct err e = ERR_INIT;
    int lines = 0;

    good();
    assert_int_equal(file_read("f", FILE_ANY, &text, &e), 0);
    for (const char *at = buf_str(&text); *at; at++)
        lines += *at == '\n';
    assert_int_equal(unlink("f"), 0);
    return lines;
}

static int begin_with_one(void **state)
{
    if (!made.cert)
        made = make(NULL, "CA", NULL);
    return begin(state);
}

static void none_is_broken(void **state)
{
    AUTO_FREE(char *, none);

    (void)state;
    none = tls_pem_broken("f");
    assert_null(none);
    put_text("f", "");
    file_gives(NULL);
    put_text("f", "no certificate\n");
    file_gives(NULL);
    good();
    file_gives(NULL);
    put_text("f", "what it is\n\n");
    good();
    put_text("f", "and another\n");
    put("f", NULL, made.key, NULL);
    good();
    block(PEM_STRING_X509_OLD, false, "");
    block(PEM_STRING_X509_TRUSTED, true, "");
    put_text("f", "the end");
    file_gives(NULL);
}

static void one_is_broken(void **state)
{
    AUTO_FREE(char *, third);
    AUTO_FREE(char *, second);

    (void)state;
    broken();
    good();
    file_gives("certificate 1, at line 1, is malformed");
    third = mem_printf("certificate 3, at line %d, is malformed", 3 + 2 * lines_of_one());
    put_text("f", "text\n\n");
    good();
    good();
    broken();
    good();
    file_gives(third);
    second = mem_printf("certificate 2, at line %d, is malformed", 2 + lines_of_one());
    good(); /* a line of over 4096 bytes, in the middle of which there is what looks like a block */
    for (int i = 0; i < 4095; i++)
        put_text("f", "x");
    put_text("f", "-----BEGIN CERTIFICATE-----\n");
    broken();
    file_gives(second);
}

static void other_kinds_are_broken(void **state)
{
    (void)state;
    block(PEM_STRING_X509_OLD, false, "!!!!\n");
    file_gives("certificate 1, at line 1, is malformed");
    put_text("f", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    file_gives("certificate 1, at line 1, is malformed");
    put_text("f", "-----BEGIN X509 CERTIFICATE-----\nAAAA\n-----END X509 CERTIFICATE-----\n");
    file_gives("certificate 1, at line 1, is malformed");
    put_text("f", "-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n");
    file_gives("certificate 1, at line 1, is malformed");
    put_text("f", "-----BEGIN ANYTHING-----\nAAAA\n-----END ANYTHING-----\n");
    file_gives(NULL);
    put_text("f", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END NOTHING-----\n");
    file_gives("certificate 1, at line 1, is malformed");
    put_text("f", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    file_gives("certificate 1, at line 1, is malformed");
}

int main(void)
{
#define WITH(begin, test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        WITH(begin_with_one, none_is_broken),
        WITH(begin_with_one, one_is_broken),
        WITH(begin_with_one, other_kinds_are_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
