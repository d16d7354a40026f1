/* SPDX-License-Identifier: MIT */
/* The topics of `broker help`: fixed texts, and tables made from those that the program itself uses. */
#include <help/help.h>

#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/kinds.h>
#include <model/profile.h>
#include <model/url.h>

struct line {
    const char *word, *text;
};

/* Appends a paragraph and an empty line. */
static void para(struct buf *to, const char *text)
{
    help_wrapped(text, 0, 0, to);
    buf_putc(to, '\n');
}

static void print_lines(const struct line *lines, size_t count, size_t column, struct buf *to)
{
    for (size_t i = 0; i < count; i++)
        help_line(lines[i].word, lines[i].text, 2, column, to);
}

static void print_kinds(const struct kind *kinds, struct buf *to)
{
    size_t longest = 0;

    for (const struct kind *k = kinds; k->name; k++)
        longest = strlen(k->name) > longest ? strlen(k->name) : longest;
    for (const struct kind *k = kinds; k->name; k++)
        help_line(k->name, k->help, 2, longest + 4, to);
}

static void print_keys(const struct key_info *infos, size_t count, struct buf *to)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE(char *, text);
        text = infos[i].built_in ? mem_printf("%s (%s)", infos[i].help, infos[i].built_in)
                                 : mem_strdup(infos[i].help);
        help_line(infos[i].name, text, 2, 24, to);
    }
}

static void help_config(struct buf *to)
{
    para(
        to,
        "A [profile NAME] section in /etc/broker/config or ~/.config/broker/config describes one connection. "
        "If BROKER_CONFIG is set, only the file that it names is read. A line is KEY = VALUE.");
    para(to,
         "[defaults] holds the same keys for every profile. A flag or -o KEY=VALUE wins over the profile, "
         "the profile over BROKER_KEY in the environment, and that over [defaults]. An empty value unsets "
         "a key. Built-in values are in parentheses.");
    buf_puts(to, "keys of a profile\n");
    print_keys(key_infos, KEY_COUNT, to);
    buf_puts(to, "\nauth is one of\n");
    print_kinds(kind_providers, to);
    buf_puts(to, "\ntls is one of: disabled preferred required verify-ca verify-identity\n\n"
                 "keys of a [tunnel NAME], which a profile uses by via = NAME\n");
    print_keys(tunnel_key_infos, TUNNEL_COUNT, to);
    buf_puts(to, "\ntype is one of\n");
    print_kinds(kind_tunnels, to);
    buf_puts(to, "\nkeys of [defaults] only\n");
    print_keys(file_key_infos, FILE_COUNT, to);
}

static void print_forbidden(struct buf *to)
{
    AUTO_BUF(names, 4096);

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (key_infos[i].url >= URL_RUNS)
            buf_printf(&names, "%s%s", names.len ? " " : "", key_infos[i].name);
    }
    buf_puts(to, "  ");
    help_wrapped(buf_str(&names), 2, 2, to);
}

/* Prints lines of the form "KEY  TEXT" in two columns. */
static void print_words(const char *lines, struct buf *to)
{
    for (size_t n; *lines; lines += n + (lines[n] == '\n')) {
        AUTO_FREE(char *, key);
        AUTO_FREE(char *, words);
        size_t start = strspn(lines, " "), length = strcspn(lines + start, " \n");
        n = strcspn(lines, "\n");
        size_t rest = start + length + strspn(lines + start + length, " ");
        key = mem_strndup(lines + start, length);
        words = mem_strndup(lines + rest, n > rest ? n - rest : 0);
        help_line(key, words, 2, 21, to);
    }
}

