/* SPDX-License-Identifier: MIT */
/*
 * Decisions from known_hosts files about a host: which key types it should offer, and whether its key is
 * accepted, with ssh's own texts. An accepted key is appended to the file, so that a concurrent ssh does not
 * lose a key. Host certificates, and checks by DNS or other programs, require the system's ssh
 * (keeper/ssh.c).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <ssh/ssh.h>

#include "known_hosts.h"

#define QUESTION_MOST 16384
#define NAMES_MOST 20 /* ssh's own limit for the other names that it shows */
#define LOCK_MS 2000
#define LISTED_MOST 8
#define CHANGED "REMOTE HOST IDENTIFICATION HAS CHANGED"

/* A host key to check. */
struct offer {
    const struct ssh_settings *s;
    char *name, *address; /* as known_hosts has them, "[127.0.0.1]:2222" */
    const void *blob;     /* NULL: the system's ssh has checked the key and reports only its fingerprint */
    size_t len;
    const char *label; /* ssh's name of the key type, "ED25519" */
    char fingerprint[64];
    struct known_hosts known;
};

static void offer_release(struct offer *o)
{
    free(o->name);
    free(o->address);
    known_hosts_release(&o->known);
}

static char *name_of(const struct ssh_settings *s)
{
    return s->host_key_alias ? known_hosts_name(s->host_key_alias, 22) : known_hosts_name(s->host, s->port);
}

/* Like ssh, also accepts a host with another port by its name without a port. */
static int load(const struct ssh_settings *s, const char *name, struct known_hosts *k, struct err *e)
{
    const struct words *const lists[] = {&s->user_known_hosts, &s->global_known_hosts};
    AUTO_FREE(char *, bare);

    bare = s->host_key_alias ? NULL : known_hosts_name(s->host, 22);
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (known_hosts_read(k, lists[l]->word[i], name, bare, e) < 0)
                return -1;
        }
    }
    return 0;
}

static bool is_offered(const struct offer *o, const struct known_key *key)
{
    return o->blob && key->len == o->len && !memcmp(key->blob, o->blob, o->len);
}

static bool is_revoked(const struct known_hosts *known, const struct known_key *key)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct known_key *by = &known->key[i];
        if (by->mark == KNOWN_REVOKED && (by->ours || by->bare) && by->len == key->len &&
            !memcmp(by->blob, key->blob, key->len))
            return true;
    }
    return false;
}

void host_key_types(const struct ssh_settings *s, struct words *types, bool *authority)
{
    AUTO_KNOWN_HOSTS(known);
    AUTO_FREE(char *, name);
    struct err ignored = ERR_INIT;

    name = name_of(s);
    *authority = false;
    if (load(s, name, &known, &ignored) < 0)
        return;
    for (int bare = 0; bare < 2 && !types->count; bare++) {
        for (size_t i = 0; i < known.count; i++) {
            const struct known_key *key = &known.key[i];
            if (!(bare ? key->bare : key->ours))
                continue;
            *authority |= key->mark == KNOWN_AUTHORITY;
            if (key->mark == KNOWN_HOST && !words_have(types, key->type) && !is_revoked(&known, key))
                words_add(types, key->type);
        }
    }
}

/* --- refusals ------------------------------------------------------------------------------------------- */

static char *place_of(const struct known_key *key)
{
    AUTO_FREE(char *, file);

    file = path_short(key->file);
    return mem_printf("%s:%lu", file, key->line);
}

/* `ssh-keygen -R` changes only ~/.ssh/known_hosts. */
static void hint_remove(const struct offer *o, const char *file, struct err *e)
{
    AUTO_BUF(command, 1024);
    AUTO_FREE(char *, short_file);

    short_file = file ? path_short(file) : NULL;
    buf_puts(&command, "ssh-keygen -R ");
    text_quote_sh(&command, o->name);
    if (file && !text_equal(short_file, "~/.ssh/known_hosts")) {
        buf_puts(&command, " -f ");
        text_quote_sh(&command, file);
    }
    (void)err_hint(e, "%s, once you know why", buf_str(&command));
}

/* Returns whether to list a known key: keys of the offered type, or all keys if there is none of that
 * type. */
static bool contradicts(const struct offer *o, const struct known_key *key, bool same_type)
{
    return key->ours && key->mark == KNOWN_HOST &&
           (!same_type || text_equal(host_key_label(key->type), o->label));
}

