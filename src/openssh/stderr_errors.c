/* SPDX-License-Identifier: MIT */
/*
 * Translates the messages of OpenSSH's client, which have been the same for many versions. Unknown messages
 * are passed on unchanged.
 */
#include "stderr_errors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ssh/key.h>

#include "ask.h"

#define LINE_MOST 1024

static void split(const char *said, struct words *lines)
{
    for (const char *p = said, *end; *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "\n");
        if (end > p)
            words_take(lines, mem_strndup(p, (size_t)(end - p)));
    }
}

/* The last line that contains the text; NULL: none. */
static const char *find(const struct words *lines, const char *words)
{
    for (size_t i = lines->count; i > 0; i--) {
        if (strstr(lines->word[i - 1], words))
            return lines->word[i - 1];
    }
    return NULL;
}

/* The text between two pieces of a line, cut to the buffer; "": not found. */
static void between(const char *line, const char *before, const char *after, char *out, size_t room)
{
    const char *from = line ? strstr(line, before) : NULL, *to;

    *out = '\0';
    if (!from)
        return;
    from += strlen(before);
    to = *after ? strstr(from, after) : from + strlen(from);
    if (to)
        (void)snprintf(out, room, "%.*s", (int)(to - from), from);
}

/* --- host keys ------------------------------------------------------------------------------------------ */

static int explain_changed(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char name[300], label[32], print[64] = "";
    const char *key = find(lines, "key sent by the remote host is");

    between(find(lines, " has changed and you have requested"), "ey for ", " has changed", name, sizeof name);
    between(key, "fingerprint for the ", " key sent", label, sizeof label);
    for (size_t i = 0; key && i < lines->count; i++) {
        if (text_starts(lines->word[i], "SHA256:"))
            (void)snprintf(print, sizeof print, "%.*s", (int)strcspn(lines->word[i], ". "), lines->word[i]);
    }
    return host_key_refuse(s, HOST_KEY_CHANGED, *name ? name : s->host, *label ? label : "?", print, e);
}

static int explain_revoked(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    const char *line = find(lines, " is marked as revoked");
    char name[300], label[32];

    between(line, "The ", " host key", label, sizeof label);
    between(line, "host key for ", " is marked", name, sizeof name);
    return host_key_refuse(s, HOST_KEY_REVOKED, *name ? name : s->host, *label ? label : "?", "", e);
}

static int explain_unknown(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    const char *line = find(lines, " host key is known for ");
    char name[300], label[32];

    between(line, "No ", " host key", label, sizeof label);
    between(line, "known for ", " and you", name, sizeof name);
    return host_key_refuse(s, HOST_KEY_UNKNOWN, *name ? name : s->host, *label ? label : "?", "", e);
}

static int explain_unverified(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char name[300], label[32], print[64];

    (void)lines;
    ask_host_key(name, label, print);
    return host_key_refuse(s, HOST_KEY_NOT_ACCEPTED, *name ? name : s->host, label, print, e);
}

/* --- the rest ------------------------------------------------------------------------------------------- */

/* What ssh reported before, about keys that it could not use. */
static void add_complaints(const struct words *lines, struct err *e)
{
    static const char *const worth[] = {"Load key ",
                                        "Permissions ",
                                        "It is required that",
                                        "This private key",
                                        "sign_and_send_pubkey",
                                        "no such identity",
                                        "Warning: Identity file"};

    for (size_t i = 0; i < lines->count; i++) {
        for (size_t w = 0; w < ARRAY_LEN(worth); w++) {
            if (text_starts(lines->word[i], worth[w]))
                (void)err_detail(e, "%s", lines->word[i]);
        }
    }
}

static const char *const ssh_says[] = {"Warning: ",
                                       "Load key ",
                                       "Permissions ",
                                       "@@@@",
                                       "Host key verification failed",
                                       "It is required that",
                                       "This private key",
                                       "sign_and_send_pubkey",
                                       "no such identity",
                                       "Pseudo-terminal will not",
                                       "channel ",
                                       "Authenticated to",
                                       "Permission denied, please try again",
                                       "Received disconnect from ",
                                       "Disconnected from ",
                                       "Connection closed by ",
                                       "Connection to ",
                                       "ssh: ",
                                       "OpenSSH_"};

