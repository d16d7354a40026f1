/* SPDX-License-Identifier: MIT */
/* The start of the program: finds the verb, parses its options, runs it, prints its error and returns its
 * exit status. */
#include "slips.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <help/help.h>
#include <base/proc.h>
#include <base/tty.h>

#define VERB(id) extern const struct verb verb_##id;
#include "verbs.def"

static const struct verb *const verbs[] = {
#define VERB(id) &verb_##id,
#include "verbs.def"
    NULL,
};

/* Moves the verb to the front if options stand before it. */
static void put_verb_first(size_t place, char **words)
{
    char *verb = words[place];

    memmove(words + 1, words, place * sizeof *words);
    words[0] = verb;
}

static bool env_says_yes(const char *name)
{
    const char *value = secure_getenv(name);

    return value && *value && !text_equal(value, "0") && !text_equal_nocase(value, "no") &&
           !text_equal_nocase(value, "false");
}

static int run_verb(const struct verb *verb, int argc, char **argv, struct err *e)
{
    AUTO_INVOCATION(inv);

    if (invocation_parse(verb, argc, argv, &inv, e) < 0)
        return -1;
    if (inv.given[OPT_help]) {
        AUTO_BUF(text, HELP_MOST);
        help_verb(verb, &text);
        return help_print(&text, e);
    }
    print_log_to_stderr(inv.given[OPT_verbose] > 1 ? LOG_TRACE
                        : inv.given[OPT_verbose]   ? LOG_STEP
                        : inv.given[OPT_quiet]     ? LOG_WARNING
                                                   : LOG_NOTE);
    if (env_says_yes("BROKER_NO_INPUT"))
        tty_forbid_input("BROKER_NO_INPUT");
    if (inv.given[OPT_no_input])
        tty_forbid_input("--no-input");
    if (verb->run(&inv, e) == 0)
        return 0;
    return err_what(e, "%s", inv.label[0] ? inv.label : verb->name);
}

/* Returns the protocol in kinds.def if the program was called by a name such as git-credential-broker; NULL
 * if it was called by its own name. */
static const char *protocol_called(const char *program)
{
    static const struct {
        const char *program, *protocol;
    } names[] = {
#define PROTOCOL(id, program) {program, #id},
#include <model/kinds.def>
    };
    const char *slash = program ? strrchr(program, '/') : NULL;

    for (size_t i = 0; program && i < ARRAY_LEN(names); i++) {
        if (text_equal(names[i].program, slash ? slash + 1 : program))
            return names[i].protocol;
    }
    return NULL;
}

/* Runs "git-credential-broker ARGS" as "broker credential git ARGS". */
static int run_protocol(const char *protocol, int argc, char **argv, struct err *e)
{
    AUTO_FREE(char **, words);
    AUTO_FREE(char *, first);

    words = mem_alloc((size_t)argc + 2, sizeof *words);
    words[0] = first = mem_strdup(protocol);
    for (int i = 1; i < argc; i++)
        words[i] = argv[i];
    return run_verb(verb_find("credential"), argc, words, e);
}

/* Runs the program. A result above 0 is the exit status, and no error is printed. */
static int run_words(int argc, char **argv, struct err *e)
{
    size_t words = argc > 1 ? (size_t)argc - 1 : 0, place = verb_place(argv + 1, words);

    if (place == words) {
        AUTO_BUF(text, HELP_MOST);
        help_overview(&text);
        (void)fputs(buf_str(&text), stderr);
        return ERR_USAGE;
    }
    put_verb_first(place, argv + 1);
    const struct verb *verb = verb_find(verb_meant(argv[1]));
    return verb ? run_verb(verb, argc - 2, argv + 2, e) : slip_verb(argv[1], e);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;

    verb_table = verbs;
    proc_harden();
    print_log_to_stderr(LOG_NOTE);
    const char *protocol = protocol_called(argv[0]);
    int result = protocol ? run_protocol(protocol, argc, argv, &e) : run_words(argc, argv, &e);
    if (result == 0)
        result = stdout_finish(&e);
    if (result >= 0)
        return result;
    print_error(&e);
    return e.code ? (int)e.code : ERR_BUG;
}
