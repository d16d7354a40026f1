/* SPDX-License-Identifier: MIT */
/*
 * The session store: the user keyring (@u) of the Linux kernel. Its content is not written to disk, and the
 * kernel removes an entry when it expires. It is only a cache: if the kernel refuses access (no keyrings in a
 * container, a full quota, a seccomp filter), the result is STORE_UNAVAILABLE with a line under --verbose,
 * and the command goes on.
 *
 * A key is created in the process keyring, where we possess it, and linked to @u once its permissions and
 * timeout are set. So other sessions never see an incomplete key, and it does not matter whether the session
 * keyring has a link to @u (under su, cron and in containers it does not). All code for keyrings is in this
 * file; another platform has its own.
 */
#include <store/store.h>

#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

/* Possessor and user: view, read, write, search, link, setattr. By default, other sessions of the user could
 * only view the key. */
#define PERMISSIONS 0x3f3f0000UL
#define DAY 86400L
/* The kernel stores timeouts in 32 bits. */
#define TIMEOUT_MAX INT32_MAX
/* The payload of a key: version, expiry (8 bytes, big-endian), the label and a NUL, the secret. */
#define PAYLOAD_VERSION '\2'
#define LABEL_MAX 512
#define LABEL_AT 9
#define PAYLOAD_MAX (LABEL_AT + LABEL_MAX + 1 + SECRET_MAX)
#define PREFIX "broker:"
/* The maximum size of a keyring's list in bytes, 4 for each key. */
#define LIST_MAX (4L << 20)

/* Replacing a key changes its ID, so an ID that was found may have become invalid. This is how often to look
 * it up again. */
#define TRIES 8

/* big_key is tried first, because it is encrypted in memory and hardly counts towards the quota. Many kernels
 * do not have it. */
static const char *const key_types[] = {"big_key", "user"};

static long keyctl(int operation, long a, long b, long c, long d)
{
    return syscall(SYS_keyctl, operation, a, b, c, d);
}

static long key_add(const char *type, const char *description, const struct buf *payload)
{
    return syscall(SYS_add_key, type, description, buf_str(payload), payload->len, KEY_SPEC_PROCESS_KEYRING);
}

static long key_search(const char *type, const char *description)
{
    return keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)type, (long)description, 0);
}

static bool is_missing(int failed)
{
    return failed == ENOKEY || failed == EKEYEXPIRED || failed == EKEYREVOKED;
}

static enum store_result refused(const char *what, int failed, struct err *e)
{
    (void)err_set(e, ERR_IO, "the kernel's keyring: %s: %s", what, strerror(failed));
    log_step("keyring", "not used: %s: %s", what, strerror(failed));
    return STORE_UNAVAILABLE;
}

/* Returns the description of an entry's key. The caller frees it. */
static char *describe(const char *identity)
{
    char hash[33];

    /* The kernel accepts descriptions of at most 4,095 bytes and counts them towards the quota. */
    if (strlen(identity) <= STORE_IDENTITY_MAX)
        return mem_printf(PREFIX "%s", identity);
    text_hash(identity, strlen(identity), hash);
    return mem_printf(PREFIX "%s", hash);
}

/* Reads a key; *secret_at is the offset of the secret in the payload. Returns -1 and sets errno on error. */
static int key_read(long id, struct buf *payload, size_t *secret_at)
{
    char *room = buf_room(payload, PAYLOAD_MAX);
    long n = keyctl(KEYCTL_READ, id, (long)room, PAYLOAD_MAX, 0);

    if (n < 0)
        return -1;
    const char *label_end = n > LABEL_AT && n <= PAYLOAD_MAX && room[0] == PAYLOAD_VERSION
                                ? memchr(room + LABEL_AT, '\0', (size_t)n - LABEL_AT)
                                : NULL;
    if (!label_end) {
        errno = EKEYREVOKED; /* not a key of broker, or of another version */
        return -1;
    }
    *secret_at = (size_t)(label_end - room) + 1;
    buf_grew(payload, (size_t)n);
    return 0;
}

static time_t payload_expiry(const struct buf *payload)
{
    uint64_t expiry = 0;

    for (size_t i = 1; i < LABEL_AT; i++)
        expiry = expiry << 8 | (unsigned char)payload->data[i];
    return (time_t)expiry;
}

