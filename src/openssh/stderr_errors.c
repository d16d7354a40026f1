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

/* Returns the last line that contains the text, or NULL. */
static const char *find(const struct words *lines, const char *words)
{
    for (size_t i = lines->count; i > 0; i--) {
        if (strstr(lines->word[i - 1], words))
            return lines->word[i - 1];
    }
    return NULL;
}

/* Copies the text between two parts of a line, truncated to the buffer; "" if not found. */
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

/* ssh's message for a host key that it refuses, and the texts around the name of the host and the type of the
 * key. */
static const struct {
    const char *words;
    enum host_key_refusal why;
    struct {
        const char *line, *before, *after;
    } name, label;
} host_keys[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED",
     HOST_KEY_CHANGED,
     {" has changed and you have requested", "ey for ", " has changed"},
     {"key sent by the remote host is", "fingerprint for the ", " key sent"}},
    {" is marked as revoked",
     HOST_KEY_REVOKED,
     {" is marked as revoked", "host key for ", " is marked"},
     {" is marked as revoked", "The ", " host key"}},
    {" host key is known for ",
     HOST_KEY_UNKNOWN,
     {" host key is known for ", "known for ", " and you"},
     {" host key is known for ", "No ", " host key"}},
};

/* Returns 0 if ssh did not refuse the host key. */
static int explain_host_key(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char name[300], label[32], print[64] = "";
    size_t k = 0;

    while (k < ARRAY_LEN(host_keys) && !find(lines, host_keys[k].words))
        k++;
    if (k == ARRAY_LEN(host_keys))
        return 0;
    between(find(lines, host_keys[k].name.line), host_keys[k].name.before, host_keys[k].name.after, name,
            sizeof name);
    between(find(lines, host_keys[k].label.line), host_keys[k].label.before, host_keys[k].label.after, label,
            sizeof label);
    for (size_t i = 0; i < lines->count; i++) {
        if (text_starts(lines->word[i], "SHA256:"))
            (void)snprintf(print, sizeof print, "%.*s", (int)strcspn(lines->word[i], ". "), lines->word[i]);
    }
    return host_key_refuse(s, host_keys[k].why, *name ? name : s->host, *label ? label : "?", print, e);
}

static int explain_unverified(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char name[300], label[32], print[64];

    (void)lines;
    ask_host_key(name, label, print);
    return host_key_refuse(s, HOST_KEY_NOT_ACCEPTED, *name ? name : s->host, label, print, e);
}

/* --- other errors
 * ----------------------------------------------------------------------------------------- */

/* Kinds of ssh's own lines, recognised by their beginnings. */
enum {
    OWN = 1,   /* written by ssh, not by the server or a ProxyCommand */
    NOISE = 2, /* does not say why ssh ended */
    OF_KEY = 4 /* about a key that ssh could not use */
};
static const struct {
    const char *begins;
    unsigned is;
} beginnings[] = {
    {"Warning: Permanently added", OWN | NOISE},
    {"Warning: Identity file", OWN | NOISE | OF_KEY},
    {"Warning: ", OWN},
    {"Load key ", OWN | OF_KEY},
    {"Permissions ", OWN | OF_KEY},
    {"It is required that", OWN | OF_KEY},
    {"This private key", OWN | OF_KEY},
    {"sign_and_send_pubkey", OWN | OF_KEY},
    {"no such identity", OWN | OF_KEY},
    {"@@@@", OWN},
    {"Host key verification failed", OWN},
    {"Pseudo-terminal will not", OWN | NOISE},
    {"channel ", OWN | NOISE},
    {"Authenticated to", OWN | NOISE},
    {"OpenSSH_", OWN | NOISE},
    {"Transferred: ", NOISE},
    {"Bytes per second: ", NOISE},
    {"Permission denied, please try again", OWN},
    {"Received disconnect from ", OWN},
    {"Disconnected from ", OWN},
    {"Connection closed by ", OWN},
    {"Connection to ", OWN},
    {"ssh: ", OWN},
};

static bool line_is(const char *line, unsigned what)
{
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        if (text_starts(line, beginnings[i].begins))
            return beginnings[i].is & what;
    }
    return what == OWN && (strstr(line, ": Permission denied (") || !line[strspn(line, " \t")]);
}

static void add_lines(const struct words *lines, unsigned what, bool are, struct err *e)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (line_is(lines->word[i], what) == are)
            (void)err_detail(e, "%s", lines->word[i]);
    }
}

