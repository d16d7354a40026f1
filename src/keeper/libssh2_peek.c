/*
 * What libssh2 learns and does not tell: which ways to log in a refusal named and whether it was a partial
 * success (RFC 4252 section 5.1), and why a channel was not opened (RFC 4254 section 5.1). It hands every
 * packet back to our allocator, where these two are recognised by their form, whatever else its block has
 * room for. Nothing depends on it but words, and one try less to log in: what is not seen is unknown.
 */
#include "libssh2_parts.h"

#include <stdio.h>
#include <string.h>

#include <base/mem.h>

#include "ssh_wire.h"

#define USERAUTH_FAILURE 51
#define CHANNEL_OPEN_FAILURE 92

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
}
