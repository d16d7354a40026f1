/* SPDX-License-Identifier: MIT */
/*
 * The permanent store: the desktop's keychain, accessed through broker-keychain so that libsecret and D-Bus
 * are not loaded into this process. This file converts the answers for the caller: no keychain (continue
 * without it), no such entry, or an error. Entries do not expire; they remain until they are erased.
 */
#include <store/store.h>

#include <stdlib.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/tty.h>
#include <ipc/helper.h>
#include <ipc/keychain_records.h>

/* Milliseconds. The helper has a time limit of its own and reports what it was waiting for; this is the time
 * for its error to arrive. Less than half a second, because the waiting message shows rounded seconds. */
#define GRACE_MS 400

static struct helper keychain = HELPER_INIT("broker-keychain", "the keychain");

static void request_init(struct record *request, uint8_t verb, const char *identity, int64_t deadline)
{
    request->kind = verb;
    record_put_str(request, KEYCHAIN_TAG_IDENTITY, identity);
    record_put_u64(request, KEYCHAIN_TAG_TIMEOUT, (uint64_t)clock_left(deadline));
    if (tty_input_forbidden())
        record_put(request, KEYCHAIN_TAG_QUIET, NULL, 0);
}

static enum store_result ask(const struct record *request, struct record *answer, int64_t deadline,
                             struct err *e)
{
    int64_t late = clock_later(deadline, GRACE_MS);

    int called = helper_call(&keychain, request, answer, late, e);
    /* A run uses the keychain once or twice. Starting the helper again is better than leaving a child process
     * that the program started by exec() would inherit. */
    helper_end(&keychain);
    if (called == 0)
        return STORE_OK;
    if (e->code != ERR_UNREACHABLE && e->code != ERR_CONFIG)
        return STORE_FAILED;
    e->code = ERR_CONFIG;
    if (!e->hint[0])
        (void)err_hint(e, "start a Secret Service, or set auth = command, auth = file or auth = env");
    return STORE_UNAVAILABLE;
}

static enum store_result keychain_get(const char *identity, int64_t deadline, struct secret **out,
                                      struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);

    request_init(&request, KEYCHAIN_GET, identity, deadline);
    enum store_result result = ask(&request, &answer, deadline, e);
    if (result != STORE_OK)
        return result;
    *out = record_secret(&answer, KEYCHAIN_TAG_SECRET);
    return *out ? STORE_OK : STORE_MISSING;
}

enum store_result store_workbench(const char *service, const char *account, int64_t deadline,
                                  struct secret **out, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);

    request_init(&request, KEYCHAIN_THEIRS, service, deadline);
    record_put_str(&request, KEYCHAIN_TAG_LABEL, account);
    enum store_result result = ask(&request, &answer, deadline, e);
    if (result != STORE_OK)
        return result;
    *out = record_secret(&answer, KEYCHAIN_TAG_SECRET);
    return *out ? STORE_OK : STORE_MISSING;
}

static enum store_result keychain_put(const char *identity, const char *label, const struct secret *value,
                                      time_t expires, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);

    (void)expires;
    request_init(&request, KEYCHAIN_PUT, identity, deadline);
    record_put_str(&request, KEYCHAIN_TAG_LABEL, label);
    record_put_secret(&request, KEYCHAIN_TAG_SECRET, value);
    return ask(&request, &answer, deadline, e);
}

static enum store_result keychain_erase(const char *identity, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);

    request_init(&request, KEYCHAIN_ERASE, identity, deadline);
    enum store_result result = ask(&request, &answer, deadline, e);
    if (result != STORE_OK)
        return result;
    return record_u64(&answer, KEYCHAIN_TAG_COUNT, 0) ? STORE_OK : STORE_MISSING;
}

/* The answer has pairs of fields: an identity, then its label. */
static enum store_result visit_all(const struct record *answer, store_visit *visit, void *context,
                                   struct err *e)
{
    AUTO_FREE(char *, identity);
    struct field field;
    size_t at = 0;
    int got;

    while ((got = record_next(answer, &at, &field, e)) > 0) {
        AUTO_FREE(char *, text);
        text = mem_strndup(field.bytes, field.len);
        if (field.tag == KEYCHAIN_TAG_LABEL && identity)
            visit(context, identity, text, 0);
        if (field.tag != KEYCHAIN_TAG_IDENTITY)
            continue;
        free(identity);
        identity = text;
        text = NULL;
    }
    return got < 0 ? STORE_FAILED : STORE_OK;
}

static enum store_result keychain_list(const char *prefix, store_visit *visit, void *context,
                                       int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);
    AUTO_RECORD(answer);

    request_init(&request, KEYCHAIN_LIST, prefix, deadline);
    enum store_result result = ask(&request, &answer, deadline, e);
    return result == STORE_OK ? visit_all(&answer, visit, context, e) : result;
}

const struct store store_keychain = {"keychain", keychain_get, keychain_put, keychain_erase, keychain_list};