static void payload_make(struct buf *payload, const char *label, time_t expires, const struct secret *value)
{
    buf_putc(payload, PAYLOAD_VERSION);
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_putc(payload, (char)((uint64_t)expires >> shift & 0xff));
    buf_add(payload, label, strnlen(label, LABEL_MAX));
    buf_putc(payload, '\0');
    buf_add(payload, secret_bytes(value), secret_len(value));
}

/* Sets *replaced if the key was removed between the search and the read. */
static enum store_result get_once(const char *description, struct secret **out, bool *replaced, struct err *e)
{
    *replaced = false;
    for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
        AUTO_BUF(payload, PAYLOAD_MAX);
        size_t at;
        long id = key_search(key_types[i], description);
        if (id >= 0 && key_read(id, &payload, &at) == 0) {
            *out = secret_from(buf_str(&payload) + at, payload.len - at);
            return STORE_OK;
        }
        if (!is_missing(errno))
            return refused(id < 0 ? "search" : "read", errno, e);
        *replaced |= id >= 0 && errno == ENOKEY;
    }
    return STORE_MISSING;
}

static enum store_result keyring_get(const char *identity, int64_t deadline, struct secret **out,
                                     struct err *e)
{
    AUTO_FREE(char *, description);
    enum store_result got = STORE_MISSING;
    bool replaced = true;

    (void)deadline;
    description = describe(identity);
    for (int i = 0; got == STORE_MISSING && replaced && i < TRIES; i++)
        got = get_once(description, out, &replaced, e);
    return got;
}

/* Unlinks the keys of all types except `except`, and adds their number to *count. Returns -1 and sets errno
 * if the kernel refuses. */
static int unlink_all(const char *description, const char *except, unsigned *count)
{
    for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
        if (key_types[i] == except)
            continue;
        long id = key_search(key_types[i], description);
        if (id >= 0)
            id = keyctl(KEYCTL_UNLINK, id, KEY_SPEC_USER_KEYRING, 0, 0);
        if (id < 0 && !is_missing(errno) && errno != ENOENT)
            return -1;
        *count += id >= 0;
    }
    return 0;
}

/* Creates a key that other processes cannot see yet. Returns -1 and sets errno on error. */
static long key_make(const char *description, const struct buf *payload, const char **type)
{
    for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
        long id = key_add(key_types[i], description, payload);
        *type = key_types[i];
        if (id >= 0 || (errno != ENODEV && errno != ENOPKG))
            return id;
    }
    return -1;
}

/* Returns NULL, or the step that failed, with errno. */
static const char *key_publish(long id, time_t seconds)
{
    if (keyctl(KEYCTL_SETPERM, id, (long)PERMISSIONS, 0, 0) < 0)
        return "permissions";
    if (keyctl(KEYCTL_SET_TIMEOUT, id, (long)seconds, 0, 0) < 0)
        return "timeout";
    return keyctl(KEYCTL_LINK, id, KEY_SPEC_USER_KEYRING, 0, 0) < 0 ? "link" : NULL;
}

static enum store_result keyring_put(const char *identity, const char *label, const struct secret *value,
                                     time_t expires, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, description);
    AUTO_BUF(payload, PAYLOAD_MAX);
    time_t seconds = expires ? expires - time(NULL) : DAY;
    const char *type, *failed_at;
    unsigned ignored = 0;

    (void)deadline;
    description = describe(identity);
    if (seconds > TIMEOUT_MAX)
        seconds = TIMEOUT_MAX;
    if (seconds <= 0)
        return unlink_all(description, NULL, &ignored) < 0 ? refused("unlink", errno, e) : STORE_OK;
    payload_make(&payload, label, expires ? expires : time(NULL) + DAY, value);
    long id = key_make(description, &payload, &type);
    if (id < 0)
        return refused("add", errno, e);
    failed_at = key_publish(id, seconds);
    int failed = errno;
    (void)keyctl(KEYCTL_UNLINK, id, KEY_SPEC_PROCESS_KEYRING, 0, 0);
    if (failed_at)
        return refused(failed_at, failed, e);
    /* An older entry of the other type would be found first, or would remain after an erase. */
    return unlink_all(description, type, &ignored) < 0 ? refused("unlink", errno, e) : STORE_OK;
}

