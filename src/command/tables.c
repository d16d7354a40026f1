/* SPDX-License-Identifier: MIT */
/* The tables of verbs and options, and functions to search them. What each verb does is in a file of its own,
 * the list of all verbs is in main.c, and the parser is in options.c. */
#include <string.h>

#include <base/text.h>

#include "command.h"

const struct option option_table[OPT_COUNT] = {
#define OPTION(id, letter, name, argument, set, line, key, help)                                             \
    {letter, name, argument, SET_##set, LINE_##line, key, help},
#include "options.def"
};

bool option_admitted(const struct verb *verb, const struct option *o)
{
    return !verb || ((verb->sets | SET_ALWAYS) & o->set);
}

int option_find_long(const struct verb *verb, const char *name, size_t n)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        const char *known = option_table[i].name;
        if (known && strlen(known) == n && memcmp(known, name, n) == 0 &&
            option_admitted(verb, &option_table[i]))
            return i;
    }
    return -1;
}

int option_find_letter(const struct verb *verb, char letter)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        if (option_table[i].letter == letter && option_admitted(verb, &option_table[i]))
            return i;
    }
    return -1;
}

const struct option *option_pending(const struct verb *verb, const char *word)
{
    int id = -1;

    if (text_starts(word, "--")) {
        id = option_find_long(verb, word + 2, strlen(word + 2));
        return id >= 0 && option_table[id].argument ? &option_table[id] : NULL;
    }
    for (const char *c = word + 1; *word == '-' && *c; c++) {
        id = option_find_letter(verb, *c);
        if (id < 0 || option_table[id].argument)
            return id >= 0 && !c[1] ? &option_table[id] : NULL;
    }
    return NULL;
}

const struct verb *const *verb_table;

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verb_table[i]; i++) {
        if (text_equal(verb_table[i]->name, name))
            return verb_table[i];
    }
    return NULL;
}

size_t verb_names(const char *names[VERB_NAMES_MOST], bool to_guess)
{
    size_t n = 0;

    for (size_t i = 0; verb_table[i] && n + 1 < VERB_NAMES_MOST; i++) {
        if (!text_starts(verb_table[i]->name, "__") && !(to_guess && verb_table[i]->ends))
            names[n++] = verb_table[i]->name;
    }
    names[n] = NULL;
    return n;
}

/* Handles options that users expect of every program, such as --version. */
const char *verb_meant(const char *word)
{
    if (text_equal(word, "--help") || text_equal(word, "-h"))
        return "help";
    return text_equal(word, "--version") ? "version" : word;
}

size_t verb_place(char *const *words, size_t n)
{
    size_t i = 0;

    while (i < n && words[i][0] == '-' && words[i][1] && !text_equal(words[i], "--") &&
           text_equal(verb_meant(words[i]), words[i]))
        i += option_pending(NULL, words[i]) ? 2 : 1;
    return i < n ? i : n;
}
