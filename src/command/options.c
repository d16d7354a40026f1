/* SPDX-License-Identifier: MIT */
/* The parser of the command line. It knows only the option table: an option that has a key overrides that
 * key, and verbs look up the others. Options cannot be abbreviated and may stand anywhere before `--`. */
#include "slips.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>
#include <model/url.h>

#define URL_MAX 16384

void invocation_release(struct invocation *inv)
{
    free(inv->override);
    free(inv->env);
    words_release(&inv->owned);
    *inv = (struct invocation){0};
}

/* The last option for a key wins, because users add options at the end of a line. */
static void add_override(struct invocation *inv, const char *key, const char *value, const char *flag)
{
    size_t i = 0;

    while (i < inv->override_count && !text_equal(inv->override[i].key, key))
        i++;
    if (i == inv->override_count) {
        inv->override = mem_grow(inv->override, i + 1, sizeof *inv->override);
        inv->override_count++;
    }
    inv->override[i] = (struct override){key, value, flag};
}

static int set_key(struct invocation *inv, const char *text, const char *flag_prefix, struct err *e)
{
    const char *equals = strchr(text, '=');

    if (!equals || equals == text) {
        (void)err_set(e, ERR_USAGE, "%s needs KEY=VALUE", *flag_prefix ? "-o" : inv->word[0]);
        return err_hint(e, "broker help config");
    }
    words_take(&inv->owned, mem_strndup(text, (size_t)(equals - text)));
    char *key = inv->owned.word[inv->owned.count - 1];
    words_take(&inv->owned, mem_printf("%s%s", flag_prefix, key));
    const char *flag = inv->owned.word[inv->owned.count - 1];
    for (char *c = key; *c; c++)
        *c = *c == '-' ? '_' : *c;
    add_override(inv, key, equals + 1, flag);
    return 0;
}

int invocation_setting(struct invocation *inv, const char *word, struct err *e)
{
    return set_key(inv, word, "", e);
}

static int take(struct invocation *inv, int id, const char *value, const char *typed, struct err *e)
{
    const struct option *o = &option_table[id];

    inv->given[id]++;
    inv->value[id] = value;
    if (id == OPT_key)
        return set_key(inv, value, "-o ", e);
    if (id == OPT_env) {
        inv->env = mem_grow(inv->env, inv->given[id] + 1, sizeof *inv->env);
        inv->env[inv->given[id] - 1] = (char *)(uintptr_t)value;
        inv->env[inv->given[id]] = NULL;
    }
    if (id == OPT_timeout && (!duration_parse(value, &inv->timeout_ms) || inv->timeout_ms == 0)) {
        (void)err_set(e, ERR_USAGE, "--timeout: '%s' is not a duration", value);
        return err_hint(e, "for example 10s, 5m or 1h");
    }
    if (o->key)
        add_override(inv, o->key, o->argument ? value : o->name, typed);
    return 0;
}

static int needs_value(const char *typed, const char *argument, struct err *e)
{
    (void)err_set(e, ERR_USAGE, "%s needs a value", typed);
    return err_hint(e, "%s %s", typed, argument);
}

/* Parses --name, --name=value and --name value. Returns how many more arguments were used, or -1. */
static int parse_long(struct invocation *inv, char **argv, struct err *e)
{
    const char *name = argv[0] + 2, *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    int id = option_find_long(inv->verb, name, n);

    if (id < 0)
        return slip_option(inv, argv[0], e);
    words_take(&inv->owned, mem_printf("--%.*s", (int)n, name));
    const char *typed = inv->owned.word[inv->owned.count - 1];
    const struct option *o = &option_table[id];
    if (!o->argument && equals)
        return err_set(e, ERR_USAGE, "%s takes no value", typed);
    if (o->argument && !equals && !argv[1])
        return needs_value(typed, o->argument, e);
    const char *value = !o->argument ? NULL : equals ? equals + 1 : argv[1];
    return take(inv, id, value, typed, e) < 0 ? -1 : o->argument && !equals;
}

/* Parses -v, -vv, -uNAME and -u NAME. */
static int parse_short(struct invocation *inv, char **argv, struct err *e)
{
    for (const char *c = argv[0] + 1; *c; c++) {
        int id = option_find_letter(inv->verb, *c);
        words_take(&inv->owned, mem_printf("-%c", *c));
        const char *typed = inv->owned.word[inv->owned.count - 1];
        if (id < 0)
            return slip_option(inv, typed, e);
        const struct option *o = &option_table[id];
        if (id == OPT_help && slip_is_host(inv->verb, c + 1, argv[1]))
            return slip_host(inv->verb, e);
        if (!o->argument) {
            if (take(inv, id, NULL, typed, e) < 0)
                return -1;
            continue;
        }
        if (!c[1] && !argv[1])
            return needs_value(typed, o->argument, e);
        return take(inv, id, c[1] ? c + 1 : argv[1], typed, e) < 0 ? -1 : !c[1];
    }
    return 0;
}