static enum store_result keyring_erase(const char *identity, int64_t deadline, struct err *e)
{
    AUTO_FREE(char *, description);
    unsigned count = 0;

    (void)deadline;
    description = describe(identity);
    if (unlink_all(description, NULL, &count) < 0)
        return refused("unlink", errno, e);
    return count ? STORE_OK : STORE_MISSING;
}

/* Returns the identity of a key of broker, or NULL for another key. The kernel's text is
 * "TYPE;UID;GID;PERMISSIONS;DESCRIPTION". */
static const char *key_identity(long id, char *text, size_t size)
{
    long n = keyctl(KEYCTL_DESCRIBE, id, (long)text, (long)size, 0);
    const char *at = n > 0 && (size_t)n <= size ? text : NULL;
    bool ours = false;

    for (size_t i = 0; at && i < ARRAY_LEN(key_types); i++)
        ours = ours || (text_starts(text, key_types[i]) && text[strlen(key_types[i])] == ';');
    for (int field = 0; at && field < 4; field++)
        at = strchr(at + (field > 0), ';');
    return ours && at && text_starts(at + 1, PREFIX) ? at + sizeof PREFIX : NULL;
}

/* Reads the IDs of all keys in @u into a malloced array. Returns their number, or -1 and sets errno. */
static long keyring_ids(int32_t **out)
{
    long size = 4096, n;

    do { /* the keyring may grow between two calls */
        *out = mem_grow(*out, (size_t)size, 1);
        n = keyctl(KEYCTL_READ, KEY_SPEC_USER_KEYRING, (long)*out, size, 0);
    } while (n > size && n <= LIST_MAX && (size = n * 2));
    return n < 0 ? -1 : (n < size ? n : size) / (long)sizeof **out;
}

struct listed {
    struct words identity, label;
    time_t *expires;
};

static void listed_release(struct listed *l)
{
    words_release(&l->identity);
    words_release(&l->label);
    free(l->expires);
    *l = (struct listed){0};
}

/* Returns false if the key no longer exists; it may have been replaced. */
static bool list_key(long id, const char *prefix, struct listed *out)
{
    AUTO_BUF(payload, PAYLOAD_MAX);
    char text[STORE_IDENTITY_MAX + 128];
    size_t at;

    errno = 0;
    const char *identity = key_identity(id, text, sizeof text);
    if (!identity)
        return errno != ENOKEY;
    if (!text_starts(identity, prefix))
        return true;
    if (key_read(id, &payload, &at) < 0)
        return errno != ENOKEY;
    words_add(&out->identity, identity);
    words_add(&out->label, buf_str(&payload) + LABEL_AT);
    out->expires = mem_grow(out->expires, out->identity.count, sizeof *out->expires);
    out->expires[out->identity.count - 1] = payload_expiry(&payload);
    return true;
}

/* Returns 1 if all keys in the list still existed, 0 if not, -1 with errno on error. */
static int list_once(const char *prefix, struct listed *out)
{
    AUTO_FREE(int32_t *, ids);
    long n = keyring_ids(&ids);
    bool whole = true;

    for (long i = 0; i < n; i++)
        whole &= list_key(ids[i], prefix, out);
    return n < 0 ? -1 : whole;
}

static enum store_result keyring_list(const char *prefix, store_visit *visit, void *context, int64_t deadline,
                                      struct err *e)
{
    struct listed all = {0};
    int got = 0;

    (void)deadline;
    for (int i = 0; got == 0 && i < TRIES; i++) {
        listed_release(&all);
        got = list_once(prefix, &all);
    }
    if (got < 0)
        return is_missing(errno) ? STORE_OK : refused("list", errno, e);
    for (size_t i = 0; i < all.identity.count; i++)
        visit(context, all.identity.word[i], all.label.word[i], all.expires[i]);
    listed_release(&all);
    return STORE_OK;
}

const struct store store_keyring = {"keyring", keyring_get, keyring_put, keyring_erase, keyring_list};