static void help_urls(struct buf *to)
{
    static const struct line own[] = {
        {"type", "tcp socket ssh aws_iam"},
        {"ssh_host ssh_port ssh_user ssh_password ssh_keyLocation", "an SSH tunnel for this URL"},
        {"ssh_keyLocationEnabled", "whether that key is used"},
        {"ssh_remote_socket_path", "the server's socket, a path on the SSH server"},
    };
    AUTO_BUF(words, 16384);
    AUTO_BUF(ignored, 16384);

    buf_puts(to, "mysql://[USER[:PASSWORD]@]HOST[:PORT]/[DATABASE][?PARAMETER=VALUE&...]\n\n");
    para(to, "Also mariadb://, jdbc:mysql:// and mysql+ssh://SSHUSER@BASTION/USER:PASSWORD@HOST/DATABASE; "
             "HOST:PORT may also be tcp(HOST:PORT), unix(/PATH) or a path that ends with .sock. Each part "
             "is percent-encoded. - in place of a URL reads it from stdin, or prompts for it.");
    buf_puts(to, "A parameter is a key of a profile (broker help config), or one of these\n");
    print_lines(own, ARRAY_LEN(own), 28, to);
    buf_putc(to, '\n');
    para(to, "A URL cannot run a program or lower security, and a credential is only sent to the server that "
             "it belongs to. So a URL cannot set the keys below; -o KEY=VALUE and a profile can.");
    print_forbidden(to);
    buf_puts(to, "\nNames of other programs for these keys, in upper or lower case, with - or _\n");
    url_words_print(&words);
    print_words(buf_str(&words), to);
    buf_puts(to, "\nIgnored, because they only concern drivers\n  ");
    for (size_t i = 0; url_ignored_words[i]; i++)
        buf_printf(&ignored, "%s%s", i ? " " : "", url_ignored_words[i]);
    help_wrapped(buf_str(&ignored), 2, 2, to);
}

static void help_formats(struct buf *to)
{
    para(to,
         "broker params prints the parameters in one of these formats; broker exec puts the variables of a "
         "format into the program's environment.");
    print_kinds(kind_formats, to);
}

static void help_tls(struct buf *to)
{
    static const struct line levels[] = {
        {"disabled", "no TLS"},
        {"preferred", "TLS if the server has it. An attacker on the network can turn it off"},
        {"required",
         "TLS always, with any certificate. An attacker on the network can impersonate the server"},
        {"verify-ca", "the certificate must be from a CA in tls_ca. Anyone with a certificate from that CA "
                      "can impersonate the server"},
        {"verify-identity", "the certificate must also be for the host name. The only level that stops every "
                            "attacker on the network"},
    };
    static const struct line unset[] = {
        {"the server's own socket", "preferred; a stricter level is an error there"},
        {"tls_ca is set, or cleartext = yes, or auth = iam", "verify-identity"},
        {"a host that is not this machine, without a tunnel", "required"},
        {"otherwise", "preferred"},
    };

    para(to, "tls = LEVEL, or --tls LEVEL, sets what a connection requires:");
    print_lines(levels, ARRAY_LEN(levels), 19, to);
    buf_puts(to, "\nIf tls is not set, the first line that applies decides\n");
    print_lines(unset, ARRAY_LEN(unset), 28, to);
    buf_putc(to, '\n');
    para(to, "tls_ca is a PEM file with the CA certificates that verify the server. Without it, names of RDS "
             "and Aurora are verified with the bundle that comes with broker, and others with the system's "
             "CA certificates. tls_cert and tls_key are the client's own certificate.");
    para(to, "If a client has no option for a level, or connects to another name than the one to verify, "
             "broker-keeper, a process beside the client, handles TLS, and the client connects to it "
             "locally. MariaDB's "
             "clients need that for required and verify-ca. broker never lowers a level silently.");
    help_wrapped(
        "broker connect NAME --dry-run shows the level and who handles TLS. broker test NAME explains "
        "why a certificate was not accepted.",
        0, 0, to);
}

