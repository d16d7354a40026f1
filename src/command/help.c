/* Help, made from the tables, so that it only names what this version has. */
#include "command.h"

#include <string.h>

#include <base/mem.h>
#include <model/kinds.h>
#include <model/profile.h>
#include <model/url.h>

static const char *const group_titles[] = {"get in", "hand out", "look after", "set up"};
static const char *const line_titles[] = {"where", "who", "what", "how"};

const char *const help_topics = "config urls environment exit-codes formats";

void help_overview(FILE *to)
{
    (void)fputs("usage: broker VERB [PROFILE|URL] [OPTION]...\n\n", to);
    for (size_t group = 0; group < ARRAY_LEN(group_titles); group++) {
        (void)fprintf(to, "%s\n", group_titles[group]);
        for (size_t i = 0; verb_table[i]; i++) {
            const struct verb *v = verb_table[i];
            if ((size_t)v->group == group)
                (void)fprintf(to, "  %-10s  %s\n", v->name, v->summary);
        }
    }
    (void)fputs("\nfirst time: broker profile add NAME\n", to);
}

static void print_option(const struct option *o)
{
    (void)fputs("  ", stdout);
    if (o->letter)
        (void)printf(o->name ? "-%c " : "-%c", o->letter);
    if (o->name)
        (void)printf("--%s", o->name);
    if (o->argument)
        (void)printf(" %s", o->argument);
}

static void print_option_line(const struct verb *verb, size_t line)
{
    bool first = true;

    for (size_t i = 0; i < OPT_COUNT; i++) {
        const struct option *o = &option_table[i];
        if ((size_t)o->line != line || !((verb->sets | SET_ALWAYS) & o->set))
            continue;
        if (first)
            (void)printf("%-5s", line_titles[line]);
        first = false;
        print_option(o);
    }
    if (!first)
        (void)putchar('\n');
}

void help_verb(const struct verb *verb)
{
    (void)printf("usage: broker %s%s%s\n\n", verb->name, *verb->usage ? " " : "", verb->usage);
    for (size_t i = 0; i < ARRAY_LEN(verb->examples) && verb->examples[i]; i++)
        (void)printf("  %s\n", verb->examples[i]);
    if (verb->examples[0])
        (void)putchar('\n');
    for (size_t line = 0; line < ARRAY_LEN(line_titles); line++)
        print_option_line(verb, line);
    (void)puts("\nmore: broker help config");
}

bool key_is_built(const struct key_info *info)
{
    if (text_equal(info->group, "auth"))
        return true;
    return text_equal(info->group, "profile") || text_equal(info->group, "tunnel") ||
           kind_has_provider(info->group);
}

static void print_keys(const struct key_info *infos, size_t count)
{
    AUTO_TABLE(t, 3);

    table_add(&t, "KEY");
    table_add(&t, "DEFAULT");
    table_add(&t, "MEANING");
    for (size_t i = 0; i < count; i++) {
        if (infos[i].group && !key_is_built(&infos[i]))
            continue;
        table_add(&t, infos[i].name);
        table_add(&t, infos[i].built_in);
        table_add(&t, infos[i].help);
    }
    table_print(&t, stdout);
}

static void help_config(void)
{
    (void)puts("[profile NAME] sections in /etc/broker/config and ~/.config/broker/config, or in "
               "$BROKER_CONFIG alone.\n"
               "[defaults] holds the same keys for every profile. A flag or -o KEY=VALUE wins over the "
               "profile, that\n"
               "over BROKER_KEY in the environment, that over [defaults]. An empty value unsets.\n");
    print_keys(key_infos, KEY_COUNT);
    (void)puts("\nauth is one of:");
    for (const struct kind *k = kind_providers; k->name; k++)
        (void)printf("  %-10s  %s\n", k->name, k->help);
    (void)puts("\ntls is one of: disabled preferred required verify-ca verify-identity\n\n"
               "via names a [tunnel NAME]:\n");
    print_keys(tunnel_key_infos, TUNNEL_COUNT);
    (void)puts("\ntype is one of:");
    for (const struct kind *k = kind_tunnels; k->name; k++)
        (void)printf("  %-10s  %s\n", k->name, k->help);
}