void openssh_user_lines(const char *tail, struct buf *out)
{
    AUTO_WORDS(lines);

    words_split(&lines, tail, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (!line_is(lines.word[i], OWN))
            buf_printf(out, "%s\n", lines.word[i]);
    }
}

void openssh_add_tail(const char *tail, struct err *e)
{
    AUTO_WORDS(lines);

    words_split(&lines, tail, '\n');
    add_lines(&lines, OWN, false, e);
}

/* Uses the same text as the libssh2 engine; ssh does not say whether an agent has the key. */
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
        (void)err_detail(e, "%s: a public key, which works only if the ssh agent has its private key: %s",
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
    add_lines(lines, OF_KEY, true, e);
    add_lines(lines, OWN, false, e);
    return ssh_hint_login(s, e);
}

static int explain_too_many(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    (void)err_set(e, ERR_REFUSED, "%s: Too many authentication failures", ssh_who(s));
    add_lines(lines, OWN, false, e);
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

/* Parses "ssh: connect to host H port P: Connection refused". */
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

/* Parses a message of the ssh that connects through the jump host: "channel 0: open failed: connect failed:
 * Connection refused". The following line about a closed connection is only a consequence. */
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
    (void)err_set(e, forbidden ? ERR_REFUSED : ERR_UNREACHABLE, "%s: %s cannot reach it: %c%s", ssh_where(s),
                  jump, tolower((unsigned char)*line), *line ? line + 1 : "");
    return err_hint(e, "try %s", ssh_try(s));
}

/* Parses "Unable to negotiate with H port P: no matching cipher found. Their offer: x". */
static int explain_disagreement(const struct ssh_settings *s, const struct words *lines, struct err *e)
{
    char why[LINE_MOST];

    between(find(lines, "Unable to negotiate with "), ": ", "", why, sizeof why);
    if (!*why)
        return 0;
    (void)err_set(e, ERR_REFUSED, "%s: %s", s->host, why);
    return err_hint(e, "make %s work", ssh_try(s));
}

/* The messages that are explained, the most significant first. An explain function returns 0 if the message
 * does not match after all. */
static const struct {
    const char *words;
    int (*explain)(const struct ssh_settings *s, const struct words *lines, struct err *e);
} table[] = {
    {"Host key verification failed", explain_unverified},
    {": Permission denied (", explain_denied},
    {"Too many authentication failures", explain_too_many},
    {"stdio forwarding failed", explain_jump},
    {"Could not resolve hostname", explain_name},
    {"Unable to negotiate with ", explain_disagreement},
    {"timed out during banner exchange", explain_silence},
    {"connect to host ", explain_connect},
};

int openssh_explain(const struct ssh_settings *s, const char *tail, int status, struct err *e)
{
    AUTO_WORDS(lines);
    AUTO_BUF(ended, 128);
    const char *last = NULL;

    words_split(&lines, tail, '\n');
    if (explain_host_key(s, &lines, e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (find(&lines, table[i].words) && table[i].explain(s, &lines, e) < 0)
            return -1;
    }
    for (size_t i = 0; i < lines.count; i++)
        last = line_is(lines.word[i], NOISE) ? last : lines.word[i];
    proc_describe_status(&ended, status);
    (void)err_set(e, ERR_UNREACHABLE, "ssh %s: %s", s->alias, last ? last : buf_str(&ended));
    for (size_t i = 0; i < lines.count; i++) {
        if (lines.word[i] != last && !line_is(lines.word[i], NOISE))
            (void)err_detail(e, "%s", lines.word[i]);
    }
    return err_hint(e, "make %s work", ssh_try(s));
}

/* Finds "channel 3: open failed: connect failed: Connection refused". */
void openssh_stream_reason(const char *tail, struct buf *out)
{
    AUTO_WORDS(lines);
    const char *line;

    words_split(&lines, tail, '\n');
    line = find(&lines, ": open failed: ");
    if (line && text_starts(line, "channel "))
        buf_puts(out, strstr(line, ": open failed: ") + strlen(": open failed: "));
}

void openssh_say_added(const struct ssh_settings *s, const char *tail)
{
    AUTO_WORDS(lines);

    if (ssh_is_quiet(s))
        return;
    words_split(&lines, tail, '\n');
    for (size_t i = 0; i < lines.count; i++) {
        if (text_starts(lines.word[i], "Warning: Permanently added"))
            log_note("%s", lines.word[i]);
    }
}
