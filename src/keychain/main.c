/* SPDX-License-Identifier: MIT */
/*
 * broker-keychain, the helper program for the desktop's keychain. Because of it, broker itself needs neither
 * libsecret nor D-Bus. It exchanges records on stdin and stdout (ipc/keychain_records.h), prints nothing,
 * asks nothing on the terminal, and ends when stdin is closed or broker ends. This file parses requests;
 * secretservice.c accesses the keychain.
 */
#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ipc/helper.h>
#include <ipc/keychain_records.h>
#include <keychain/secretservice.h>

#include <glib.h>
#include <libsecret/secret.h>

#define DEFAULT_TIMEOUT_MS 10000

static int handle_get(const struct entry *entry, struct record *answer, struct err *e)
{
    AUTO_SECRET(found);

    int got = secretservice_get(entry, &found, e);
    if (got > 0)
        record_put_secret(answer, KEYCHAIN_TAG_SECRET, found);
    return got < 0 ? -1 : 0;
}

static int handle_put(const struct entry *entry, const struct record *request, struct err *e)
{
    AUTO_SECRET(value);

    value = record_secret(request, KEYCHAIN_TAG_SECRET);
    if (!value)
        return err_set(e, ERR_PROTOCOL, "a request without a secret");
    return secretservice_put(entry, value, e);
}

static int handle_erase(const struct entry *entry, struct record *answer, struct err *e)
{
    int count = secretservice_erase(entry, e);

    if (count >= 0)
        record_put_u64(answer, KEYCHAIN_TAG_COUNT, (uint64_t)count);
    return count < 0 ? -1 : 0;
}

static void put_listed(void *context, const char *identity, const char *label)
{
    record_put_str(context, KEYCHAIN_TAG_IDENTITY, identity);
    record_put_str(context, KEYCHAIN_TAG_LABEL, label);
}

/* Answers a request whose identity is not UTF-8. D-Bus only carries UTF-8, so there is no such entry. */
static int handle_foreign(uint8_t verb, struct record *answer, struct err *e)
{
    if (verb == KEYCHAIN_PUT)
        return err_set(e, ERR_DATA, "the keychain only takes names in UTF-8");
    if (verb == KEYCHAIN_ERASE)
        record_put_u64(answer, KEYCHAIN_TAG_COUNT, 0);
    return 0;
}

static int handle(const struct record *request, struct record *answer, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);
    uint64_t timeout = record_u64(request, KEYCHAIN_TAG_TIMEOUT, DEFAULT_TIMEOUT_MS);
    struct field quiet;

    if (request->kind < KEYCHAIN_GET || request->kind > KEYCHAIN_THEIRS)
        return err_set(e, ERR_PROTOCOL, "a request of kind %d", request->kind);
    identity = record_str(request, KEYCHAIN_TAG_IDENTITY);
    label = record_str(request, KEYCHAIN_TAG_LABEL);
    if (!identity || !*identity)
        return err_set(e, ERR_PROTOCOL, "a request without an identity");
    if (!g_utf8_validate(identity, -1, NULL) || (label && !g_utf8_validate(label, -1, NULL)))
        return handle_foreign(request->kind, answer, e);
    struct entry entry = {
        .identity = identity,
        .label = label && *label ? label : identity,
        .deadline = timeout < INT32_MAX ? clock_deadline((int64_t)timeout, CLOCK_NEVER) : CLOCK_NEVER,
        .quiet = record_find(request, KEYCHAIN_TAG_QUIET, &quiet),
    };
    if (request->kind == KEYCHAIN_THEIRS)
        entry.account = label ? label : "";
    if (request->kind == KEYCHAIN_GET || request->kind == KEYCHAIN_THEIRS)
        return handle_get(&entry, answer, e);
    if (request->kind == KEYCHAIN_LIST)
        return secretservice_list(&entry, put_listed, answer, e);
    return request->kind == KEYCHAIN_PUT ? handle_put(&entry, request, e) : handle_erase(&entry, answer, e);
}

static GLogWriterOutput drop_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    (void)level, (void)fields, (void)count, (void)data;
    return G_LOG_WRITER_HANDLED;
}

int main(int argc, char **argv)
{
    AUTO_BUF(version, 64);
    const char *libraries[] = {"libsecret", NULL, NULL};

    proc_harden();
    proc_confine();
    /* libsecret only provides the version of its headers. */
    buf_printf(&version, "%d.%d.%d", SECRET_MAJOR_VERSION, SECRET_MINOR_VERSION, SECRET_MICRO_VERSION);
    libraries[1] = buf_str(&version);
    if (helper_lists_libraries(argc, argv, libraries))
        return 0;
    g_log_set_writer_func(drop_log, NULL, NULL);
    return helper_serve(handle, NULL) < 0 ? ERR_PROTOCOL : 0;
}
