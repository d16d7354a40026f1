/*
 * What libssh2 1.10 learns and does not tell: which ways to log in a refusal named and whether it was a
 * partial success (RFC 4252 section 5.1), why a channel was not opened (RFC 4254 section 5.1), what the
 * server can do (RFC 4253 section 7.1). It hands every packet back to our allocator, where these three are
 * recognised by their form. Nothing depends on it but words, and one try less to log in: what is not seen is
 * unknown.
 */
#include "libssh2_parts.h"

#include <stdio.h>
#include <string.h>

#include <base/mem.h>

#include "ssh_wire.h"

#define KEXINIT 20
#define USERAUTH_FAILURE 51
#define CHANNEL_OPEN_FAILURE 92
#define KEXINIT_MOST 8192u
#define KEXINIT_LISTS 17u /* after its type and cookie */

void peek_line(char *to, size_t size, const void *text, size_t n)
{
    AUTO_BUF(clean, 2048);

    text_sanitise(&clean, text, n < size ? n : size);
    (void)snprintf(to, size, "%.*s", (int)strcspn(buf_str(&clean), "\r\n"), buf_str(&clean));
}

static void refusal(struct session *s, const unsigned char *at, size_t n)
{
    const unsigned char *rest = at + 1, *end = at + n, *methods;
    size_t length;

    if (!wire_string(&rest, end, &methods, &length) || rest == end || *rest > 1)
        return;
    for (size_t i = 0; i < length; i++) {
        if (methods[i] < '!' || methods[i] > '~')
            return;
    }
    s->refused = true;
    s->partial = *rest;
    peek_line(s->methods, sizeof s->methods, methods, length);
}

static void open_failure(struct session *s, const unsigned char *at, size_t n)
{
    const unsigned char *end = at + n, *reason;
    size_t length;

    if (n < 9 || wire_u32(at + 5) == 0 || wire_u32(at + 5) > 4)
        return;
    const unsigned char *rest = at + 9;
    if (!wire_string(&rest, end, &reason, &length))
        return;
    s->open_code = wire_u32(at + 5);
    peek_line(s->open_reason, sizeof s->open_reason, reason, length);
}

void peek_packet(struct session *s, const unsigned char *at, size_t n)
{
    if (n < 6)
        return;
    if (at[0] == USERAUTH_FAILURE && s->state == SESSION_LOGIN)
        refusal(s, at, n);
    if (at[0] == CHANNEL_OPEN_FAILURE && s->opening)
        open_failure(s, at, n);
    if (at[0] == KEXINIT && s->state == SESSION_HANDSHAKE && n <= KEXINIT_MOST) {
        buf_clear(&s->kexinit);
        buf_add(&s->kexinit, at, n);
    }
}

/* The list with this number, counted from 0 in the order of RFC 4253 section 7.1. */
static void kexinit_list(const struct buf *packet, unsigned which, struct buf *out)
{
    const unsigned char *begin = (const unsigned char *)buf_str(packet), *end = begin + packet->len;
    const unsigned char *at, *list = NULL;
    size_t n = 0;

    if (packet->len < KEXINIT_LISTS)
        return;
    at = begin + KEXINIT_LISTS;
    for (unsigned i = 0; i <= which; i++) {
        if (!wire_string(&at, end, &list, &n))
            return;
    }
    text_sanitise_line(out, (const char *)list, n);
}

void peek_disagreement(const struct session *s, struct buf *why)
{
    static const struct {
        unsigned list;
        const char *what, *ours;
    } kinds[] = {
        {1, "host keys", methods_host_keys},
        {4, "MACs", methods_macs},
        {2, "ciphers", methods_ciphers},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        AUTO_BUF(list, 4096);
        AUTO_BUF(common, 1024);
        kexinit_list(&s->kexinit, kinds[i].list, &list);
        list_both(&common, kinds[i].ours, buf_str(&list));
        if (list.len && !common.len) {
            buf_printf(why, "the server's %s are %.300s", kinds[i].what, buf_str(&list));
            return;
        }
    }
    buf_puts(why, "it has no algorithm in common with the server");
}
