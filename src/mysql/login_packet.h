/* SPDX-License-Identifier: MIT */
/* The kinds of login packets, recognised by their bytes alone: the columns of the table in login_filter.c. */
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
    SERVER_ERROR,      /* with an error number that servers use */
    SERVER_SWITCH,     /* switch to another plug-in: its name, then its data */
    SERVER_SWITCH_OLD, /* switch to the plug-in of MySQL before 4.1, without a name */
    SERVER_FACTOR,     /* switch to the plug-in of the next factor: its name, then its data */
    SERVER_FAST_OK,    /* caching_sha2_password: the scrambled password is enough */
    SERVER_WANTS_ALL,  /* caching_sha2_password: the server needs the password itself */
    SERVER_PLUGIN,     /* plug-in data after the byte MORE_DATA */
    SERVER_OTHER,      /* plug-in data without MORE_DATA, or an unknown packet */
    SERVER_IMPOSSIBLE, /* an invalid packet, or a progress report of MariaDB */
    SERVER_TOO_LONG,
    CLIENT_ANSWER,   /* answer to the greeting: capabilities, user, scrambled password */
    CLIENT_ASKS_TLS, /* the first 32 bytes of an answer */
    CLIENT_OLD,      /* an answer of a client before MySQL 4.1 */
    CLIENT_ASKS_KEY, /* a request for the server's RSA key */
    CLIENT_PASSWORD, /* the password, encrypted with the key that the client got */
    CLIENT_WORD,     /* data of the client's plug-in */
    CLIENT_AHEAD,    /* the first command, sent before the login has ended */
    CLIENT_NOT_YET,  /* anything, while no packet of the client is expected */
    CLIENT_NOT_NEXT, /* a packet other than the one that was requested */
    CLIENT_TOO_LONG,
};

/* Size of a TLS request. Without CLIENT_SSL, each answer begins with the same 32 bytes. */
#define SSL_REQUEST 32
/* The reserved bytes of a TLS request; MariaDB's own capabilities follow. */
#define SSL_REQUEST_FILLER 9
#define SSL_REQUEST_FILLER_LEN 19
/* First bytes of packets. */
enum { IS_OK = 0x00, MORE_DATA = 0x01, NEXT_FACTOR = 0x02, PROTOCOL = 0x0a, SWITCH = 0xfe, IS_ERR = 0xff };
/* Bytes after MORE_DATA in packets of caching_sha2_password. */
enum { FAST_OK = 3, WANTS_ALL = 4 };

/* Returns the offset of the lower two bytes of the capabilities, or 0 if the packet is not a greeting of
 * protocol 10. The first 8 bytes of the scramble are 9 bytes before that offset, the rest is 18 bytes after
 * it. */
size_t said_greeting(const struct packet *p);
/* Returns the error number, or 0 if the packet is not an error with a number that servers use. *text begins
 * after the SQLSTATE. */
unsigned said_error(const struct packet *p, const char **text, size_t *n);

/* Classifies a whole packet; `greets`: the greeting is expected. */
enum mysql_said said_by_server(const struct packet *p, bool greets);
enum mysql_said said_in_answer(const struct packet *p);

#endif
