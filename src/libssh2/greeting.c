/* SPDX-License-Identifier: MIT */
/*
 * A server's first data, in cleartext: its version, then its algorithms (RFC 4253 sections 4.2, 6 and 7.1).
 * libssh2 does not report the algorithms; if both sides have none in common, this tells of which kind. The
 * data is not trusted: the text only explains why another engine is tried.
 */
#include "methods.h"
#include "session.h"

#include <string.h>

#include <base/mem.h>
#include <ssh/wire_format.h>

#define KEXINIT 20
#define KEXINIT_LISTS 17u /* after the packet's type and cookie */
#define LINES_MOST 1024

void greeting_add(struct ssh_session *s, const void *bytes, size_t n)
{
    if (n > s->greeting.max - s->greeting.len)
        n = s->greeting.max - s->greeting.len;
    buf_add(&s->greeting, bytes, n);
}

/* Skips the server's version, and any lines before it. */
static const char *first_packet(const char *at, const char *end)
{
    for (int i = 0; i < LINES_MOST; i++) {
        const char *line = at, *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            return NULL;
        at = stop + 1;
        if (stop - line > 4 && memcmp(line, "SSH-", 4) == 0)
            return at;
    }
    return NULL;
}

/* Returns the lists of KEXINIT, which end at *end, or NULL if not found. */
static const unsigned char *kexinit_lists(const struct buf *greeting, const unsigned char **end)
{
    const char *from = buf_str(greeting);
    const unsigned char *at = (const unsigned char *)first_packet(from, from + greeting->len);
    size_t there = at ? greeting->len - (size_t)((const char *)at - from) : 0;

    if (there < 5 || wire_u32(at) > there - 4 || wire_u32(at) < 1u + at[4] + KEXINIT_LISTS ||
        at[5] != KEXINIT)
        return NULL;
    *end = at + 4 + wire_u32(at) - at[4];
    return at + 5 + KEXINIT_LISTS;
}

/* Appends the name-list at position `which` (from 0) to *out. */
static void list_put(const unsigned char *at, const unsigned char *end, unsigned which, struct buf *out)
{
    const unsigned char *list = NULL;
    size_t n = 0;

    for (unsigned i = 0; i <= which; i++) {
        if (!wire_string(&at, end, &list, &n))
            return;
    }
    text_sanitise_line(out, (const char *)list, n);
}

bool greeting_disagrees(const struct ssh_session *s, struct buf *why)
{
    static const struct {
        unsigned list;
        const char *what, *ours;
    } kinds[] = {
        {0, "key exchange methods", methods_kex},
        {1, "host keys", methods_host_keys},
        {4, "MACs", methods_macs},
        {2, "ciphers", methods_ciphers},
    };
    const unsigned char *end, *lists = kexinit_lists(&s->greeting, &end);

    for (size_t i = 0; lists && i < ARRAY_LEN(kinds); i++) {
        AUTO_BUF(list, 4096);
        AUTO_BUF(common, 1024);
        list_put(lists, end, kinds[i].list, &list);
        list_both(&common, kinds[i].ours, buf_str(&list));
        if (list.len && !common.len) {
            buf_printf(why, "the server's %s are %.300s", kinds[i].what, buf_str(&list));
            return true;
        }
    }
    if (lists)
        buf_puts(why, "it has no algorithm in common with the server");
    return lists;
}
