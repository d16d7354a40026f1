/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what an ssh master sends on its control socket. Apart from memory errors, it checks that a packet
 * is accepted as a whole or not at all, that its message lies inside it, and that no prefix of it is
 * accepted.
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
    AUTO_FREE(uint8_t *, exact); /* of exactly that size, so that the sanitizer sees a byte too many */
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
