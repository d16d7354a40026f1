/* SPDX-License-Identifier: MIT */
/*
 * What a client sends after the keeper has logged in (mysql/commands.h). The input is a list of steps: a
 * byte (bit 7: the server has answered before; bits 0-6: how many bytes follow), then the bytes.
 *
 * It checks that a simple parser, which has all bytes at once, finds COM_CHANGE_USER in the same place as
 * the filter, which gets them in pieces; and that the filter passes everything before that packet, and at
 * most a part of its header.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <mysql/commands.h>
#include <mysql/packet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 65536

static void check(bool held)
{
    if (!held)
        abort();
}

static uint8_t bytes[MOST];
static bool answered[MOST]; /* whether the server has answered before this byte */

/* Returns the offset of the packet that is refused, or n. *whole is set to the offset of its body. */
static size_t find(size_t n, size_t *whole)
{
    uint8_t last = 0;
    bool heard = false;

    for (size_t at = 0; at < n;) {
        size_t head = at + PACKET_HEADER <= n ? at + PACKET_HEADER : n;
        for (size_t i = at; i < head; i++)
            heard = heard || answered[i];
        if (head < at + PACKET_HEADER)
            return n;
        size_t len = bytes[at] | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2] << 16;
        bool begins = bytes[at + 3] == 0 && (last != 255 || heard);
        last = bytes[at + 3];
        heard = false;
        *whole = head;
        if (begins && len > 0 && head < n && bytes[head] == 0x11)
            return at;
        for (size_t i = head; i < head + len && i < n; i++)
            heard = heard || answered[i];
        at = len < n - head ? head + len : n;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct relay_filter *f = commands_new();
    struct buf last = BUF_INIT(1024);
    size_t n = 0, passed = 0, whole = 0;
    bool refused = false;

    memset(answered, 0, sizeof answered);
    for (size_t at = 0; at < size && !refused && n < MOST - 128;) {
        bool heard = data[at] & 0x80;
        size_t some = data[at] & 0x7f;
        at++;
        some = some < size - at ? some : size - at;
        if (some == 0)
            continue;
        memcpy(bytes + n, data + at, some);
        answered[n] = heard;
        n += some;
        at += some;
        size_t done = f->pass(f, (const char *)bytes + n - some, some, heard, &last);
        check(done <= some);
        passed += done;
        refused = done < some;
    }
    size_t where = find(n, &whole);
    check(refused == (where < n) && refused == (last.len > 0));
    check(refused ? passed >= where && passed <= whole : passed == n);
    f->release(f);
    buf_release(&last);
    return 0;
}
