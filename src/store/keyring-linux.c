/*
 * The session store: the Linux kernel's keyring of this user, @u. Nothing of it ever reaches a disk, and the
 * kernel itself forgets an entry at its timeout. It is a cache: whatever the kernel refuses (no keyrings in a
 * container, a full quota, a seccomp filter) is STORE_UNAVAILABLE and one line of --verbose, never a failure.
 * It does not keep labels.
 *
 * A key is made in the process keyring, where we possess it, and linked to @u when its permissions and its
 * timeout are set: no other session ever sees a half-made key, and @u need not be linked from the session
 * keyring (it is not under su, cron, or in containers). Everything about keyrings is in this file: another
 * platform brings its own.
 */
#include <store/store.h>

#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>

/* Possessor and user: view, read, write, search, link, setattr. The default lets the user of another session
 * only view. */
#define PERMISSIONS 0x3f3f0000UL
#define DAY 86400L
/* The kernel counts a timeout in 32 bits. */
#define TIMEOUT_MAX INT32_MAX
/* The kernel takes descriptions of at most 4,095 bytes, and counts them in the quota. */
#define DESCRIPTION_MAX 1024
/* The first byte of a payload; the kernel takes no empty ones, but a password may be empty. */
#define PAYLOAD_VERSION '\1'
#define PAYLOAD_MAX (SECRET_MAX + 1)

/* big_key first: it is encrypted while in memory and hardly counts in the quota. Many kernels do not have it.
 */
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

/* The name of an entry's key. Malloced. */
static char *describe(const char *identity)
{
    char hash[33];

    if (strlen(identity) <= DESCRIPTION_MAX)
        return mem_printf("broker:%s", identity);
    text_hash(identity, strlen(identity), hash);
    return mem_printf("broker:%s", hash);
}

/* -1 with errno. */
static int key_read(long id, struct buf *payload)
{
    char *room = buf_room(payload, PAYLOAD_MAX);
    long n = keyctl(KEYCTL_READ, id, (long)room, PAYLOAD_MAX, 0);

    if (n < 0)
        return -1;
    if (n < 1 || n > PAYLOAD_MAX || room[0] != PAYLOAD_VERSION) {
        errno = ENOKEY; /* not one of ours */
        return -1;
    }
    buf_grew(payload, (size_t)n);
    return 0;
}

static enum store_result keyring_get(const char *identity, int64_t deadline, struct secret **out,
                                     struct err *e)
{
    AUTO_FREE(char *, description);

    (void)deadline;
    description = describe(identity);
    for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
        AUTO_BUF(payload, PAYLOAD_MAX);
        long id = key_search(key_types[i], description);
        if (id >= 0 && key_read(id, &payload) == 0) {
            *out = secret_from(buf_str(&payload) + 1, payload.len - 1);
            return STORE_OK;
        }
        if (!is_missing(errno))
            return refused(id < 0 ? "search" : "read", errno, e);
    }
    return STORE_MISSING;
}

/* Unlinks the keys of all types but `except`. -1 with errno where the kernel refuses; *count: how many there
 * were. */
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

/* Makes the key where nobody else can see it yet. -1 with errno. */
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

/* NULL, or the step that failed, with errno. */
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

    (void)label;
    (void)deadline;
    description = describe(identity);
    if (seconds > TIMEOUT_MAX)
        seconds = TIMEOUT_MAX;
    if (seconds <= 0)
        return unlink_all(description, NULL, &ignored) < 0 ? refused("unlink", errno, e) : STORE_OK;
    buf_putc(&payload, PAYLOAD_VERSION);
    buf_add(&payload, secret_bytes(value), secret_len(value));
    long id = key_make(description, &payload, &type);
    if (id < 0)
        return refused("add", errno, e);
    failed_at = key_publish(id, seconds);
    int failed = errno;
    (void)keyctl(KEYCTL_UNLINK, id, KEY_SPEC_PROCESS_KEYRING, 0, 0);
    if (failed_at)
        return refused(failed_at, failed, e);
    /* An older entry of the other type would be found first, or live on. */
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

const struct store store_keyring = {"keyring", keyring_get, keyring_put, keyring_erase};