static bool is_of_ssh(const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(ssh_says); i++) {
        if (text_starts(line, ssh_says[i]))
            return true;
    }
    return strstr(line, ": Permission denied (") || !line[strspn(line, " \t")];
}

void openssh_for_persons(const char *said, struct buf *out)
{
    AUTO_WORDS(lines);

    split(said, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        if (!is_of_ssh(lines.word[i]))
            buf_printf(out, "%s\n", lines.word[i]);
    }
}

static void add_others(const struct words *lines, struct err *e)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (!is_of_ssh(lines->word[i]))
            (void)err_detail(e, "%s", lines->word[i]);
    }
}

void openssh_add_said(const char *said, struct err *e)
{
    AUTO_WORDS(lines);

    split(said, &lines);
    add_others(&lines, e);
}

/* The same text as the libssh2 engine's; ssh does not say whether an agent has the key. */
static void add_of_file(const char *path, bool given, struct err *e)
{
    struct err why = ERR_INIT;
    struct ssh_key *key = NULL;
    AUTO_FREE(char *, shown);
    AUTO_BUF(mend, 4200);

    shown = path_short(path);
    int result = ssh_key_load(path, &key, &why);
    if (result < 0 && why.code == ERR_DATA && *why.hint)
        (void)err_detail(e, "%s: %s: %s", shown, why.msg, why.hint);
    if (result != 0)
        return;
    if (key->half && given) {
        ssh_key_mend_half(key, &mend);
        (void)err_detail(e, "%s: a public key, of use only where the ssh agent has its private one: %s",
                         shown, buf_str(&mend));
    }
    ssh_key_add_stray(key, e);
    ssh_key_free(key);
}

static int explain_denied(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    const char *line = find(lines, ": Permission denied (");

    (void)err_set(e, ERR_REFUSED, "%.*s", (int)(strcspn(line, ")") + 1), line);
    ask_add_wrong(s, e);
    for (size_t i = 0; i < s->identity_files.count; i++)
        add_of_file(s->identity_files.word[i], s->identity_given && i == 0, e);
    add_complaints(lines, e);
    add_others(lines, e);
    return ssh_hint_login(s, e);
}

static int explain_too_many(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    (void)err_set(e, ERR_REFUSED, "%s@%s: Too many authentication failures", s->user, s->host);
    add_others(lines, e);
    return ssh_hint_login(s, e);
}

static int explain_name(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char name[300];

    between(find(lines, "Could not resolve hostname"), "resolve hostname ", ": ", name, sizeof name);
    if (!*name)
        return 0;
    (void)err_set(e, ERR_UNREACHABLE, "%s: no such host", name);
    return err_hint(e, "try %s", ssh_try(s));
}

static int explain_silence(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    (void)lines;
    return ssh_silent(s, e);
}

/* "ssh: connect to host H port P: Connection refused" */
static int explain_connect(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    const char *line = find(lines, "connect to host ");
    char host[300], port[16], why[256];

    between(line, "to host ", " port", host, sizeof host);
    between(line, " port ", ":", port, sizeof port);
    between(strstr(line, " port "), ": ", "", why, sizeof why);
    if (!*host || !*port || !*why)
        return 0;
    if (strstr(why, "timed out"))
        return ssh_silent(s, e);
    *why = (char)tolower((unsigned char)*why);
    (void)err_set(e, ERR_UNREACHABLE, strchr(host, ':') ? "[%s]:%s: %s" : "%s:%s: %s", host, port, why);
    return err_hint(e, "try %s", ssh_try(s));
}

/* From the ssh through the jump host: "channel 0: open failed: connect failed: Connection refused". The
 * following line about a closed connection is only a consequence. */
