/* SPDX-License-Identifier: MIT */
/* Allocators for jansson. Each block starts with its size, so that free() can wipe it. They end the program
 * if memory is exhausted, because jansson would continue without the key, entry or byte that did not fit. */
#include <model/json.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/err.h>

union header {
    size_t size;
    max_align_t align;
};

static void *wiping_alloc(size_t size)
{
    union header *h = size > SIZE_MAX / 2 ? NULL : malloc(sizeof *h + size);

    if (!h)
        err_out_of_memory();
    h->size = size;
    return h + 1;
}

static void wiping_free(void *p)
{
    union header *h = p ? (union header *)p - 1 : NULL;

    if (!h)
        return;
    explicit_bzero(p, h->size);
    free(h);
}

void json_use_wiping_memory(void)
{
    json_set_alloc_funcs(wiping_alloc, wiping_free);
}

static int put_piece(const char *bytes, size_t n, void *out)
{
    buf_add(out, bytes, n);
    return 0;
}

void json_put(struct buf *out, const json_t *root)
{
    if (!root || json_dump_callback(root, put_piece, out, JSON_COMPACT | JSON_ENSURE_ASCII) < 0)
        err_out_of_memory();
}

void json_free_cleanup(json_t **j)
{
    json_decref(*j);
    *j = NULL;
}

void json_string_free(char *s)
{
    json_free_t release;

    json_get_alloc_funcs(NULL, &release);
    release(s);
}
