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
    size_t length = n >= 6 ? wire_u32(at + 1) : 0;

    if (n < 6 || length > n - 6 || at[5 + length] > 1)
        return;
    for (size_t i = 0; i < length; i++) {
        if (at[5 + i] < '!' || at[5 + i] > '~')
            return;
    }
    s->refused = true;
    s->partial = at[5 + length];
    peek_line(s->methods, sizeof s->methods, at + 5, length);
}

static void open_failure(struct session *s, const unsigned char *at, size_t n)
{
    size_t length = n >= 13 ? wire_u32(at + 9) : 0;

    if (n < 13 || length > n - 13 || wire_u32(at + 5) == 0 || wire_u32(at + 5) > 4)
        return;
    s->open_code = wire_u32(at + 5);
    peek_line(s->open_reason, sizeof s->open_reason, at + 13, length);
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
    const unsigned char *at = (const unsigned char *)buf_str(packet);
    size_t place = KEXINIT_LISTS;

    for (unsigned i = 0;; i++) {
        if (packet->len < place + 4 || wire_u32(at + place) > packet->len - place - 4)
            return;
        if (i == which) {
            text_sanitise_line(out, (const char *)at + place + 4, wire_u32(at + place));
            return;
        }
        place += 4 + wire_u32(at + place);
    }
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
