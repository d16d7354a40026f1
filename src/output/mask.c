/* SPDX-License-Identifier: MIT */
/* Masks all words except known ones. The opposite, a list of words to mask, would never be complete: a log
 * names hosts that are not in any profile (from ssh's settings, or from the server). */
#include <output/mask.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <base/mem.h>

#define SEPARATORS " \t\r\n,;()'\"=[]<>|`{}@*"
#define DIGITS_SHOWN 5

typedef void leaf_take(void *context, const char *word, size_t n);

/* Parts of paths that identify no one, and words of our own that are not in any help text. */
static const char plain_words[] =
    "usr bin sbin local opt lib etc dev fd N tmp var run home ssl certs .ssh .aws .config localhost "
    "127.0.0.1 ::1 "
    "endpoint login route tls credential address client command direct keeper --defaults-file mysqlsh mycli "
    "broker-keeper broker-http broker-keychain cannot accept hint warning error its far side";
static const char *const loopback[] = {"localhost", "127.0.0.1", "::1", NULL};

void mask_release(struct mask *m)
{
    words_release(&m->vocabulary);
    for (size_t i = 0; i < m->count; i++) {
        free(m->entry[i].text);
        free(m->entry[i].label);
    }
    free(m->entry);
    *m = (struct mask){0};
}

static bool is_separator(char c)
{
    return !c || strchr(SEPARATORS, c);
}

/* Returns the length of a word without the punctuation at its end. */
static size_t without_end(const char *word, size_t n)
{
    while (n && strchr(".:?!", word[n - 1]))
        n--;
    return n;
}

/* Returns where to split a word that is not known as a whole: at a slash, or at its only colon; n if nowhere.
 */
static size_t cut_of(const char *word, size_t n)
{
    const char *slash = memchr(word, '/', n), *colon = memchr(word, ':', n);

    if (slash)
        return (size_t)(slash - word);
    if (colon && !memchr(colon + 1, ':', n - (size_t)(colon - word) - 1))
        return (size_t)(colon - word);
    return n;
}

static void leaves_of_word(const char *word, size_t n, leaf_take *take, void *context)
{
    n = without_end(word, n);
    size_t cut = cut_of(word, n);

    while (cut < n) {
        leaves_of_word(word, cut, take, context);
        word += cut + 1;
        n -= cut + 1;
        cut = cut_of(word, n);
    }
    if (n)
        take(context, word, n);
}

static void leaves(const char *text, leaf_take *take, void *context)
{
    while (*text) {
        size_t n = strcspn(text, SEPARATORS);
        leaves_of_word(text, n, take, context);
        text += n;
        text += strspn(text, SEPARATORS);
    }
}

static void take_word(void *context, const char *word, size_t n)
{
    words_take(context, mem_strndup(word, n));
}

void mask_vocabulary(struct mask *m, const char *text)
{
    leaves(text, take_word, &m->vocabulary);
    m->sorted = false;
}

static int compare_words(const void *left, const void *right)
{
    return strcasecmp(*(char *const *)left, *(char *const *)right);
}

static bool in_vocabulary(struct mask *m, const char *word)
{
    if (!m->sorted) {
        leaves(plain_words, take_word, &m->vocabulary);
        qsort(m->vocabulary.word, m->vocabulary.count, sizeof *m->vocabulary.word, compare_words);
        m->sorted = true;
    }
    return bsearch(&word, m->vocabulary.word, m->vocabulary.count, sizeof word, compare_words);
}

static bool is_time(const char *word)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    size_t n = strlen(word);

    for (size_t i = 0; n == sizeof form - 1 && i < n; i++) {
        if (form[i] == '0' ? !strchr("0123456789", word[i]) : word[i] != form[i])
            return false;
    }
    return n == sizeof form - 1;
}

/* Returns true for "3306", "10s" and "2026-11-29T07:41:05Z", but not for what may be part of an address or
 * account number. */
static bool is_number(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    const char *unit = word + digits;

    return is_time(word) ||
           (digits && digits <= DIGITS_SHOWN && strlen(unit) <= 2 && strspn(unit, "msdh") == strlen(unit));
}

static const char *label_of(const struct mask *m, const char *word)
{
    for (size_t i = 0; i < m->count; i++) {
        if (text_equal_nocase(m->entry[i].text, word))
            return m->entry[i].label;
    }
    return NULL;
}

static void add_entry(struct mask *m, const char *text, const char *label)
{
    m->entry = mem_grow(m->entry, m->count + 1, sizeof *m->entry);
    m->entry[m->count++] =
        (struct mask_entry){mem_strdup(text), mem_strdup(label), strpbrk(text, SEPARATORS)};
}

/* Returns the next unused label of a kind; malloced. */
static char *new_label(const struct mask *m, const char *kind)
{
    size_t n = strlen(kind);
    unsigned long last = 0, number;

    for (size_t i = 0; i < m->count; i++) {
        const char *label = m->entry[i].label;
        if (text_starts(label, kind) && label[n] == '-' && text_number(label + n + 1, 1000000, &number) &&
            number > last)
            last = number;
    }
    return mem_printf("%s-%lu", kind, last + 1);
}

struct naming {
    struct mask *mask;
    const char *label;
};