static int refuse_changed(const struct offer *o, struct err *e)
{
    const char *file = NULL;
    bool same_type = false;
    size_t listed = 0;
    size_t width = strlen("offered now");

    for (size_t i = 0; i < o->known.count; i++)
        same_type |= contradicts(o, &o->known.key[i], true);
    (void)err_set(e, ERR_REFUSED, "%s: " CHANGED, o->name);
    for (int printing = 0; printing < 2; printing++) {
        for (size_t i = 0; i < o->known.count && listed < LISTED_MOST; i++) {
            const struct known_key *key = &o->known.key[i];
            AUTO_FREE(char *, place);
            AUTO_BUF(print, 64);
            if (!contradicts(o, key, same_type))
                continue;
            place = place_of(key);
            file = key->file;
            width = text_columns(place) > width ? text_columns(place) : width;
            host_key_fingerprint(&print, key->blob, key->len);
            listed += (size_t)printing;
            if (printing)
                (void)err_detail(e, "%s%*s  %s %s", place, (int)(width - text_columns(place)), "",
                                 host_key_label(key->type), buf_str(&print));
        }
    }
    (void)err_detail(e, "%-*s  %s %s", (int)width, "offered now", o->label, o->fingerprint);
    hint_remove(o, file, e);
    return -1;
}

static bool revokes(const struct offer *o, const struct known_key *key)
{
    return key->mark == KNOWN_REVOKED && (key->ours || key->bare) &&
           (o->blob ? is_offered(o, key) : text_equal(host_key_label(key->type), o->label));
}

static int refuse_revoked(const struct offer *o, struct err *e)
{
    (void)err_set(e, ERR_REFUSED, "%s: the %s host key is marked as revoked", o->name, o->label);
    for (size_t i = 0, listed = 0; i < o->known.count && listed < LISTED_MOST; i++) {
        AUTO_FREE(char *, place);
        AUTO_BUF(print, sizeof o->fingerprint);
        if (!revokes(o, &o->known.key[i]))
            continue;
        listed++;
        place = place_of(&o->known.key[i]);
        host_key_fingerprint(&print, o->known.key[i].blob, o->known.key[i].len);
        (void)err_detail(e, "%s  %s %s", place, o->label, buf_str(&print));
    }
    return err_hint(e, "the host needs a new key: ask its administrator");
}

static int refuse_unknown(const struct offer *o, bool strictly, struct err *e)
{
    if (strictly)
        (void)err_set(e, ERR_REFUSED, "%s: No %s host key is known and you have requested strict checking",
                      o->name, o->label);
    else
        (void)err_set(e, ERR_REFUSED, "%s: Host key verification failed", o->name);
    if (*o->fingerprint)
        (void)err_detail(e, "offered now  %s %s", o->label, o->fingerprint);
    return err_hint(e, "ask its administrator for the fingerprint");
}

/* --- unknown host keys
 * ------------------------------------------------------------------------------------ */

static void say_other_names(const struct offer *o, struct buf *out)
{
    size_t found = 0;

    for (size_t i = 0; i < o->known.count; i++) {
        const struct known_key *key = &o->known.key[i];
        AUTO_FREE(char *, place);
        if (key->ours || key->mark != KNOWN_HOST || !is_offered(o, key))
            continue;
        if (found++ == 0)
            buf_puts(out, "This host key is known by the following other names/addresses:\n");
        if (found > NAMES_MOST)
            continue;
        place = place_of(key);
        buf_printf(out, "    %s: ", place);
        if (*key->names == '|')
            buf_puts(out, "[hashed name]");
        else
            text_sanitise(out, key->names, strlen(key->names));
        buf_putc(out, '\n');
    }
    if (found > NAMES_MOST)
        buf_printf(out, "    (%zu additional names omitted)\n", found - NAMES_MOST);
    if (!found)
        buf_puts(out, "This key is not known by any other names.\n");
}

/* Sets the error if the user cannot be asked. Before READY, broker's answer has already set it. */
static int ask_failed(const struct offer *o, struct err *e)
{
    if (!o->s->target->ready)
        return -1;
    (void)err_set(e, ERR_LOGIN, "The authenticity of host '%s (%s)' can't be established", o->name,
                  o->address);
    (void)err_detail(e, "%s key fingerprint is %s", o->label, o->fingerprint);
    return err_hint(e, "%s, on a terminal", ssh_try(o->s));
}

static int ask(const struct offer *o, int64_t *deadline, struct err *e)
{
    static const char *const again = "Please type 'yes', 'no' or the fingerprint: ";
    AUTO_BUF(question, QUESTION_MOST);
    const char *text;

    buf_printf(&question, "The authenticity of host '%s (%s)' can't be established.\n", o->name, o->address);
    buf_printf(&question, "%s key fingerprint is %s.\n", o->label, o->fingerprint);
    say_other_names(o, &question);
    buf_puts(&question, "Are you sure you want to continue connecting (yes/no/[fingerprint])? ");
    text = buf_str(&question);
    for (;;) {
        AUTO_SECRET(answer);
        if (o->s->target->ask(KEEPER_ASK_YES, text, text == again, deadline, &answer, e) < 0)
            return ask_failed(o, e);
        secret_chomp(answer);
        const char *reply = secret_bytes(answer);
        if (text_equal_nocase(reply, "yes") || text_equal(reply, o->fingerprint))
            return 0;
        if (!*reply || text_equal_nocase(reply, "no"))
            return refuse_unknown(o, false, e);
        text = again;
    }
}