static void help_urls(void)
{
    AUTO_BUF(words, 16384);

    (void)puts(
        "mysql://[USER[:PASSWORD]@]HOST[:PORT]/[DATABASE][?PARAMETER=VALUE&...]\n"
        "Also mariadb://, jdbc:mysql:// and mysql+ssh://SSHUSER@BASTION/USER:PASSWORD@HOST/DATABASE;\n"
        "for HOST:PORT also tcp(HOST:PORT), unix(/PATH) and a path that ends with .sock.\n"
        "Each part is percent-encoded. `-` in the place of a URL reads it from stdin, or asks for it.\n\n"
        "A parameter is a key of a profile (broker help config), or one of these:\n");
    (void)puts(
        "  type              tcp socket ssh aws_iam\n"
        "  ssh_host ssh_port ssh_user ssh_password ssh_keyLocation ssh_keyLocationEnabled\n"
        "                    a tunnel without a name\n"
        "  ssh_remote_socket_path\n"
        "                    socket, on its far side\n\n"
        "A URL runs nothing, lowers nothing, and sends a credential only to the server that it belongs to.\n"
        "So it sets none of these; -o KEY=VALUE or a profile does:\n");
    for (size_t i = 0, shown = 0; i < KEY_COUNT; i++) {
        if (key_infos[i].url >= URL_RUNS && key_is_built(&key_infos[i]))
            (void)printf(shown++ ? " %s" : "  %s", key_infos[i].name);
    }
    (void)puts("\n\nOther programs' words, in any case and with - for _, for these keys:\n");
    url_words_print(&words);
    (void)fputs(buf_str(&words), stdout);
    (void)puts("\nWithout effect, as they concern a driver:\n");
    for (size_t i = 0; url_ignored_words[i]; i++)
        (void)printf("%s%s", i == 0 ? "  " : i % 8 ? " " : "\n  ", url_ignored_words[i]);
    (void)putchar('\n');
}

static void help_environment(void)
{
    (void)puts(
        "BROKER_CONFIG    the only config file to read\n"
        "BROKER_PROFILE   the profile, where none is named\n"
        "BROKER_KEY       a key's value where neither flag nor profile has one, as in BROKER_USER\n"
        "BROKER_NO_INPUT  1: never ask, like --no-input\n"
        "BROKER_ASKPASS   program that asks where there is no terminal; else SSH_ASKPASS with a display\n"
        "XDG_CONFIG_HOME  holds broker/config\n"
        "XDG_CACHE_HOME   holds broker/clients: which family each client program is of\n"
        "XDG_DATA_HOME    holds broker/rds-ca.pem, where it shall be another than the one that came with "
        "broker\n"
        "XDG_RUNTIME_DIR  holds locks, and the sockets of forwards; where others could change it: TMPDIR\n"
        "AWS_...          credentials, profile, region for auth = iam, as for the AWS CLI\n"
        "MYSQL_UNIX_PORT  the first socket that is tried for socket = auto\n"
        "NO_COLOR         set: no colours\n"
        "TERM             dumb: no counters, no colours");
}

static void help_exit_codes(void)
{
    (void)puts("  0  done\n"
               " 64  usage\n"
               " 65  bad input data\n"
               " 69  unreachable: name, TCP, TLS, no answer in time\n"
               " 70  a bug in broker\n"
               " 74  reading or writing failed\n"
               " 75  the same command may work later\n"
               " 76  the other side broke its protocol\n"
               " 77  refused by the server\n"
               " 78  config, no such profile, or a part is missing\n"
               " 79  login or password needed\n"
               "126  the client or command cannot be run\n"
               "127  the client or command was not found\n\n"
               "Once the client runs, the status is its own.");
}

static void help_formats(void)
{
    for (const struct kind *k = kind_formats; k->name; k++)
        (void)printf("%-14s  %s\n", k->name, k->help);
}

int help_topic(const char *topic, struct err *e)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } topics[] = {{"config", help_config},
                  {"urls", help_urls},
                  {"environment", help_environment},
                  {"exit-codes", help_exit_codes},
                  {"formats", help_formats}};
    const struct verb *verb = text_starts(topic, "__") ? NULL : verb_find(topic);
    const char *names[VERB_NAMES_MOST + ARRAY_LEN(topics)] = {NULL};
    size_t n = verb_names(names, false);

    for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
        if (text_equal(topics[i].name, topic)) {
            topics[i].print();
            return 0;
        }
        names[n++] = topics[i].name;
    }
    if (verb) {
        help_verb(verb);
        return 0;
    }
    (void)err_set(e, ERR_USAGE, "no such topic");
    (void)err_what(e, "%s", topic);
    const char *meant = text_closest(topic, names);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "a verb, or: %s", help_topics);
}

static int help_run(struct invocation *inv, struct err *e)
{
    if (inv->word[0])
        return help_topic(inv->word[0], e);
    help_overview(stdout);
    return 0;
}

const struct verb verb_help = {.name = "help",
                               .usage = "[VERB|TOPIC]",
                               .summary = "a verb, or: config urls environment exit-codes formats",
                               .group = GROUP_SET_UP,
                               .examples = {"broker help connect", "broker help config"},
                               .most_words = 1,
                               .words = "topic",
                               .run = help_run};
