/* SPDX-License-Identifier: MIT */
/*
 * Serves the completion scripts: reads the arguments typed so far and prints candidates, one per line, each
 * with a tab and its help. Uses the parser's own tables and the config file. It never uses the network and
 * prints no errors.
 */
#include "command.h"

#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/file.h>
#include <base/secret.h>
#include <help/help.h>
#include <model/kinds.h>
#include <session/forward.h>

#define TUNNEL_DOT "tunnel."
#define INPUT_MAX 65536
#define FORWARDS_MS 500

struct complete {
    const char *prefix; /* the part of the current argument that has been typed */
    const char *head;   /* the text before `prefix` in the same argument, such as "--tls=" */
};

static void offer(const struct complete *c, const char *word, const char *help)
{
    if (!text_starts(word, c->prefix))
        return;
    /* printf() is not used: with a thousand profiles it would take longer than reading them. */
    (void)fputs_unlocked(c->head, stdout);
    (void)fputs_unlocked(word, stdout);
    (void)putc_unlocked('\t', stdout);
    (void)fputs_unlocked(help ? help : "", stdout);
    (void)putc_unlocked('\n', stdout);
}

static void offer_choices(const struct complete *c, const char *words)
{
    while (words && *words) {
        AUTO_FREE(char *, word);
        size_t n = strcspn(words, " ");
        word = mem_strndup(words, n);
        offer(c, word, NULL);
        words += n + strspn(words + n, " ");
    }
}

static void offer_profiles(const struct complete *c)
{
    static struct config *config; /* not freed: the process is about to exit */
    struct err ignored = ERR_INIT;

    if (!config && config_load(&config, &ignored) < 0)
        return;
    for (const char *const *name = config_profile_names(config); *name; name++)
        offer(c, *name, "profile");
}

static void offer_tunnels(const struct complete *c)
{
    AUTO_CONFIG(config);
    struct err ignored = ERR_INIT;

    if (config_load(&config, &ignored) < 0)
        return;
    for (const char *const *name = config_tunnel_names(config); *name; name++)
        offer(c, *name, "tunnel");
}

/* Offers the running forwards. Those whose keeper does not answer at once are left out. */
static void offer_forwards(const struct complete *c)
{
    struct forward *list;
    struct err ignored = ERR_INIT;
    size_t n;

    (void)forward_list(&list, &n, clock_deadline(FORWARDS_MS, CLOCK_NEVER), &ignored);
    for (size_t i = 0; i < n; i++)
        offer(c, list[i].name, "forward");
    forward_list_free(list, n);
}

static void offer_kinds(const struct complete *c, const struct kind *kinds)
{
    for (; kinds->name; kinds++)
        offer(c, kinds->name, kinds->help);
}

static void offer_verbs(const struct complete *c)
{
    for (size_t i = 0; verb_table[i]; i++) {
        if (verb_table[i]->group != GROUP_HIDDEN)
            offer(c, verb_table[i]->name, verb_table[i]->summary);
    }
}

static void offer_words(const struct complete *c, const char *words)
{
    if (text_equal(words, "profile"))
        offer_profiles(c);
    else if (text_equal(words, "forward"))
        offer_forwards(c);
    else if (text_equal(words, "topic")) {
        offer_verbs(c);
        for (size_t i = 0; help_topic_table[i].name; i++)
            offer(c, help_topic_table[i].name, "topic");
    } else
        offer_choices(c, words);
}

static void offer_key_value(const struct complete *c, int key)
{
    const struct key_info *info = key < 0 ? NULL : &key_infos[key];

    if (key == KEY_auth)
        offer_kinds(c, kind_providers);
    else if (key == KEY_via)
        offer_tunnels(c);
    else if (info && info->type == KEY_CHOICE)
        offer_choices(c, info->limits);
    else if (info && info->type == KEY_BOOL)
        offer_choices(c, "yes no");
}

static void offer_value(const struct complete *c, const char *key)
{
    int tunnel = text_starts(key, TUNNEL_DOT)
                     ? key_find(tunnel_key_infos, TUNNEL_COUNT, key + strlen(TUNNEL_DOT))
                     : -1;

    if (tunnel < 0)
        offer_key_value(c, key_find(key_infos, KEY_COUNT, key));
    else if (tunnel_key_infos[tunnel].type == KEY_CHOICE)
        offer_choices(c, tunnel_key_infos[tunnel].limits);
}

static void offer_names(const char *typed, const char *dot, const struct key_info *infos, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE(char *, word);
        struct complete c = {typed, ""};
        word = mem_printf("%s%s=", dot, infos[i].name);
        offer(&c, word, infos[i].help);
    }
}

/* Completes the value of -o: first KEY, then KEY=VALUE. */
static void offer_keys(const char *typed)
{
    const char *equals = strchr(typed, '=');
    AUTO_FREE(char *, head);

    if (equals) {
        AUTO_FREE(char *, name);
        name = mem_strndup(typed, (size_t)(equals - typed));
        head = mem_printf("%s=", name);
        struct complete c = {equals + 1, head};
        offer_value(&c, name);
        return;
    }
    offer_names(typed, "", key_infos, KEY_COUNT);
    offer_names(typed, TUNNEL_DOT, tunnel_key_infos, TUNNEL_COUNT);
}

