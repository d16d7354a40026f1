/* SPDX-License-Identifier: MIT */
/*
 * Common mistakes on the command line: habits from mysql, ssh and docker, and typing errors. Each error shows
 * the command that was probably meant. A misplaced argument may be a secret, so it is quoted only if it
 * cannot be one.
 */
#include "slips.h"

#include <string.h>

#include <base/mem.h>
#include <base/proc.h>
#include <model/kinds.h>
#include <model/url.h>
#include <output/client.h>

#define NAME_MOST 40
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* --- mistakes in options --- */

static bool is_password_option(const char *option)
{
    return text_equal(option, "-p") || (text_starts(option, "--") && key_is_secret(option + 2));
}

/* Returns the name in an argument that looks like an option, without its value; malloced. */
static char *option_name(const char *word)
{
    static const char password[] = "--password"; /* the value may follow it directly, without `=` */
    size_t n = text_starts(word, password) ? sizeof password - 1 : strspn(word, PLAIN);

    return mem_strndup(word, n < NAME_MOST ? n : NAME_MOST);
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &option_table[i];
        if (text_starts(name, "--") ? text_equal(o->name, name + 2) : o->letter == name[1])
            return true;
    }
    return false;
}

static const char *closest_option(const struct verb *verb, const char *name)
{
    const char *candidates[OPT_COUNT + 1] = {NULL};
    size_t n = 0;

    for (size_t i = 0; i < OPT_COUNT; i++) {
        if (option_table[i].name && option_admitted(verb, &option_table[i]))
            candidates[n++] = option_table[i].name;
    }
    return text_starts(name, "--") ? text_closest(name + 2, candidates) : NULL;
}

/* Returns the key of the profile that an option names, by our name or another program's; NULL if there is
 * none. A connection's title is nothing that one run needs. */
static const char *key_of_option(const char *name)
{
    int k = text_starts(name, "--") ? key_find(key_infos, KEY_COUNT, name + 2) : -1;
    const char *key = k >= 0 ? key_infos[k].name : text_starts(name, "--") ? url_word_key(name + 2) : NULL;

    return text_equal(key, "title") ? NULL : key;
}

/* Returns the option that sets this key, or NULL. */
static const char *option_of_key(const struct verb *verb, const char *key)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &option_table[i];
        if (o->argument && text_equal(o->key, key) && option_admitted(verb, o))
            return o->name;
    }
    return NULL;
}

int slip_option(const struct invocation *inv, const char *word, struct err *e)
{
    AUTO_FREE(char *, name);
    const char *verb = inv->verb->name, *profile = inv->word[0] ? inv->word[0] : "PROFILE";

    name = option_name(word);
    if (is_known(name))
        return err_set(e, ERR_USAGE, "%s has no %s", verb, name);
    (void)err_set(e, ERR_USAGE, "unknown option '%s'", name);
    if (is_password_option(name))
        return err_hint(e, "no password on the command line: broker password set NAME");
    const char *key = inv->verb->sets & SET_PROFILE ? key_of_option(name) : NULL;
    const char *meant = key ? option_of_key(inv->verb, key) : closest_option(inv->verb, name);
    if (meant)
        return err_hint(e, "did you mean '--%s'?", meant);
    if (key)
        return err_hint(e, "-o %s=VALUE", key);
    if (text_equal(name, "--profile") && inv->verb->sets & SET_PROFILE)
        return err_hint(e, "the profile's name needs no option: broker %s NAME", verb);
    if (text_equal(name, "--config"))
        return err_hint(e, "set BROKER_CONFIG=FILE in the environment");
    if (text_equal(verb, "connect"))
        return err_hint_sh(e, "client options follow --: broker connect %s -- %s ...", profile, name);
    return -1;
}

/* In mysql -h means the host, so what follows it is a host name. */
bool slip_is_host(const struct verb *verb, const char *rest, const char *next)
{
    return (verb->sets & SET_PROFILE) && (*rest || (next && *next != '-'));
}

