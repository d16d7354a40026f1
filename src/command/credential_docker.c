/* SPDX-License-Identifier: MIT */
/*
 * docker's protocol: a password store for registries. Its entries have names of their own, so that `list`
 * never shows a database or a git server. docker compares error messages word for word and expects them on
 * stdout, with exit status 1.
 */
#include "credential.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <protocol/docker.h>

#define USAGE "Usage: docker-credential-broker <store|get|erase|list|version>"

/* Returns the newest user name stored for a URL, malloced; NULL if there is none, or on error (*e is set). */
static char *name_of(const struct entries *entries, const char *url, struct err *e)
{
    AUTO_FREE(char *, prefix);
    AUTO_WORDS(names);

    prefix = docker_identity_prefix(url);
    if (entries_names(entries->store, prefix, &names, NULL, e) < 0)
        return NULL;
    return names.count ? mem_strdup(names.word[0]) : NULL;
}

static int get(const struct entries *entries, const struct buf *in, struct err *e)
{
    AUTO_DOCKER(found);
    AUTO_FREE(char *, url);
    AUTO_FREE(char *, name);
    AUTO_BUF(out, 8 * DOCKER_INPUT_MAX);

    url = docker_url(buf_str(in), in->len, e);
    if (!url)
        return -1;
    name = docker_is_database(url) ? NULL : name_of(entries, url, e);
    if (!name || !docker_identity_parse(name, &found))
        return e->code ? -1 : err_set(e, ERR_DATA, DOCKER_NOT_FOUND);
    enum store_result got = entries->store->get(name, entries_deadline(), &found.secret, e);
    if (got == STORE_FAILED)
        return -1;
    if (got != STORE_OK)
        return err_set(e, ERR_DATA, DOCKER_NOT_FOUND);
    if (docker_print(&found, &out, e) < 0 || entries_audit(entries, "docker", url, found.username, 0, e) < 0)
        return -1;
    return helper_answer(&out, e);
}

/* Erases the entries of a URL, except that of one user name. */
static int erase_others(const struct entries *entries, const char *url, const char *except, struct err *e)
{
    AUTO_FREE(char *, prefix);
    AUTO_WORDS(names);

    prefix = docker_identity_prefix(url);
    if (entries_names(entries->store, prefix, &names, NULL, e) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        if (!text_equal(names.word[i], except) &&
            entries->store->erase(names.word[i], entries_deadline(), e) == STORE_FAILED)
            return -1;
    }
    return 0;
}

static int store(const struct entries *entries, const struct buf *in, struct err *e)
{
    AUTO_DOCKER(c);
    AUTO_FREE(char *, name);
    AUTO_FREE(char *, prefix);
    AUTO_LOCK(lock);

    if (docker_parse(buf_str(in), in->len, &c, e) < 0)
        return -1;
    if (docker_is_database(c.url))
        return err_set(e, ERR_DATA, "broker stores no database password for docker");
    name = docker_identity(c.url, c.username);
    if (strlen(name) > STORE_IDENTITY_MAX)
        return err_set(e, ERR_DATA, "the server URL and user name are too long");
    time_t expires = entries->life ? time(NULL) + entries->life : 0;
    prefix = docker_identity_prefix(c.url);
    if (entries_lock(prefix, &lock, e) < 0)
        return -1;
    const char *label = text_is_plain_line(c.url) ? c.url : name;
    enum store_result put = entries->store->put(name, label, c.secret, expires, entries_deadline(), e);
    if (put != STORE_OK)
        return put == STORE_UNAVAILABLE ? err_prefix(e, "no keychain here") : -1;
    return erase_others(entries, c.url, name, e);
}

static int erase(const struct entries *entries, const struct buf *in, struct err *e)
{
    AUTO_FREE(char *, url);

    url = docker_url(buf_str(in), in->len, e);
    return url ? erase_others(entries, url, NULL, e) : -1;
}

static int list(const struct entries *entries, const struct buf *in, struct err *e)
{
    AUTO_WORDS(names);
    AUTO_BUF(out, 8 * DOCKER_INPUT_MAX);
    struct docker_credential *found;
    size_t count = 0;

    (void)in;
    if (entries_names(entries->store, DOCKER_IDENTITY, &names, NULL, e) < 0)
        return -1;
    found = mem_alloc(names.count + 1, sizeof *found);
    for (size_t i = 0; i < names.count; i++)
        count += docker_identity_parse(names.word[i], &found[count]);
    docker_print_list(found, count, &out);
    for (size_t i = 0; i < count; i++)
        docker_release(&found[i]);
    free(found);
    return helper_answer(&out, e);
}

static int version(const struct entries *entries, const struct buf *in, struct err *e)
{
    AUTO_BUF(out, 128);

    (void)entries;
    (void)in;
    buf_puts(&out, "docker-credential-broker (broker) " BROKER_VERSION "\n");
    return helper_answer(&out, e);
}

static const struct {
    const char *name;
    int (*serve)(const struct entries *entries, const struct buf *in, struct err *e);
    bool reads;
} actions[] = {{"get", get, true},
               {"store", store, true},
               {"erase", erase, true},
               {"list", list, false},
               {"version", version, false}};

static int serve(const struct helper_call *call, struct err *e)
{
    const char *verb = helper_verb(call);
    AUTO_ENTRIES(entries);
    AUTO_BUF(in, DOCKER_INPUT_MAX);

    if (!verb || call->inv->word[call->first + 1])
        return err_set(e, ERR_USAGE, USAGE);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (!text_equal(actions[i].name, verb))
            continue;
        if (helper_entries(call, &entries, e) < 0 || (actions[i].reads && helper_read(&in, false, e) < 0))
            return -1;
        return actions[i].serve(&entries, &in, e);
    }
    return err_set(e, ERR_USAGE, "Unknown credential action `%.64s`", verb);
}

int credential_docker(const struct helper_call *call, struct err *e)
{
    AUTO_BUF(text, 4096);

    if (serve(call, e) == 0)
        return 0;
    text_sanitise_line(&text, e->msg, strlen(e->msg));
    (void)puts(buf_str(&text));
    (void)fflush(stdout);
    exit(1);
}
