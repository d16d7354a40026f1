/* SPDX-License-Identifier: MIT */
/*
 * Opens channels, one at a time per session, because libssh2 does not support more. The error of an
 * unreachable target contains sshd's own text.
 */
#include "channel.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <ssh/wire_format.h>

#define PACKET_MOST 32768u
#define PROHIBITED 1 /* reason code, RFC 4254 section 5.1 */

static LIBSSH2_CHANNEL *open_by_libssh2(struct ssh_session *s, const struct channel *c)
{
    AUTO_BUF(message, 4096);
    const struct target *to = s->settings->target;
    const char *type = "session";

    if (!c->drives && to->socket) {
        type = "direct-streamlocal@openssh.com";
        wire_put_string(&message, to->socket, strlen(to->socket));
        wire_put_string(&message, "", 0);
        wire_put_u32(&message, 0);
    } else if (!c->drives) {
        type = "direct-tcpip";
        wire_put_string(&message, to->host, strlen(to->host));
        wire_put_u32(&message, to->port);
        wire_put_string(&message, "127.0.0.1", strlen("127.0.0.1"));
        wire_put_u32(&message, 0);
    }
    return libssh2_channel_open_ex(s->ssh, type, (unsigned)strlen(type), c->window, PACKET_MOST,
                                   message.len ? message.data : NULL, (unsigned)message.len);
}

static void explain(const struct ssh_session *s, struct err *e)
{
    AUTO_BUF(words, 512);

    if (s->open_code == PROHIBITED)
        buf_puts(&words, "administratively prohibited: ");
    buf_puts(&words, s->open_reason);
    (void)ssh_refused_stream(s->settings, buf_str(&words), e);
}

static void driver_opened(struct ssh_session *s, struct channel *c)
{
    s->driver = c->ssh;
    free(c);
}

static void opened(struct ssh_session *s, struct channel *c)
{
    if (c->drives) {
        driver_opened(s, c);
        return;
    }
    if (s->count == s->room) {
        s->room = s->room * 2 + 16;
        s->channels = mem_grow(s->channels, s->room, sizeof(struct channel *));
    }
    c->index = s->count;
    s->channels[s->count++] = c;
    c->readable = !c->closing; /* the client may have sent data already */
    (void)libssh2_channel_handle_extended_data2(c->ssh, LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
    c->opened(c, NULL);
}

int open_step(struct ssh_session *s)
{
    struct channel *c = s->opening;
    struct err e = ERR_INIT;

    if (!c)
        return 0;
    c->ssh = open_by_libssh2(s, c);
    int code = c->ssh ? 0 : libssh2_session_last_errno(s->ssh);
    if (libssh2_fate(code) == FATE_AGAIN)
        return 0;
    if (!c->ssh && libssh2_fate(code) != FATE_CHANNEL)
        return -1; /* another session may open it */
    s->opening = NULL;
    if (c->ssh) {
        opened(s, c);
    } else if (c->drives) {
        free(c);
    } else {
        explain(s, &e);
        c->opened(c, &e);
    }
    return 0;
}

int open_start(struct ssh_session *s, struct channel *c, size_t large)
{
    s->opening = c;
    s->open_code = 0;
    *s->open_reason = '\0';
    c->session = s;
    channel_set_window(c, large);
    return open_step(s);
}
