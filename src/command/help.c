/* SPDX-License-Identifier: MIT */
/* broker help. The text is made from the tables, so that it lists only what this version has. The manual
 * pages are made from the same text. */
#include "command.h"

#include <string.h>

#include <base/mem.h>
#include <help/help.h>
#include <model/kinds.h>
#include <model/profile.h>

#define EXAMPLE_INDENT 2
#define OPTION_COLUMN 26

static const char *const group_titles[] = {"connect", "export", "manage", "configure"};
static const char *const line_titles[] = {"where", "who", "what", "how"};

static void print_topics(struct buf *to)
{
    AUTO_BUF(names, 1024);

    buf_puts(&names, "topics:");
    for (size_t i = 0; help_topic_table[i].name; i++)
        buf_printf(&names, " %s", help_topic_table[i].name);
    help_wrapped(buf_str(&names), 0, 8, to);
}

void help_overview(struct buf *to)
{
    buf_printf(to, "usage: broker VERB [PROFILE|URL] [OPTION]...\n\n");
    for (size_t group = 0; group < ARRAY_LEN(group_titles); group++) {
        buf_printf(to, "%s\n", group_titles[group]);
        for (size_t i = 0; verb_table[i]; i++) {
            if ((size_t)verb_table[i]->group == group)
                help_line(verb_table[i]->name, verb_table[i]->summary, 2, 14, to);
        }
    }
    buf_putc(to, '\n');
    print_topics(to);
    buf_printf(to, "first time: broker profile add NAME\n");
}

char *option_help(const struct option *o)
{
    int key = o->key ? key_find(key_infos, KEY_COUNT, o->key) : -1;

    if (o->help || key < 0)
        return mem_strdup(o->help ? o->help : "");
    const char *built_in = key_infos[key].built_in;
    return built_in ? mem_printf("%s (%s)", key_infos[key].help, built_in) : mem_strdup(key_infos[key].help);
}

static void print_option(const struct option *o, struct buf *to)
{
    AUTO_BUF(word, 256);
    AUTO_FREE(char *, help);

    if (o->letter)
        buf_printf(&word, o->name ? "-%c, " : "-%c", o->letter);
    else
        buf_printf(&word, "    ");
    if (o->name)
        buf_printf(&word, "--%s", o->name);
    if (o->argument)
        buf_printf(&word, " %s", o->argument);
    help = option_help(o);
    help_line(buf_str(&word), help, 2, OPTION_COLUMN, to);
}

static void print_option_lines(const struct verb *verb, size_t line, struct buf *to)
{
    bool first = true;

    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &option_table[i];
        if ((size_t)o->line != line || !option_admitted(verb, o))
            continue;
        if (first)
            buf_printf(to, "\n%s\n", line_titles[line]);
        first = false;
        print_option(o, to);
    }
}

void help_verb(const struct verb *verb, struct buf *to)
{
    buf_printf(to, "usage: broker %s", verb->name);
    if (*verb->usage) {
        buf_putc(to, ' ');
        help_wrapped(verb->usage, strlen("usage: broker ") + strlen(verb->name) + 1, 14, to);
    } else {
        buf_putc(to, '\n');
    }
    buf_putc(to, '\n');
    help_wrapped(verb->about ? verb->about : verb->summary, 0, 0, to);
    for (size_t i = 0; i < ARRAY_LEN(verb->examples) && verb->examples[i]; i++)
        buf_printf(to, "%s%*s%s\n", i ? "" : "\n", EXAMPLE_INDENT, "", verb->examples[i]);
    for (size_t line = 0; line < ARRAY_LEN(line_titles); line++)
        print_option_lines(verb, line, to);
    buf_puts(to, "\nexit status\n");
    help_line("0", verb->takes_rest ? "done; once the program runs, the status is its own" : "done", 2, 9,
              to);
    help_line("64-79", "an error in broker: broker help exit-codes", 2, 9, to);
    buf_printf(to, "\nmore: man broker-%s; broker help config\n", verb->name);
}

int help_print(const struct buf *text, struct err *e)
{
    if (!buf_ok(text))
        return err_set(e, ERR_BUG, "help is too long");
    if (!pager_show(text))
        (void)fputs(buf_str(text), stdout);
    return 0;
}

static int no_such_topic(const char *topic, struct err *e)
{
    const char *names[VERB_NAMES_MOST + 16] = {NULL};
    size_t n = verb_names(names, false);
    AUTO_BUF(topics, 1024);

    for (size_t i = 0; help_topic_table[i].name && n + 1 < ARRAY_LEN(names); i++) {
        names[n++] = help_topic_table[i].name;
        buf_printf(&topics, " %s", help_topic_table[i].name);
    }
    (void)err_set(e, ERR_USAGE, "no such topic");
    (void)err_what(e, "%s", topic);
    const char *meant = text_closest(topic, names);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "a verb, or:%s", buf_str(&topics));
}

static int print_topic(const char *topic, struct buf *to, struct err *e)
{
    const struct verb *verb = text_starts(topic, "__") ? NULL : verb_find(topic);

    for (size_t i = 0; help_topic_table[i].name; i++) {
        if (text_equal(help_topic_table[i].name, topic)) {
            help_topic_table[i].print(to);
            buf_printf(to, "\nmore: man %s\n", help_topic_table[i].manual);
            return 0;
        }
    }
    if (!verb)
        return no_such_topic(topic, e);
    help_verb(verb, to);
    return 0;
}

static int help_run(struct invocation *inv, struct err *e)
{
    AUTO_BUF(text, HELP_MOST);

    if (!inv->word[0])
        help_overview(&text);
    else if (print_topic(inv->word[0], &text, e) < 0)
        return -1;
    return help_print(&text, e);
}

const struct verb verb_help = {.name = "help",
                               .usage = "[VERB|TOPIC]",
                               .summary = "help on a verb or topic",
                               .about = "Print help on a verb or on a topic.",
                               .group = GROUP_CONFIGURE,
                               .examples = {"broker help connect", "broker help config"},
                               .most_words = 1,
                               .words = "topic",
                               .run = help_run};