static int explain_jump(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    static const char begins[] = "channel 0: open failed: ", connects[] = "connect failed: ";
    const char *line = find(lines, begins), *last = s->proxy_jump ? strrchr(s->proxy_jump, ',') : NULL;
    const char *jump = last ? last + 1 : s->proxy_jump ? s->proxy_jump : "the proxy";

    if (!line || !text_starts(line, begins))
        return 0;
    line += sizeof begins - 1;
    bool forbidden = strstr(line, "prohibited");
    line += text_starts(line, connects) ? sizeof connects - 1 : 0;
    (void)err_set(e, forbidden ? ERR_REFUSED : ERR_UNREACHABLE, "%s: not reached from %s: %c%s", ssh_where(s),
                  jump, tolower((unsigned char)*line), *line ? line + 1 : "");
    return err_hint(e, "try %s", ssh_try(s));
}

/* "Unable to negotiate with H port P: no matching cipher found. Their offer: x" */
static int explain_disagreement(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char why[LINE_MOST];

    between(find(lines, "Unable to negotiate with "), ": ", "", why, sizeof why);
    if (!*why)
        return 0;
    (void)err_set(e, ERR_REFUSED, "%s: %s", s->host, why);
    return err_hint(e, "make %s work", ssh_try(s));
}

/* In order of significance. 0: no match after all. */
static const struct {
    const char *words;
    int (*explain)(const struct ssh_settings *s, const struct words *lines, struct err *e);
} table[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", explain_changed},
    {" is marked as revoked", explain_revoked},
    {" host key is known for ", explain_unknown},
    {"Host key verification failed", explain_unverified},
    {": Permission denied (", explain_denied},
    {"Too many authentication failures", explain_too_many},
    {"stdio forwarding failed", explain_jump},
    {"Could not resolve hostname", explain_name},
    {"Unable to negotiate with ", explain_disagreement},
    {"timed out during banner exchange", explain_silence},
    {"connect to host ", explain_connect},
};

/* Lines that do not say why it ended. */
static bool is_noise(const char *line)
{
    static const char *const noise[] = {"Warning: Permanently added",
                                        "Pseudo-terminal will not",
                                        "Warning: Identity file",
                                        "channel ",
                                        "Authenticated to",
                                        "OpenSSH_",
                                        "Transferred: ",
                                        "Bytes per second: "};

    for (size_t i = 0; i < ARRAY_LEN(noise); i++) {
        if (text_starts(line, noise[i]))
            return true;
    }
    return false;
}

int openssh_explain(const struct ssh_settings *s, const char *said, int status, struct err *e)
{
    AUTO_WORDS(lines);
    AUTO_BUF(ended, 128);
    const char *last = NULL;

    split(said, &lines);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (find(&lines, table[i].words) && table[i].explain(s, &lines, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < lines.count; i++)
        last = is_noise(lines.word[i]) ? last : lines.word[i];
    proc_describe_status(&ended, status);
    (void)err_set(e, ERR_UNREACHABLE, "ssh %s: %s", s->alias, last ? last : buf_str(&ended));
    for (size_t i = 0; i < lines.count; i++) {
        if (lines.word[i] != last && !is_noise(lines.word[i]))
            (void)err_detail(e, "%s", lines.word[i]);
    }
    return err_hint(e, "make %s work", ssh_try(s));
}

/* "channel 3: open failed: connect failed: Connection refused" */
void openssh_stream_reason(const char *said, struct buf *out)
{
    AUTO_WORDS(lines);
    const char *line;

    split(said, &lines);
    line = find(&lines, ": open failed: ");
    if (line && text_starts(line, "channel "))
        buf_puts(out, strstr(line, ": open failed: ") + strlen(": open failed: "));
}

void openssh_say_added(const struct ssh_settings *s, const char *said)
{
    AUTO_WORDS(lines);

    if (ssh_is_quiet(s))
        return;
    split(said, &lines);
    for (size_t i = 0; i < lines.count; i++) {
        if (text_starts(lines.word[i], "Warning: Permanently added"))
            log_note("%s", lines.word[i]);
    }
}
