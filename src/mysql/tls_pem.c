/* SPDX-License-Identifier: MIT */
/* Reads the blocks of a PEM file up to the one at which OpenSSL fails. */
#include "tls_pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#define BEGIN "-----BEGIN "

static bool is_certificate(const char *name, const unsigned char *der, long length)
{
    const bool trusted = text_equal(name, PEM_STRING_X509_TRUSTED);
    X509 *read;

    if (!trusted && !text_equal(name, PEM_STRING_X509) && !text_equal(name, PEM_STRING_X509_OLD))
        return true; /* a private key, or another kind of block */
    read = trusted ? d2i_X509_AUX(NULL, &der, length) : d2i_X509(NULL, &der, length);
    X509_free(read);
    return read;
}

/* Returns the number of readable blocks before an unreadable one. *all becomes true if all are readable. */
static unsigned count_good(BIO *in, bool *all)
{
    unsigned good = 0;

    for (*all = false;; good++) {
        char *name = NULL, *header = NULL;
        unsigned char *der = NULL;
        long length = 0;
        bool got = PEM_read_bio(in, &name, &header, &der, &length) == 1;
        bool taken = got && is_certificate(name, der, length);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)length);
        if (!taken) {
            *all = !got && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            return good;
        }
    }
}

/* Returns the line number of the block after `before` others, or 0 if there is no such block. */
static unsigned long line_of(FILE *file, unsigned before)
{
    char line[4096];
    bool at_start = true;

    for (unsigned long n = 1; fgets(line, sizeof line, file);) {
        if (at_start && text_starts(line, BEGIN) && before-- == 0)
            return n;
        at_start = strchr(line, '\n');
        n += at_start;
    }
    return 0;
}

char *tls_pem_broken(const char *path)
{
    FILE *file = fopen(path, "re");
    BIO *in = file ? BIO_new_fp(file, BIO_NOCLOSE) : NULL;
    char *words = NULL;
    bool all = true;

    ERR_clear_error();
    unsigned good = in ? count_good(in, &all) : 0;
    if (!all) {
        rewind(file);
        unsigned long line = line_of(file, good);
        words = line ? mem_printf("certificate %u, at line %lu, is malformed", good + 1, line) : NULL;
    }
    ERR_clear_error();
    BIO_free(in);
    if (file)
        (void)fclose(file);
    return words;
}
