/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a master of ssh says on its control socket. Beside memory errors it looks for broken promises:
 * a packet is taken whole or not at all, words lie inside it, and no prefix of a packet is one.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <openssh/mux.h>

static void check(const uint8_t *data, size_t n)
{
    AUTO_FREE(uint8_t *, exact); /* so that a byte too far is seen */
    struct mux_reply reply;

    exact = mem_alloc(n + 1, 1);
    exact = mem_grow(exact, n ? n : 1, 1);
    if (n)
        memcpy(exact, data, n);
    long taken = mux_parse(exact, n, &reply);
    if (taken > (long)n || (taken > 0 && taken < 8) || taken < -1)
        abort();
    if (taken > 0 && reply.says == MUX_REFUSED && reply.n &&
        ((const uint8_t *)reply.words < exact || (const uint8_t *)reply.words + reply.n > exact + taken))
        abort();
    if (taken > 0 && mux_parse(exact, (size_t)taken - 1, &reply) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mux_reply reply;
    long taken;

    check(data, size);
    for (size_t at = 0; (taken = mux_parse(data + at, size - at, &reply)) > 0; at += (size_t)taken)
        check(data + at, size - at);
    return 0;
}