static void take_name(void *context, const char *word, size_t n)
{
    struct naming *naming = context;
    AUTO_FREE(char *, copy);

    copy = mem_strndup(word, n);
    if (!label_of(naming->mask, copy) && !is_number(copy))
        add_entry(naming->mask, copy, naming->label);
}

static bool is_loopback(const char *value)
{
    for (size_t i = 0; loopback[i]; i++) {
        if (text_equal_nocase(loopback[i], value))
            return true;
    }
    return false;
}

/* Returns the length of a leading "ssh://" or other scheme. */
static size_t scheme_length(const char *value)
{
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyz");

    return n && text_starts(value + n, "://") ? n + 3 : 0;
}

/* Returns the value without separators at its ends; malloced. */
static char *trimmed(const char *value)
{
    const char *from = value + strspn(value, SEPARATORS);
    size_t n = strlen(from);

    while (n && is_separator(from[n - 1]))
        n--;
    return mem_strndup(from, n);
}

void mask_value(struct mask *m, const char *kind, const char *value)
{
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, label);
    AUTO_BUF(shown, 65536);

    name = trimmed(value ? value : "");
    if (!*name || is_loopback(name))
        return;
    const char *known = label_of(m, name);
    label = known ? mem_strdup(known) : new_label(m, kind);
    if (!known)
        add_entry(m, name, label);
    struct naming naming = {m, label};
    leaves(name + scheme_length(name), take_name, &naming);
    /* also in the form in which it is shown if it has control characters */
    text_sanitise(&shown, name, strlen(name));
    leaves(buf_str(&shown) + scheme_length(name), take_name, &naming);
}

static const char *kind_of(const struct key_info *info)
{
    switch (info->type) {
    case KEY_HOSTNAME:
    case KEY_SSH_HOST:
    case KEY_LISTEN:
        return "host";
    case KEY_URL:
        return "url";
    case KEY_PATH:
        return "path";
    case KEY_NAME:
        return "profile";
    case KEY_CHOICE:
    case KEY_BOOL:
    case KEY_NUMBER:
    case KEY_TIME:
    case KEY_VIA: /* skipped here: mask_profile() adds it after the tunnel's keys */
        return NULL;
    case KEY_TEXT:
    case KEY_WORDS:
    case KEY_ZONE:
        break;
    }
    return text_equal(info->name, "user") || text_equal(info->name, "database") ? info->name : "value";
}

static void add_settings(struct mask *m, const struct key_info *infos, const struct setting *set,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *kind = &infos[i] == &key_infos[KEY_client] ? NULL : kind_of(&infos[i]);
        if (kind && set[i].origin != ORIGIN_BUILT_IN)
            mask_value(m, kind, set[i].value);
    }
}

void mask_profile(struct mask *m, const struct profile *p)
{
    add_settings(m, key_infos, p->set, KEY_COUNT);
    add_settings(m, tunnel_key_infos, p->tunnel, TUNNEL_COUNT);
    mask_value(m, "tunnel", profile_str(p, KEY_via));
    mask_value(m, "tunnel", p->tunnel_name);
    mask_value(m, "profile", p->name);
}

static void put_leaf(struct mask *m, const char *word, size_t n, struct buf *out)
{
    AUTO_FREE(char *, copy);
    AUTO_FREE(char *, label);

    copy = mem_strndup(word, n);
    const char *known = label_of(m, copy);
    if (!known && (is_number(copy) || in_vocabulary(m, copy))) {
        buf_puts(out, copy);
        return;
    }
    if (!known) {
        label = new_label(m, strpbrk(copy, ".:") ? "host" : "word");
        add_entry(m, copy, label);
    }
    buf_puts(out, known ? known : label);
}

static void put_word(struct mask *m, const char *word, size_t n, struct buf *out);

/* Masks each part of a word that is not known as a whole, and keeps the slashes and colons between them. */
static void put_parts(struct mask *m, const char *word, size_t n, struct buf *out)
{
    size_t cut;

    for (; (cut = cut_of(word, n)) < n; word += cut + 1, n -= cut + 1) {
        put_word(m, word, cut, out);
        buf_putc(out, word[cut]);
    }
    if (n)
        put_leaf(m, word, n, out);
}

static void put_word(struct mask *m, const char *word, size_t n, struct buf *out)
{
    size_t bare = without_end(word, n);
    AUTO_FREE(char *, copy);

    copy = mem_strndup(word, bare);
    const char *known = label_of(m, copy);
    if (known)
        buf_puts(out, known);
    else
        put_parts(m, word, bare, out);
    buf_add(out, word + bare, n - bare);
}

/* Returns the longest name that contains separators (such as spaces) and begins at `at`. */
static const struct mask_entry *name_at(const struct mask *m, const char *at)
{
    const struct mask_entry *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < m->count; i++) {
        const struct mask_entry *entry = &m->entry[i];
        size_t n = entry->has_separators ? strlen(entry->text) : 0;
        if (n > most && strncasecmp(at, entry->text, n) == 0 && is_separator(at[n]))
            best = entry, most = n;
    }
    return best;
}

void mask_text(struct mask *m, const char *text, struct buf *out)
{
    while (*text) {
        const struct mask_entry *name = name_at(m, text);
        size_t n = strcspn(text, SEPARATORS);
        if (name) {
            buf_puts(out, name->label);
            text += strlen(name->text);
        } else if (n) {
            put_word(m, text, n, out);
            text += n;
        } else {
            buf_putc(out, *text++);
        }
    }
}
