/* SPDX-License-Identifier: MIT */
/* Shared by all verbs: the tables of verbs and options, the parsed command line, and all printing. */
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

/* Groups of options; each verb accepts some of the groups. */
enum option_set {
    SET_ALWAYS = 1,
    SET_PROFILE = 2, /* the frequently used keys, and -o */
    SET_RUN = 4,     /* --timeout */
    SET_DRY = 8,
    SET_JSON = 16,
    SET_EXEC = 32,
    SET_SHOW = 64,
    SET_TOKEN = 128,
    SET_FORWARD = 256,
    SET_LOG = 8192, /* --log, for the keeper */
    SET_WAIT = 512,
    SET_PASSWORD = 1024,
    SET_ADD = 65536,
    SET_CREDENTIAL = 4096,
    SET_FRESH = 2048, /* --fresh: do not use a cached credential */
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
    const char *help; /* NULL: use the help of the key */
};
extern const struct option option_table[OPT_COUNT];
struct verb;
bool option_admitted(const struct verb *verb, const struct option *o); /* verb NULL: by at least one verb */
/* Return the index in option_table of a verb's option, by its name (n bytes) or letter; -1 if not found. */
int option_find_long(const struct verb *verb, const char *name, size_t n);
int option_find_letter(const struct verb *verb, char letter);
/* Returns the option if `word` is an option whose value is the next argument; else NULL. */
const struct option *option_pending(const struct verb *verb, const char *word);

struct invocation;

/* Groups of the overview. UNLISTED: not in it, because the row of another verb names this one. HIDDEN: not
 * for users. */
enum verb_group { GROUP_CONNECT, GROUP_EXPORT, GROUP_MANAGE, GROUP_CONFIGURE, GROUP_UNLISTED, GROUP_HIDDEN };

struct verb {
    const char *name, *usage, *summary;
    const char *about; /* a description in sentences; NULL: the summary is used */
    enum verb_group group;
    const char *examples[12]; /* example command lines; NULL-terminated if there are fewer */
    unsigned sets;            /* the option sets that it accepts */
    unsigned most_words;      /* the most arguments after the verb's name */
    bool takes_rest;          /* it accepts a command or arguments after -- */
    bool ends;                /* it stops or deletes something, so it is never suggested for a typing error */
    unsigned request_word;    /* the index of the argument that is the profile or URL */
    const char *words;  /* what completion offers for the first argument: "profile", "forward", or choices
                           separated by spaces */
    const char *words2; /* what completion offers for the second argument */
    const char *words2_after; /* `words2` holds only after these first arguments, separated by spaces; NULL:
                                 after all */
    const char *keys_after;   /* after these first arguments, KEY=VALUE arguments follow the second one */
    int (*run)(struct invocation *inv, struct err *e);
};
extern const struct verb *const
    *verb_table; /* NULL-terminated; defined in main.c, the only file that knows all verbs */
const struct verb *verb_find(const char *name);
/* Returns the verb that a first argument stands for, such as "help" for --help. */
const char *verb_meant(const char *word);
/* Returns the index of the verb among `n` arguments, after any options; n if there is no verb. */
size_t verb_place(char *const *words, size_t n);
/* Fills `names` with all verb names, NULL-terminated, and returns how many there are. With `to_guess`, leaves
 * out verbs that stop or delete something, because a typing error must not suggest them. */
#define VERB_NAMES_MOST 64
size_t verb_names(const char *names[VERB_NAMES_MOST], bool to_guess);

#define WORDS_MOST 32

/* A parsed command line. */
struct invocation {
    const struct verb *verb;
    char *word[WORDS_MOST]; /* the arguments after the verb, as they may be shown; NULL if there are fewer */
    const char *url[WORDS_MOST]; /* the argument's URL, if it has a password or was not on the command line */
    size_t word_count;
    char **rest; /* the arguments after --; NULL: there was no -- */
    const char *value[OPT_COUNT];
    unsigned given[OPT_COUNT]; /* how often each option was given */
    char **env;                /* the values of --env, NULL-terminated; NULL: none */
    struct override *override;
    size_t override_count;
    long timeout_ms;
    struct words owned; /* malloced copies, wiped at the end */
    char label[128];    /* what the run is about (a profile or server), for its errors; empty: the verb */
};
void invocation_release(struct invocation *inv);
#define AUTO_INVOCATION(name) __attribute__((cleanup(invocation_release))) struct invocation name = {0}

/* Parses the arguments after the verb. Options may stand anywhere before `--`. Passwords in URLs are copied
 * and then overwritten in argv. ERR_USAGE with e->what set to the verb. */
int invocation_parse(const struct verb *verb, int argc, char **argv, struct invocation *inv, struct err *e);

/* Adds a KEY=VALUE argument, as for -o. Errors do not quote the argument, because it may be a secret. */
int invocation_setting(struct invocation *inv, const char *word, struct err *e);

/* Builds the request from the command line. word[`word`] is the profile or URL; "-" means that it is read
 * from stdin or asked for. */
int invocation_request(struct invocation *inv, size_t word, struct request *r, struct err *e);

void help_verb(const struct verb *verb, struct buf *to);
void help_overview(struct buf *to);
/* Prints a help text on stdout, through a pager if it is long. */
int help_print(const struct buf *text, struct err *e);
/* Returns the option's help, or the help of its key; malloced. */
char *option_help(const struct option *o);

/* Prints `text` in the colour of `mark`, if the stream is a terminal with colours and neither NO_COLOR nor
 * the config key `color` forbids them. */
enum mark { MARK_BAD, MARK_WARNING, MARK_HINT, MARK_GOOD };
void print_mark(FILE *to, enum mark mark, const char *text);

/* Print an error, and send the log, to stderr. */
void print_error(const struct err *e);
void print_log_to_stderr(enum log_level most);

/* A table: the header first, then cells row by row; two spaces between columns, "-" for an empty cell. Cells
 * may hold text from outside. */
struct table {
    size_t columns, count;
    char **cell;
};
void table_add(struct table *t, const char *cell);
void table_print(const struct table *t, FILE *to);
void table_release(struct table *t);
#define AUTO_TABLE(name, n) __attribute__((cleanup(table_release))) struct table name = {.columns = (n)}

/* Fills in the rows of `version -v`: a name and its version or path. */
void version_rows(struct table *t);

/* Flushes stdout. ERR_IO if the output could not be written. */
int stdout_finish(struct err *e);

/* Prints the programs on PATH that start with `prefix`, as candidates for completion. */
void complete_programs(const char *prefix);

#endif
