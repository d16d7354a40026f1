/*
 * What the completion scripts ask: the words so far in, candidates out, one a line with a tab and its help.
 * All from the parser's own tables and the config file; offline, and silent about errors.
 */
#include "command.h"

#include <string.h>

#include <base/mem.h>
#include <model/kinds.h>

#define TUNNEL_DOT "tunnel."

struct complete {
    const char *prefix; /* what is typed of the current word */
    const char *head;   /* what stands before it in the same word, as "--tls=" */
};

static void offer(const struct complete *c, const char *word, const char *help)
{
    if (text_starts(word, c->prefix))
        (void)printf("%s%s\t%s\n", c->head, word, help ? help : "");
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
    AUTO_CONFIG(config);
    struct err ignored = ERR_INIT;

    if (config_load(&config, &ignored) < 0)
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
    else if (text_equal(words, "topic")) {
        offer_verbs(c);
        offer_choices(c, help_topics);
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
        if (!infos[i].group || key_is_built(&infos[i]))
            offer(&c, word, infos[i].help);
    }
}

/* -o KEY, then -o KEY=VALUE. */
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

static bool is_option(const struct verb *v, const struct option *o)
{
    return (v->sets | SET_ALWAYS) & o->set;
}

static void offer_options(const struct verb *v, const char *typed)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        AUTO_FREE(char *, word);
        struct complete c = {typed, ""};
        if (!option_table[i].name || option_table[i].line == LINE_HIDDEN || !is_option(v, &option_table[i]))
            continue;
        word = mem_printf("--%s", option_table[i].name);
        offer(&c, word, option_table[i].argument);
    }
}

/* The option that `word` is, where it still wants its value in the next word. */
static const struct option *wants_value(const struct verb *v, const char *word)
{
    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &option_table[i];
        bool is_it = o->name && text_starts(word, "--") && text_equal(word + 2, o->name);
        bool is_letter = o->letter && word[0] == '-' && word[1] == o->letter && !word[2];
        if (o->argument && (is_it || is_letter) && is_option(v, o))
            return o;
    }
    return NULL;
}

/* --name=VALUE in one word. */
static bool offer_inline_value(const struct verb *v, const char *typed)
{
    const char *equals = text_starts(typed, "--") ? strchr(typed, '=') : NULL;
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, head);

    if (!equals)
        return false;
    name = mem_strndup(typed, (size_t)(equals - typed));
    head = mem_printf("%s=", name);
    const struct option *o = wants_value(v, name);
    if (o)
        offer_option_value(o, head, equals + 1);
    return true;
}

static int complete_run(struct invocation *inv, struct err *e)
{
    char **word = inv->rest;
    size_t n = 0, positional = 0;
    const struct option *pending = NULL;
    const char *first = NULL;

    (void)e;
    while (word && word[n])
        n++;
    const char *typed = n ? word[n - 1] : "";
    struct complete c = {typed, ""};
    if (n <= 1) {
        offer_verbs(&c);
        return 0;
    }
    const struct verb *v = verb_find(word[0]);
    for (size_t i = 1; v && i + 1 < n; i++) {
        if (text_equal(word[i], "--"))
            return 0;
        bool value = pending;
        pending = value ? NULL : wants_value(v, word[i]);
        if (value || word[i][0] == '-')
            continue;
        first = positional++ ? first : word[i];
    }
    if (!v)
        return 0;
    if (pending)
        offer_option_value(pending, "", typed);
    else if (typed[0] == '-' && !offer_inline_value(v, typed))
        offer_options(v, typed);
    else if (typed[0] != '-' && (positional == 0 || (!v->words2 && positional < v->most_words)))
        offer_words(&c, v->words);
    else if (typed[0] != '-' && positional == 1 && (!v->words2_after || text_equal(first, v->words2_after)))
        offer_words(&c, v->words2);
    return 0;
}

const struct verb verb_complete = {.name = "__complete",
                                   .usage = "-- WORD...",
                                   .summary = "",
                                   .group = GROUP_HIDDEN,
                                   .takes_rest = true,
                                   .run = complete_run};
