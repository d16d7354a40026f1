/* Big-endian numbers, and strings with their length in front. Every length is checked before it is used. */
#include "ssh_wire.h"

void wire_put_u32(struct buf *out, uint32_t n)
{
    const unsigned char bytes[] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
                                   (unsigned char)(n >> 8), (unsigned char)n};

    buf_add(out, bytes, sizeof bytes);
}

void wire_put_string(struct buf *out, const void *bytes, size_t n)
{
    wire_put_u32(out, (uint32_t)n);
    buf_add(out, bytes, n);
}

uint32_t wire_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool wire_string(const unsigned char **at, const unsigned char *end, const unsigned char **string, size_t *n)
{
    if (end - *at < 4 || wire_u32(*at) > (size_t)(end - *at - 4))
        return false;
    *n = wire_u32(*at);
    *string = *at + 4;
    *at += 4 + *n;
    return true;
}