/* Uses O_APPEND and a single write, so that concurrent appends do not overwrite each other. */
static int append(const char *path, const struct buf *line, struct err *e)
{
    AUTO_FD(fd);
    AUTO_FREE(char *, folder);
    char *slash = strrchr(path, '/');

    folder = mem_strndup(path, slash && slash != path ? (size_t)(slash - path) : 1);
    if (slash && file_mkdirs(folder, e) < 0)
        return -1;
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 || fd_write_all(fd, buf_str(line), line->len) < 0)
        return err_set(e, ERR_IO, "%s", strerror(errno));
    return 0;
}

/* Returns whether the last line of the file lacks a newline; an appended line would be joined to it. */
static bool ends_in_line(const char *path)
{
    AUTO_FD(fd);
    char last;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd >= 0 && lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1 && last != '\n';
}

static void remember(const struct offer *o)
{
    const char *path = o->s->user_known_hosts.count ? o->s->user_known_hosts.word[0] : NULL;
    AUTO_BUF(line, 65536);
    AUTO_LOCK(lock);
    struct err e = ERR_INIT;

    if (!path)
        return;
    if (file_lock("known_hosts", clock_deadline(LOCK_MS, CLOCK_NEVER), &lock, &e) < 0)
        err_clear(&e);
    if (ends_in_line(path))
        buf_putc(&line, '\n');
    known_hosts_write_name(&line, o->name, o->s->hash_known_hosts);
    buf_putc(&line, ' ');
    known_hosts_write_key(&line, o->blob, o->len);
    buf_putc(&line, '\n');
    if (append(path, &line, &e) < 0) {
        AUTO_FREE(char *, file);
        file = path_short(path);
        log_warn(NULL, "Failed to add the host to the list of known hosts (%s): %s", file, e.msg);
        return;
    }
    if (!ssh_is_quiet(o->s))
        log_note("Warning: Permanently added '%s' (%s) to the list of known hosts.", o->name, o->label);
}

static int judge_unknown(const struct offer *o, int64_t *deadline, struct err *e)
{
    if (o->s->strict == SSH_STRICT_YES)
        return refuse_unknown(o, true, e);
    if (o->s->strict == SSH_STRICT_ASK && ask(o, deadline, e) < 0)
        return -1;
    remember(o);
    return 0;
}

static int judge(const struct offer *o, int64_t *deadline, struct err *e)
{
    bool known = false, by_bare_name = false, changed = false;

    for (size_t i = 0; i < o->known.count; i++) {
        const struct known_key *key = &o->known.key[i];
        if (revokes(o, key))
            return refuse_revoked(o, e);
        if (key->mark != KNOWN_HOST)
            continue;
        known |= key->ours && is_offered(o, key);
        by_bare_name |= key->bare && is_offered(o, key);
        changed |= key->ours;
    }
    if (known || (!changed && by_bare_name))
        return 0;
    return changed ? refuse_changed(o, e) : judge_unknown(o, deadline, e);
}

int host_key_check(const struct ssh_settings *s, const char *address, const void *blob, size_t n,
                   int64_t *deadline, struct err *e)
{
    struct offer o = {.s = s, .blob = blob, .len = n};
    const char *type = host_key_type(blob, n);
    AUTO_BUF(print, sizeof o.fingerprint);
    int result;

    if (!type)
        return err_set(e, ERR_PROTOCOL, "%s: the host key has an unknown type", s->host);
    o.label = host_key_label(type);
    host_key_fingerprint(&print, blob, n);
    (void)memcpy(o.fingerprint, buf_str(&print), print.len);
    o.name = name_of(s);
    o.address = known_hosts_name(address, s->port);
    result = load(s, o.name, &o.known, e);
    if (result == 0)
        result = judge(&o, deadline, e);
    offer_release(&o);
    return result;
}

int host_key_refuse(const struct ssh_settings *s, enum host_key_refusal why, const char *name,
                    const char *label, const char *print, struct err *e)
{
    struct offer o = {.s = s, .name = mem_strdup(name), .label = label};
    struct err ignored = ERR_INIT;

    (void)snprintf(o.fingerprint, sizeof o.fingerprint, "%s", print ? print : "");
    (void)load(s, o.name, &o.known, &ignored);
    if (why == HOST_KEY_CHANGED)
        (void)refuse_changed(&o, e);
    else if (why == HOST_KEY_REVOKED)
        (void)refuse_revoked(&o, e);
    else
        (void)refuse_unknown(&o, why == HOST_KEY_UNKNOWN, e);
    offer_release(&o);
    return -1;
}
