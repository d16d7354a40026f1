/* SPDX-License-Identifier: MIT */
/* The actions for packets of the login: the third column of the table in login_filter.c. */
#ifndef MYSQL_LOGIN_ACTION_H
#define MYSQL_LOGIN_ACTION_H

#include <stdbool.h>

#include "login_filter.h"
#include "login_packet.h"
#include "packet.h"

/* An action handles the first packet in its side's `in`. It returns true if the next packet may be
 * examined. */
typedef bool mysql_act(struct mysql *m, struct packet *p);

/* Actions before TLS. */
mysql_act act_greet;              /* sends the greeting, without its TLS flag, to the client */
mysql_act act_refuse_without_tls; /* fails, because the server does not support TLS */
mysql_act act_retell_error;       /* fails, with the number and the sanitised text of the server's error */
mysql_act act_ask_for_tls;        /* keeps the client's answer and sends our TLS request */
mysql_act act_refuse_tls;         /* fails, because the client asks for TLS */
mysql_act act_refuse_old;         /* fails, because the client's old protocol does not support TLS */

/* Actions after the TLS handshake. */
mysql_act act_pass;        /* sends the packet to the client, renumbered */
mysql_act act_pass_switch; /* like act_pass; also stores the new scramble */
mysql_act act_pass_wish;   /* like act_pass; the client may then ask for a key */
mysql_act act_admit;       /* like act_pass; from now on everything is copied */
mysql_act act_refuse;      /* like act_pass; ends the login */
mysql_act act_take_word;   /* sends the packet to the server, renumbered */
mysql_act act_give_key;
mysql_act act_take_password; /* decrypts the password and sends it to the server */

/* Ends the login: sends the error to the client, after any data that is already waiting. */
enum mysql_step mysql_fail(struct mysql *m, const struct err *e);
/* Like mysql_fail(), with an error about the server, whose name is put between the number and the text. */
void mysql_fail_server(struct mysql *m, enum err_code code, unsigned number, const char *words,
                       const char *hint);
/* Like mysql_fail(), but first adds the server's name to `e`. */
void mysql_fail_named(struct mysql *m, struct err *e);
/* Like mysql_fail(), with an error caused by the client. */
void mysql_fail_client(struct mysql *m, unsigned number, const char *words, const char *hint);
/* Like mysql_fail(): the packet is not in the table, or it is too long. */
void mysql_fail_unlisted(struct mysql *m, enum mysql_said said);
void mysql_fail_too_much(struct mysql *m);

/* Ends the login: no more data of either side is processed. */
void mysql_end(struct mysql *m);
/* From now on everything is copied unchanged. */
void mysql_copy_on(struct mysql *m);

#endif
