/* SPDX-License-Identifier: MIT */
/* Shared by the verbs: the tables of verbs and options, a parsed command line, and all printing. */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/log.h>
#include <base/text.h>
#include <model/config.h>
#include <session/session.h>

enum option_id {
#define OPTION(id, letter, name, argument, set, line, key, help) OPT_##id,
#include "options.def"
    OPT_COUNT
};

/* Groups of options that a verb accepts. */
enum option_set {
    SET_ALWAYS = 1,
    SET_PROFILE = 2, /* the frequent keys and -o */
    SET_RUN = 4,     /* --timeout */
    SET_DRY = 8,
    SET_JSON = 16,
    SET_EXEC = 32,
    SET_SHOW = 64,
    SET_TOKEN = 128,
    SET_FORWARD = 256,
    SET_LOG = 8192, /* of the keeper */
    SET_WAIT = 512,
    SET_PASSWORD = 1024,
    SET_ADD = 65536,
    SET_CREDENTIAL = 4096,
    SET_FRESH = 2048, /* a credential that is not kept from before */
    SET_FORMAT = 16384,
    SET_PARAMS = 32768,
    SET_REPORT = 131072,
    SET_INJECT = 262144,
};
enum option_line { LINE_WHERE, LINE_WHO, LINE_WHAT, LINE_HOW, LINE_HIDDEN };

struct option {
    char letter;
    const char *name, *argument;
    unsigned set;
    enum option_line line;
    const char *key;
    const char *help; /* NULL: the key's */
};
extern const struct option option_table[OPT_COUNT];
struct verb;
bool option_admitted(const struct verb *verb, const struct option *o); /* verb NULL: by any */
/* The place in the table of an option of that verb; -1: it has none of that name or letter. */
int option_find_long(const struct verb *verb, const char *name, size_t n);
int option_find_letter(const struct verb *verb, char letter);
/* The option in a word whose value is the next word; else NULL. */
const struct option *option_pending(const struct verb *verb, const char *word);

struct invocation;

enum verb_group { GROUP_CONNECT, GROUP_EXPORT, GROUP_MANAGE, GROUP_CONFIGURE, GROUP_HIDDEN };

struct verb {
    const char *name, *usage, *summary;
    const char *about; /* what it does, in sentences; NULL: the summary */
    enum verb_group group;
    const char *examples[12]; /* NULL-terminated if fewer */
    unsigned sets;            /* of options */
    unsigned most_words;      /* after the verb */
    bool takes_rest;          /* words after -- */
    bool ends;                /* ends something: never suggested */
    unsigned request_word;    /* which of the words names the profile or URL */
    const char *words;        /* what the first word is, for completion: "profile", "forward", or the choices,
                                 separated by spaces */
    const char *words2;       /* the same for the second */
    const char *words2_after; /* the first words, separated by spaces, after which that holds; NULL: all */
    const char *keys_after;   /* the first words whose second word is followed by KEY=VALUE words */
    int (*run)(struct invocation *inv, struct err *e);
};
extern const struct verb *const
    *verb_table; /* NULL-terminated; main.c sets it, as nothing else knows all verbs */
const struct verb *verb_find(const char *name);
/* The verb that a first word stands for: "help" for --help. */
const char *verb_meant(const char *word);
/* The index of the verb among `n` words, after options; n: no verb. */
size_t verb_place(char *const *words, size_t n);
/* Fills the NULL-terminated names that can be typed; returns how many. For suggestions: without verbs that
 * end something, which a typing error must not run. */
#define VERB_NAMES_MOST 64
size_t verb_names(const char *names[VERB_NAMES_MOST], bool to_guess);

#define WORDS_MOST 32

/* A parsed command line. */
struct invocation {
    const struct verb *verb;
    char *word[WORDS_MOST];      /* after the verb, as they may be shown; NULL where there is none */
    const char *url[WORDS_MOST]; /* a word's URL if it has a password, or was not on the command line */
    size_t word_count;
    char **rest; /* words after --; NULL: no -- */
    const char *value[OPT_COUNT];
    unsigned given[OPT_COUNT]; /* how often it was given */
    char **env;                /* the values of --env, in order; NULL-terminated, or NULL */
    struct override *override;
    size_t override_count;
    long timeout_ms;
    struct words owned; /* copies, wiped at the end */
    char label[128];    /* the subject of the run, for its errors; empty: the verb */
};
void invocation_release(struct invocation *inv);
#define AUTO_INVOCATION(name) __attribute__((cleanup(invocation_release))) struct invocation name = {0}

/*
 * Parses what follows the verb. Passwords in URLs are copied out of argv and overwritten there. ERR_USAGE
 * with e->what the verb; options may stand anywhere before `--`.
 */
int invocation_parse(const struct verb *verb, int argc, char **argv, struct invocation *inv, struct err *e);

/* A word KEY=VALUE, as of -o. The word is not repeated in an error: it may be a secret. */
int invocation_setting(struct invocation *inv, const char *word, struct err *e);

/* The request that the command line makes; word[`word`] is the profile or URL; "-" is read from stdin or
 * asked for. */
int invocation_request(struct invocation *inv, size_t word, struct request *r, struct err *e);

void help_verb(const struct verb *verb, struct buf *to);
void help_overview(struct buf *to);
/* On stdout, or by a pager. */
int help_print(const struct buf *text, struct err *e);
/* The option's help, or that of its key. Malloced. */
char *option_help(const struct option *o);

/* Whether to use colours: the stream is a terminal with colours, and neither NO_COLOR nor `color` forbids
 * them. */
enum mark { MARK_BAD, MARK_WARNING, MARK_HINT, MARK_GOOD };
void print_mark(FILE *to, enum mark mark, const char *text);

/* Errors and the log, on stderr. */
void print_error(const struct err *e);
void print_log_to_stderr(enum log_level most);

/* A table: header first, cells in row order, two spaces between columns, "-" for an empty cell. Cells may
 * hold text from outside. */
struct table {
    size_t columns, count;
    char **cell;
};
void table_add(struct table *t, const char *cell);
void table_print(const struct table *t, FILE *to);
void table_release(struct table *t);
#define AUTO_TABLE(name, n) __attribute__((cleanup(table_release))) struct table name = {.columns = (n)}

/* The rows of `version -v`: what, version or place. */
void version_rows(struct table *t);

/* Flushes stdout: ERR_IO if the output was not written. */
int stdout_finish(struct err *e);

/* Prints the programs on PATH with that prefix as candidates for completion. */
void complete_programs(const char *prefix);

#endif