static void help_environment(struct buf *to)
{
    static const struct line lines[] = {
        {"BROKER_CONFIG", "the only config file that broker reads"},
        {"BROKER_PROFILE", "the default profile"},
        {"BROKER_KEY", "value of KEY if no flag or profile sets it, for example BROKER_USER"},
        {"BROKER_NO_INPUT", "1: never ask, like --no-input"},
        {"BROKER_ASKPASS", "program that asks the user if there is no terminal; the default is SSH_ASKPASS, "
                           "if there is a display"},
        {"XDG_CONFIG_HOME", "holds broker/config"},
        {"XDG_CACHE_HOME", "holds broker/clients, which caches whether each client is MySQL's or MariaDB's"},
        {"XDG_DATA_HOME", "may hold broker/rds-ca.pem, which replaces the RDS CA certificates of broker"},
        {"XDG_RUNTIME_DIR",
         "holds locks and the sockets of forwards; TMPDIR is used if other users may write there"},
        {"AWS_...", "credentials, profile, region for auth = iam, as for the AWS CLI"},
        {"VAULT_...", "address, namespace, token and TLS files for auth = vault; BAO_... wins over it"},
        {"HTTPS_PROXY", "proxy for requests to AWS and Vault; not for hosts in NO_PROXY"},
        {"BROWSER", "program that opens a login page; the default is xdg-open"},
        {"MYSQL_UNIX_PORT", "the first socket that broker tries for socket = auto"},
        {"PAGER", "program that shows long help on a terminal; the default is less"},
        {"EDITOR", "program for profile edit; VISUAL wins over it"},
        {"NO_COLOR", "set: no colours"},
        {"TERM", "dumb: no counters, no colours"},
    };

    print_lines(lines, ARRAY_LEN(lines), 19, to);
}

static void help_exit_codes(struct buf *to)
{
    static const struct line lines[] = {
        {"0", "done"},
        {"64", "wrong usage"},
        {"65", "bad input data: a URL, a PEM file, protocol input"},
        {"69", "unreachable: name, TCP, TLS, tunnel, no answer in time"},
        {"70", "a bug in broker; please report it"},
        {"74", "reading or writing failed"},
        {"75", "the same command may work later"},
        {"76", "a server or program did not follow its protocol"},
        {"77", "refused by the server, AWS, Vault or SSH"},
        {"78", "configuration error: no such profile, a wrong value, or a missing file"},
        {"79", "login or password needed"},
        {"126", "the client or command cannot be run"},
        {"127", "the client or command was not found"},
    };

    print_lines(lines, ARRAY_LEN(lines), 7, to);
    buf_puts(to, "\nOnce the client or command runs, the status is its own.\n");
}

static void help_troubleshooting(struct buf *to)
{
    static const struct line steps[] = {
        {"broker test NAME",
         "checks each step of the connection, and reports the first that failed with a hint"},
        {"broker connect NAME --dry-run", "shows the plan: server, tunnel, credential, TLS, client"},
        {"broker profile show NAME --all", "shows each key, its value, and where it is set"},
        {"broker profile check", "reports the errors in the config files, with file and line"},
        {"broker connect NAME -v", "reports each step; -vv reports more"},
        {"broker status", "shows forwards and cached sessions; broker logout NAME removes the sessions"},
    };

    para(to,
         "Each error is one line, broker: WHAT: WHY, and a hint with the command or key that fixes it. "
         "An error of the server keeps its number (ERROR 1045); broker-troubleshooting(7) explains each.");
    print_lines(steps, ARRAY_LEN(steps), 34, to);
}

const struct help_topic help_topic_table[] = {
    {"config", "5 broker-config", help_config},
    {"urls", "5 broker-config", help_urls},
    {"formats", "5 broker-config", help_formats},
    {"tls", "7 broker-tls", help_tls},
    {"environment", "broker", help_environment},
    {"exit-codes", "broker", help_exit_codes},
    {"troubleshooting", "7 broker-troubleshooting", help_troubleshooting},
    {NULL, NULL, NULL},
};