int slip_host(const struct verb *verb, struct err *e)
{
    (void)err_set(e, ERR_USAGE, "-h is help; use --host");
    return err_hint(e, "broker %s --host NAME", verb->name);
}

/* --- mistakes in arguments --- */

/* Reports a command whose `--` is missing. If it does not run a MySQL client, the meaning of its arguments is
 * unknown. */
static int lacks_dashes(const struct invocation *inv, char *const *command, struct err *e)
{
    AUTO_BUF(words, 512);
    bool is_client = client_is_known(command[0]);
    char *const *word = command + 1;

    buf_puts(&words, "broker exec ");
    text_quote_sh(&words, inv->url[0] ? "-" : inv->word[0]);
    buf_puts(&words, " -- ");
    text_quote_sh(&words, command[0]);
    for (; is_client && *word && **word && !(*word)[strspn(*word, PLAIN ".")] && **word != '-'; word++)
        buf_printf(&words, " %s", *word);
    if (*word)
        buf_puts(&words, " ...");
    (void)err_set(e, ERR_USAGE, "put the command after --");
    return err_hint(e, "%s", buf_str(&words));
}

int slip_extra_word(const struct invocation *inv, char *const *words, struct err *e)
{
    const char *verb = inv->verb->name;
    AUTO_FREE(char *, program);

    if (text_equal(verb, "exec")) {
        program = proc_find(words[0]);
        if (program || client_is_known(words[0]))
            return lacks_dashes(inv, words, e);
    }
    (void)err_set(e, ERR_USAGE, "unexpected argument");
    if (text_equal(verb, "connect"))
        return err_hint_sh(e, "client arguments follow --: broker connect %s -- ...",
                           inv->url[0] ? "-" : inv->word[0]);
    if (text_equal(verb, "password"))
        return err_hint(e, "broker password set NAME: it asks for the password, or reads it from stdin");
    return -1;
}

/* --- mistakes in verbs --- */

/* Returns the first verb that has this subcommand, such as "profile" for `list`. */
static const char *verb_of_word(const char *word)
{
    static const char *const kinds[] = {"profile", "topic", "forward"};
    size_t n = strlen(word);

    for (size_t i = 0; verb_table[i]; i++) {
        const char *s = verb_table[i]->words;
        bool is_kind = false;
        for (size_t k = 0; s && k < ARRAY_LEN(kinds); k++)
            is_kind = is_kind || text_equal(s, kinds[k]);
        while (s && !is_kind && *s) {
            size_t m = strcspn(s, " ");
            if (m == n && memcmp(s, word, n) == 0)
                return verb_table[i]->name;
            s += m + strspn(s + m, " ");
        }
    }
    return NULL;
}

int slip_verb(char *word, struct err *e)
{
    AUTO_CONFIG(config);
    struct err ignored = ERR_INIT;
    const char *names[VERB_NAMES_MOST], *file, *owner;
    unsigned line;

    bool is_secret = url_has_password(word);
    url_mask(word);
    (void)err_set(e, ERR_USAGE, "no such verb");
    (void)err_what(e, "%s", word);
    if (url_is(word))
        return err_hint_sh(e, "broker connect %s", is_secret ? "-" : word);
    if (config_load(&config, &ignored) == 0 && config_profile_place(config, word, &file, &line))
        return err_hint_sh(e, "broker connect %s", word);
    owner = verb_of_word(word);
    if (owner)
        return err_hint_sh(e, "broker %s %s", owner, word);
    (void)verb_names(names, true);
    const char *meant = text_closest(word, names);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help");
}

/* --- mistakes in names of formats --- */

int find_format(const char *name, const struct format **out, struct err *e)
{
    const char *names[64] = {NULL};

    *out = format_find(name);
    if (*out)
        return 0;
    for (size_t n = 0; kind_formats[n].name && n + 1 < ARRAY_LEN(names); n++)
        names[n] = kind_formats[n].name;
    const char *meant = text_closest(name, names);
    (void)err_set(e, ERR_USAGE, "no such format '%.*s'", (int)strcspn(name, "="), name);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help formats");
}
