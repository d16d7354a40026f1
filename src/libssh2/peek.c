/* SPDX-License-Identifier: MIT */
/*
 * Information that libssh2 has but does not report: the methods named in a refusal and whether it was a
 * partial success (RFC 4252 section 5.1), the banner (section 5.4; 1.10 has no call for it), and why a
 * channel was not opened (RFC 4254 section 5.1). libssh2 returns every packet to our allocator (a banner at
 * the end of the session), where these packets are recognised by their format. Only messages, and one saved
 * login attempt, depend on this.
 */
#include "session.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include <base/mem.h>
#include <ssh/wire_format.h>

#define USERAUTH_FAILURE 51
#define USERAUTH_BANNER 53
#define CHANNEL_OPEN_FAILURE 92

void peek_line(char *to, size_t size, const void *text, size_t n)
{
    AUTO_BUF(clean, 2048);

    text_sanitise(&clean, text, n < size ? n : size);
    (void)snprintf(to, size, "%.*s", (int)strcspn(buf_str(&clean), "\r\n"), buf_str(&clean));
}

static void refusal(struct ssh_session *s, const unsigned char *at, size_t n)
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

static void open_failure(struct ssh_session *s, const unsigned char *at, size_t n)
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

static void banner_add(struct ssh_session *s, const void *text, size_t n)
{
    AUTO_BUF(clean, BANNER_MOST);

    text_sanitise(&clean, text, n < BANNER_MOST / 4 ? n : BANNER_MOST / 4);
    if (!clean.len || s->banner.len + clean.len + 1 > BANNER_MOST ||
        strstr(buf_str(&s->banner), buf_str(&clean)))
        return;
    buf_add(&s->banner, clean.data, clean.len);
    if (s->banner.data[s->banner.len - 1] != '\n')
        buf_putc(&s->banner, '\n');
}

/* Stores the banner, RFC 4252 section 5.4. */
static void banner(struct ssh_session *s, const unsigned char *at, size_t n)
{
    const unsigned char *rest = at + 1, *end = at + n, *text, *language;
    size_t length, ignored;

    if (n < 9 || at[0] != USERAUTH_BANNER || !wire_string(&rest, end, &text, &length) ||
        !wire_string(&rest, end, &language, &ignored) || ignored > 64)
        return;
    banner_add(s, text, length);
}

#if LIBSSH2_VERSION_NUM >= 0x010b00
void peek_banner(struct ssh_session *s)
{
    char *text = NULL;

    if (libssh2_userauth_banner(s->ssh, &text) == 0 && text)
        banner_add(s, text, strlen(text));
}
#else
void peek_banner(struct ssh_session *s)
{
    for (size_t i = 0; i < YOUNG_MOST; i++) {
        void *at = (void *)(uintptr_t)s->young[i];
        if (at)
            banner(s, at, malloc_usable_size(at));
    }
}
#endif

void peek_packet(struct ssh_session *s, const unsigned char *at, size_t n)
{
    if (n < 6)
        return;
    if (s->state == SESSION_LOGIN)
        banner(s, at, n);
    if (at[0] == USERAUTH_FAILURE && s->state == SESSION_LOGIN)
        refusal(s, at, n);
    if (at[0] == CHANNEL_OPEN_FAILURE && s->opening)
        open_failure(s, at, n);
}
