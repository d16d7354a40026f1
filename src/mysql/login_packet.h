/* SPDX-License-Identifier: MIT */
/* The kinds of packets of the log-in, told by their bytes alone: the columns of the table in login_filter.c.
 */
#ifndef MYSQL_LOGIN_PACKET_H
#define MYSQL_LOGIN_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capabilities.h"
#include "packet.h"

enum mysql_said {
    SERVER_GREETING,
    SERVER_GREETING_NO_TLS,
    SERVER_OK,
    SERVER_ERROR,      /* its number is one that servers use */
    SERVER_SWITCH,     /* to another plug-in: a name, then its data */
    SERVER_SWITCH_OLD, /* to that of MySQL before 4.1, without a name */
    SERVER_FACTOR,     /* to the next factor's plug-in: a name, then its data */
    SERVER_FAST_OK,    /* caching_sha2_password: the scrambled password is enough */
    SERVER_WANTS_ALL,  /* caching_sha2_password: it is not */
    SERVER_PLUGIN,     /* plug-in data, marked as such */
    SERVER_OTHER,      /* raw plug-in data, or unknown */
    SERVER_IMPOSSIBLE, /* MariaDB's progress report, a switch without a name, an error without a number */
    SERVER_TOO_LONG,
    CLIENT_ANSWER,   /* to the greeting: capabilities, user, scrambled password */
    CLIENT_ASKS_TLS, /* the first 32 bytes of it */
    CLIENT_OLD,      /* of a client before MySQL 4.1 */
    CLIENT_ASKS_KEY, /* for the server's RSA key */
    CLIENT_PASSWORD, /* encrypted for a key that it was given */
    CLIENT_WORD,     /* its plug-in's */
    CLIENT_AHEAD,    /* the first command, before the log-in has ended */
    CLIENT_NOT_YET,  /* anything, while it is not expected */
    CLIENT_NOT_NEXT, /* a packet that is not the one that was asked for */
    CLIENT_TOO_LONG,
};

/* The size of a TLS request. Without CLIENT_SSL it is the beginning of each answer. */
#define SSL_REQUEST 32
/* Its reserved bytes; MariaDB's own capabilities follow. */
#define SSL_REQUEST_FILLER 9
#define SSL_REQUEST_FILLER_LEN 19
/* A packet's first byte. */
enum { IS_OK = 0x00, MORE_DATA = 0x01, NEXT_FACTOR = 0x02, PROTOCOL = 0x0a, SWITCH = 0xfe, IS_ERR = 0xff };
/* caching_sha2_password's words, after MORE_DATA. */
enum { FAST_OK = 3, WANTS_ALL = 4 };

/* The offset of the lower two bytes of its capabilities; 0: not a greeting of protocol 10. The scramble's
 * first 8 bytes are 9 bytes before, the rest is 18 bytes after. */
size_t said_greeting(const struct packet *p);
/* The number of an error that servers use; 0: not an error. *text begins after the SQLSTATE. */
unsigned said_error(const struct packet *p, const char **text, size_t *n);

/* Classifies a whole packet; `greets`: the greeting is expected. */
enum mysql_said said_by_server(const struct packet *p, bool greets);
enum mysql_said said_in_answer(const struct packet *p);

#endif
