/*
 * The start of the program: which verb, its options, its run; and the end: one error printed once, one exit
 * status.
 */
#include "command.h"

#include <stdlib.h>

#include <base/mem.h>
#include <base/proc.h>
#include <base/tty.h>
#include <model/url.h>

#define VERB(id) extern const struct verb verb_##id;
#include "verbs.def"

const struct verb *const verb_table[] = {
#define VERB(id) &verb_##id,
#include "verbs.def"
    NULL,
};

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verb_table[i]; i++) {
        if (text_equal(verb_table[i]->name, name))
            return verb_table[i];
    }
    return NULL;
}

size_t verb_names(const char *names[VERB_NAMES_MOST])
{
    size_t n = 0;

    for (size_t i = 0; verb_table[i] && n + 1 < VERB_NAMES_MOST; i++) {
        if (!text_starts(verb_table[i]->name, "__"))
            names[n++] = verb_table[i]->name;
    }
    names[n] = NULL;
    return n;
}

/* A word that is no verb: a profile's name that lacks its verb, or a slip. */
static int no_such_verb(char *word, struct err *e)
{
    AUTO_CONFIG(config);
    struct err ignored = ERR_INIT;
    const char *names[VERB_NAMES_MOST], *file;
    unsigned line;

    bool is_secret = url_has_password(word);
    url_mask(word);
    (void)err_set(e, ERR_USAGE, "no such verb");
    (void)err_what(e, "%s", word);
    if (url_is(word))
        return err_hint(e, "broker connect %s", is_secret ? "-" : word);
    (void)verb_names(names);
    if (config_load(&config, &ignored) == 0 && config_profile_place(config, word, &file, &line))
        return err_hint(e, "broker connect %s", word);
    const char *meant = text_closest(word, names);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help");
}

/* The long names that programs answer to by custom. */
static const char *verb_word(const char *word)
{
    if (text_equal(word, "--help") || text_equal(word, "-h"))
        return "help";
    return text_equal(word, "--version") ? "version" : word;
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
        help_verb(verb);
        return 0;
    }
    print_log_to_stderr(inv.given[OPT_verbose] > 1 ? LOG_TRACE
                        : inv.given[OPT_verbose]   ? LOG_STEP
                        : inv.given[OPT_quiet]     ? LOG_WARNING
                                                   : LOG_NOTE);
    if (inv.given[OPT_no_input] || env_says_yes("BROKER_NO_INPUT"))
        tty_forbid_input();
    if (verb->run(&inv, e) == 0)
        return 0;
    return err_what(e, "%s", inv.label[0] ? inv.label : verb->name);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;

    proc_harden();
    print_log_to_stderr(LOG_NOTE);
    if (argc < 2) {
        help_overview(stderr);
        return ERR_USAGE;
    }
    const struct verb *verb = verb_find(verb_word(argv[1]));
    int result = verb ? run_verb(verb, argc - 2, argv + 2, &e) : no_such_verb(argv[1], &e);
    if (result == 0)
        result = stdout_finish(&e);
    if (result == 0)
        return 0;
    print_error(&e);
    return e.code ? (int)e.code : ERR_BUG;
}
