/* SPDX-License-Identifier: MIT */
/*
 * Secrets share one libsodium arena: guard pages, mlock, MADV_DONTDUMP, wiped when freed. Allocating advances
 * an offset, and only freeing the newest secret reclaims space, which is enough because a program holds few
 * secrets.
 */
#include <base/secret.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

struct secret {
    size_t cap, len;
    void *alone; /* a guarded allocation of its own, used if the arena is full */
    char bytes[];
};

#define ARENA_SIZE 16384 /* small, because mlock() touches each page */
#define ALIGN 16

static char *arena;
static size_t arena_used;

/* Wipes the arena when the process exits. The kernel then unlocks and unmaps it, which is cheaper than
 * freeing it here. */
static void arena_wipe(void)
{
    sodium_memzero(arena, ARENA_SIZE);
}

static void *guarded_alloc(size_t n)
{
    void *p = sodium_init() < 0 ? NULL : sodium_malloc(n);

    if (!p)
        err_out_of_memory();
    return p;
}

static size_t secret_size(size_t cap)
{
    return (sizeof(struct secret) + cap + 1 + ALIGN - 1) / ALIGN * ALIGN;
}

struct secret *secret_new(size_t cap)
{
    if (cap > SECRET_MAX)
        cap = SECRET_MAX;
    size_t size = secret_size(cap);
    struct secret *s;

    if (!arena) {
        arena = guarded_alloc(ARENA_SIZE);
        (void)atexit(arena_wipe);
    }
    if (size <= ARENA_SIZE - arena_used) {
        s = (void *)(arena + arena_used);
        s->alone = NULL;
        arena_used += size;
    } else {
        s = guarded_alloc(size);
        s->alone = s;
    }
    s->cap = cap;
    s->len = 0;
    s->bytes[0] = '\0';
    return s;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    if (s->alone) {
        sodium_free(s->alone);
        return;
    }
    size_t size = secret_size(s->cap);
    bool newest = (char *)s + size == arena + arena_used;
    sodium_memzero(s->bytes, s->cap + 1);
    s->len = 0;
    if (newest)
        arena_used -= size;
}

void secret_free_cleanup(struct secret **s)
{
    secret_free(*s);
    *s = NULL;
}

struct secret *secret_from(const void *bytes, size_t n)
{
    struct secret *s = secret_new(n);

    (void)secret_add(s, bytes, n < s->cap ? n : s->cap);
    return s;
}

int secret_add(struct secret *s, const void *bytes, size_t n)
{
    if (n > s->cap - s->len)
        return -1;
    if (n)
        memcpy(s->bytes + s->len, bytes, n);
    s->len += n;
    s->bytes[s->len] = '\0';
    return 0;
}

void secret_cut(struct secret *s, size_t len)
{
    if (len >= s->len)
        return;
    sodium_memzero(s->bytes + len, s->len - len);
    s->len = len;
}

const char *secret_bytes(const struct secret *s)
{
    return s->bytes;
}

size_t secret_len(const struct secret *s)
{
    return s->len;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return a->len == b->len && sodium_memcmp(a->bytes, b->bytes, a->len) == 0;
}

int secret_read_fd(int fd, size_t max, bool line, struct secret **out, struct err *e)
{
    struct secret *s = secret_new(max);

    for (;;) {
        char extra;
        bool full = s->len == s->cap;
        char *at = full ? &extra : s->bytes + s->len;
        ssize_t n = read(fd, at, line || full ? 1 : s->cap - s->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n > 0 && !full) {
            s->len += (size_t)n;
            s->bytes[s->len] = '\0';
            if (!line || s->bytes[s->len - 1] != '\n')
                continue;
        } else if (n != 0) {
            int failed = errno;
            secret_free(s);
            return n < 0 ? err_set(e, ERR_IO, "%s", strerror(failed))
                         : err_set(e, ERR_DATA, "over %zu bytes", max);
        }
        *out = s;
        return 0;
    }
}

void secret_chomp(struct secret *s)
{
    size_t len = s->len;

    if (len && s->bytes[len - 1] == '\n')
        len--;
    if (len < s->len && len && s->bytes[len - 1] == '\r')
        len--;
    secret_cut(s, len);
}

void secret_keep_line(struct secret *s)
{
    const char *end = memchr(s->bytes, '\n', s->len);

    if (end)
        secret_cut(s, (size_t)(end - s->bytes) + 1);
    secret_chomp(s);
}