static void offer_option_value(const struct option *o, const char *head, const char *typed)
{
    struct complete c = {typed, head};

    if (o == &option_table[OPT_key])
        offer_keys(typed);
    else if (o == &option_table[OPT_env] || o == &option_table[OPT_format])
        offer_kinds(&c, kind_formats);
    else if (o->key)
        offer_key_value(&c, key_find(key_infos, KEY_COUNT, o->key));
}

static void offer_options(const struct verb *v, const char *typed)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        AUTO_FREE(char *, word);
        AUTO_FREE(char *, help);
        struct complete c = {typed, ""};
        if (!option_table[i].name || option_table[i].line == LINE_HIDDEN ||
            !option_admitted(v, &option_table[i]))
            continue;
        word = mem_printf("--%s", option_table[i].name);
        help = option_help(&option_table[i]);
        offer(&c, word, help);
    }
}

/* Completes --name=VALUE in one argument. Returns false if `typed` is not of that form. */
static bool offer_inline_value(const struct verb *v, const char *typed)
{
    const char *equals = text_starts(typed, "--") ? strchr(typed, '=') : NULL;
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, head);

    if (!equals)
        return false;
    name = mem_strndup(typed, (size_t)(equals - typed));
    head = mem_printf("%s=", name);
    const struct option *o = option_pending(v, name);
    if (o)
        offer_option_value(o, head, equals + 1);
    return true;
}

/* Completes after `--`: for `exec`, the name of the program to run. Later arguments belong to that program
 * and are not completed. */
static void offer_behind_dashes(const struct verb *v, size_t words, const char *typed)
{
    if (words == 0 && text_equal(v->name, "exec") && !strchr(typed, '/'))
        complete_programs(typed);
}

static bool has_word(const char *words, const char *word)
{
    size_t n = word ? strlen(word) : 0;

    for (const char *at = words; n && at && (at = strstr(at, word)) != NULL; at += n)
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

/* Prints candidates for the verb's argument number `positional` (from 0). */
static void offer_word(const struct verb *v, size_t positional, const char *first, bool is_tunnel,
                       const struct complete *c)
{
    if (positional == 0 || (!v->words2 && positional < v->most_words))
        offer_words(c, v->words);
    else if (positional == 1 && is_tunnel)
        offer_tunnels(c);
    else if (positional == 1 && (!v->words2_after || has_word(v->words2_after, first)))
        offer_words(c, v->words2);
    else if (positional > 1 && has_word(v->keys_after, first))
        offer_keys(c->prefix);
}

/* Completes a command line: word[0] is the verb, word[n - 1] the argument being typed. */
static void complete_verb(const struct verb *v, char *const *word, size_t n)
{
    const char *typed = word[n - 1], *first = NULL;
    const struct option *pending = NULL;
    struct complete c = {typed, ""};
    size_t positional = 0;
    bool is_tunnel = false;

    for (size_t i = 1; i + 1 < n; i++) {
        if (text_equal(word[i], "--")) {
            offer_behind_dashes(v, n - i - 2, typed);
            return;
        }
        bool value = pending;
        pending = value ? NULL : option_pending(v, word[i]);
        is_tunnel = is_tunnel || (!value && text_equal(word[i], "--tunnel"));
        if (!value && word[i][0] != '-')
            first = positional++ ? first : word[i];
    }
    if (pending)
        offer_option_value(pending, "", typed);
    else if (typed[0] != '-')
        offer_word(v, positional, first, is_tunnel, &c);
    else if (!offer_inline_value(v, typed))
        offer_options(v, typed);
}

static void complete_words(char *const *word, size_t n)
{
    size_t place = n ? verb_place(word, n - 1) : 0;
    struct complete c = {n ? word[n - 1] : "", ""};

    if (place + 1 < n) {
        const struct verb *v = verb_find(word[place]);
        if (v)
            complete_verb(v, word + place, n - place);
    } else if (n < 2 || !option_pending(NULL, word[n - 2])) {
        offer_verbs(&c);
    }
}

/* The arguments are read from stdin, one per line, because a URL may contain a password and all users can see
 * a process's arguments. */
static int complete_run(struct invocation *inv, struct err *e)
{
    AUTO_BUF(text, INPUT_MAX);
    AUTO_WORDS(words);

    (void)inv;
    if (isatty(STDIN_FILENO) || fd_read_all(STDIN_FILENO, &text, e) < 0)
        return 0;
    for (const char *s = buf_str(&text); *s; s += strcspn(s, "\n") + 1) {
        words_take(&words, mem_strndup(s, strcspn(s, "\n")));
        if (!s[strcspn(s, "\n")])
            break;
    }
    complete_words(words.word, words.count);
    return 0;
}

const struct verb verb_complete = {
    .name = "__complete", .usage = "<WORDS", .summary = "", .group = GROUP_HIDDEN, .run = complete_run};
