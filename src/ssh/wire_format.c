/* SPDX-License-Identifier: MIT */
/* Big-endian numbers, and strings preceded by their length. Every length is checked before it is used. */
#include <ssh/wire_format.h>

#include <string.h>

#include <sodium.h>

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

int base64_decode(const char *text, size_t n, struct buf *out)
{
    char *room = buf_room(out, n);
    size_t len;

    if (!room || sodium_base642bin((unsigned char *)room, n, text, n, " \t\r\n", &len, NULL,
                                   sodium_base64_VARIANT_ORIGINAL) < 0)
        return -1;
    buf_grew(out, len);
    return 0;
}

void base64_encode(const void *bytes, size_t n, struct buf *out)
{
    size_t room = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
    char *to = buf_room(out, room);

    if (to) /* the decoder needs room for a NUL */
        buf_grew(out, strlen(sodium_bin2base64(to, room, bytes, n, sodium_base64_VARIANT_ORIGINAL)));
}
