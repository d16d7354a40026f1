/* SPDX-License-Identifier: MIT */
/*
 * Classifies login packets ("Connection Phase" in MySQL's source documentation). login_filter.c decides which
 * packet is allowed when.
 */
#include "login_packet.h"

#include <string.h>

#define SQLSTATE_LEN 6

/* Error numbers of servers and of proxies in front of them (MySQL Router: 2003, ProxySQL: 9001, TiDB: 8xxx).
 * Not 65535, with which MariaDB marks a progress report: clients continue after it. */
enum { ERROR_LEAST = 1000, ERROR_MOST = 9999 };

static bool is_type(const struct packet *p, uint8_t type)
{
    return p->len > 0 && p->body[0] == type;
}

/*
 * A greeting of protocol 10 has these fields, with their size in bytes: version and NUL, thread 4, scramble
 * 8, a 0, capabilities 2 (low), charset 1, status 2, capabilities 2 (high), length of the scramble 1,
 * reserved 10 (MariaDB: 6 and its own capabilities), scramble 13 or more, plug-in and NUL.
 */
size_t said_greeting(const struct packet *p)
{
    const uint8_t *nul = p->len ? memchr(p->body, '\0', p->len) : NULL;
    size_t at = nul ? (size_t)(nul - p->body) + 1 + 4 + 8 + 1 : 0;

    return at && is_type(p, PROTOCOL) && p->sequence == 0 && at + 2 + 1 + 2 + 2 + 1 + 10 <= p->len ? at : 0;
}

unsigned said_error(const struct packet *p, const char **text, size_t *n)
{
    if (!is_type(p, IS_ERR) || p->len < 3)
        return 0;
    unsigned number = (unsigned)p->body[1] | (unsigned)p->body[2] << 8;
    size_t skip = p->len >= 3 + SQLSTATE_LEN && p->body[3] == '#' ? 3 + SQLSTATE_LEN : 3;

    *text = (const char *)p->body + skip;
    *n = p->len - skip;
    return number >= ERROR_LEAST && number <= ERROR_MOST ? number : 0;
}

static bool has_name(const struct packet *p)
{
    return p->len > 1 && memchr(p->body + 1, '\0', p->len - 1);
}

enum mysql_said said_by_server(const struct packet *p, bool greets)
{
    const char *text;
    size_t n, low = said_greeting(p);

    if (low && greets)
        return p->body[low + 1] & (CLIENT_SSL >> 8) ? SERVER_GREETING : SERVER_GREETING_NO_TLS;
    if (is_type(p, IS_OK))
        return SERVER_OK;
    if (is_type(p, IS_ERR))
        return said_error(p, &text, &n) ? SERVER_ERROR : SERVER_IMPOSSIBLE;
    if (is_type(p, SWITCH))
        return has_name(p) ? SERVER_SWITCH : p->len == 1 ? SERVER_SWITCH_OLD : SERVER_IMPOSSIBLE;
    if (is_type(p, NEXT_FACTOR) && has_name(p))
        return SERVER_FACTOR;
    if (p->len == 2 && is_type(p, MORE_DATA) && p->body[1] == FAST_OK)
        return SERVER_FAST_OK;
    if (p->len == 2 && is_type(p, MORE_DATA) && p->body[1] == WANTS_ALL)
        return SERVER_WANTS_ALL;
    return is_type(p, MORE_DATA) ? SERVER_PLUGIN : SERVER_OTHER;
}

static uint32_t capabilities(const struct packet *p)
{
    return (uint32_t)p->body[0] | (uint32_t)p->body[1] << 8 | (uint32_t)p->body[2] << 16 |
           (uint32_t)p->body[3] << 24;
}

enum mysql_said said_in_answer(const struct packet *p)
{
    if (p->len < SSL_REQUEST || !(capabilities(p) & CLIENT_PROTOCOL_41))
        return CLIENT_OLD;
    return p->len == SSL_REQUEST && capabilities(p) & CLIENT_SSL ? CLIENT_ASKS_TLS : CLIENT_ANSWER;
}