/* Returns true for the settings of `profile set` and the file of `profile import`: USER:PASSWORD does not
 * occur there, but a colon does. */
static bool is_value(const struct invocation *inv, size_t at)
{
    const char *operation = inv->verb->keys_after ? inv->word[0] : NULL;

    return (at > 1 && text_equal(operation, "set")) || (at == 1 && text_equal(operation, "import"));
}

/* Adds an argument. A URL's password is overwritten in argv at once, so that no message shows it. Until then
 * the process list showed it, so the user is warned. */
static void take_word(struct invocation *inv, char *word)
{
    AUTO_BUF(hint, 1024);
    size_t at = inv->word_count++;

    inv->word[at] = word;
    if (!url_has_password(word) || (is_value(inv, at) && !url_is(word)))
        return;
    words_add(&inv->owned, word);
    inv->url[at] = inv->owned.word[inv->owned.count - 1];
    url_mask(word);
    if (is_value(inv, at))
        return; /* whatever reads the value says what to do */
    buf_printf(&hint, "broker %s", inv->verb->name);
    for (size_t i = 0; i < at; i++)
        buf_printf(&hint, " %s", inv->word[i]);
    buf_puts(&hint, " -");
    log_warn(buf_str(&hint), "password on the command line");
}

/* Adds the verb's name, unless the message begins with it, and a hint to the verb's help. */
static int refuse(const struct verb *verb, struct err *e)
{
    if (!e->hint[0])
        (void)err_hint(e, "broker help %s", verb->name);
    return text_starts(e->msg, verb->name) ? -1 : err_what(e, "%s", verb->name);
}

int invocation_parse(const struct verb *verb, int argc, char **argv, struct invocation *inv, struct err *e)
{
    inv->verb = verb;
    for (int i = 0; i < argc; i++) {
        int used = 0;
        if (text_equal(argv[i], "--")) {
            inv->rest = argv + i + 1;
            break;
        }
        if (argv[i][0] == '-' && argv[i][1] == '-')
            used = parse_long(inv, argv + i, e);
        else if (argv[i][0] == '-' && argv[i][1])
            used = parse_short(inv, argv + i, e);
        else if (inv->word_count == verb->most_words)
            used = slip_extra_word(inv, argv + i, e);
        else
            take_word(inv, argv[i]);
        if (used < 0)
            return refuse(verb, e);
        i += used;
    }
    if (inv->rest && !verb->takes_rest) {
        (void)err_set(e, ERR_USAGE, "nothing can follow --");
        return refuse(verb, e);
    }
    return 0;
}

static int read_url(struct invocation *inv, const char **out, struct err *e)
{
    AUTO_SECRET(text);
    int got = isatty(STDIN_FILENO) ? tty_ask_secret("URL: ", &text, e)
                                   : secret_read_fd(STDIN_FILENO, URL_MAX, true, &text, e);

    if (got < 0)
        return err_what(e, "stdin");
    secret_chomp(text);
    if (strlen(secret_bytes(text)) != secret_len(text)) {
        (void)err_set(e, ERR_DATA, "contains a NUL byte");
        return err_what(e, "stdin");
    }
    if (!url_is(secret_bytes(text))) {
        (void)err_set(e, ERR_DATA, "not a URL");
        (void)err_what(e, "stdin");
        return err_hint(e, "mysql://USER:PASSWORD@HOST/DATABASE");
    }
    words_add(&inv->owned, secret_bytes(text));
    *out = inv->owned.word[inv->owned.count - 1];
    return 0;
}

int invocation_request(struct invocation *inv, size_t word, struct request *r, struct err *e)
{
    if (text_equal(inv->word[word], "-") && read_url(inv, &inv->url[word], e) < 0)
        return -1;
    const char *name = inv->url[word] ? inv->url[word] : inv->word[word];
    bool has_sub = inv->verb->request_word > 0 && inv->word[0];
    words_take(&inv->owned,
               mem_printf("%s%s%s", inv->verb->name, has_sub ? " " : "", has_sub ? inv->word[0] : ""));
    *r = (struct request){.name = name,
                          .overrides = inv->override,
                          .override_count = inv->override_count,
                          .timeout_ms = inv->timeout_ms,
                          .verb = inv->owned.word[inv->owned.count - 1]};
    return 0;
}
