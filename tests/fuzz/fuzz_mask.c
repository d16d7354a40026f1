/* SPDX-License-Identifier: MIT */
/*
 * The masking of `bugreport`. The input's first line is a user name, the rest is a log. For any input, each
 * word of the masked text is a word of the vocabulary that is not in the name, a short number, a time, or a
 * label.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/mem.h>
#include <base/text.h>
#include <output/mask.h>

#define VOCABULARY "the server refused password direct ssh host"
/* The words of the list in mask.c, cut at SEPARATORS. */
#define PLAIN                                                                                                \
    "usr bin sbin local opt lib etc dev fd N tmp var run home ssl certs ssh aws config localhost endpoint "  \
    "login "                                                                                                 \
    "route tls credential address client command direct keeper --defaults-file mysqlsh mycli broker-keeper " \
    "broker-http broker-keychain cannot accept hint warning error its far side"
#define SEPARATORS " \t\r\n,;()'\"=[]<>|`{}@*/"
#define CUTS SEPARATORS ":.?!"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns whether the list contains the word, between separators and without punctuation at its end. */
static bool is_word_of(const char *list, const char *word, size_t n)
{
    for (size_t length; *list; list += length) {
        list += strspn(list, SEPARATORS);
        length = strcspn(list, SEPARATORS);
        size_t bare = length;
        while (bare && strchr(".:?!", list[bare - 1]))
            bare--;
        if (bare == n && strncasecmp(list, word, n) == 0)
            return true;
    }
    return false;
}

static bool is_label(const char *word, size_t n)
{
    static const char *const kinds[] = {"user-", "word-", "host-"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        size_t kind = strlen(kinds[i]);
        if (n > kind && strncmp(word, kinds[i], kind) == 0 && strspn(word + kind, "0123456789") >= n - kind)
            return true;
    }
    return false;
}

/* Numbers, and the parts of a time, which also contain T, Z and the letters of durations. */
static bool is_number(const char *word, size_t n)
{
    return strspn(word, "0123456789-TZmsdh") >= n && n <= 13;
}

static void check(const char *masked, const char *name)
{
    for (size_t n; *masked; masked += n) {
        masked += strspn(masked, CUTS);
        n = strcspn(masked, CUTS);
        if (!n || is_label(masked, n) || is_number(masked, n) || is_word_of("localhost", masked, n))
            continue;
        if (!is_word_of(VOCABULARY " " PLAIN, masked, n) || is_word_of(name, masked, n))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_MASK(m);
    AUTO_BUF(masked, 1 << 24);
    AUTO_FREE(char *, text);

    text = mem_strndup((const char *)data, size);
    char *end = strchr(text, '\n');
    if (end)
        *end = '\0';
    mask_vocabulary(&m, VOCABULARY);
    mask_value(&m, "user", text);
    mask_text(&m, end ? end + 1 : text, &masked);
    check(buf_str(&masked), text);
    return 0;
}
