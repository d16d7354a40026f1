/* SPDX-License-Identifier: MIT */
/* The actions for packets of the log-in: the third column of the table in login_filter.c. */
#ifndef MYSQL_LOGIN_ACTION_H
#define MYSQL_LOGIN_ACTION_H

#include <stdbool.h>

#include "login_filter.h"
#include "login_packet.h"
#include "packet.h"

/* Each handles the first packet in its side's `in`. True: the next packet may be examined. */
typedef bool mysql_act(struct mysql *m, struct packet *p);

/* In cleartext. */
mysql_act act_greet;              /* the client gets the greeting without its TLS bit */
mysql_act act_refuse_without_tls; /* the server has none */
mysql_act act_retell_error;       /* over: our own error has the server's number and sanitised text */
mysql_act act_ask_for_tls;        /* the client's answer is held back, our request goes out */
mysql_act act_refuse_tls;         /* over: the client asks for TLS */
mysql_act act_refuse_old;         /* over: its protocol has no TLS */

/* Through TLS. */
mysql_act act_pass;        /* to the client, renumbered */
mysql_act act_pass_switch; /* and the scramble is another now */
mysql_act act_pass_wish;   /* and the client may ask for a key */
mysql_act act_admit;       /* and from now on everything is copied */
mysql_act act_refuse;      /* and it is over */
mysql_act act_take_word;   /* to the server, renumbered */
mysql_act act_give_key;
mysql_act act_take_password; /* to the server, decrypted */

/* It is over: the client is told, behind what was waiting for it. */
enum mysql_step mysql_fail(struct mysql *m, const struct err *e);
/* The same with an error about the server: its name goes between the number and the text. */
void mysql_fail_server(struct mysql *m, enum err_code code, unsigned number, const char *words,
                       const char *hint);
/* The same, of an error without that name, which it gets. */
void mysql_fail_named(struct mysql *m, struct err *e);
/* The same with an error of the client. */
void mysql_fail_client(struct mysql *m, unsigned number, const char *words, const char *hint);
/* The same with an error: a packet that is not in the table; one that is too long. */
void mysql_fail_unlisted(struct mysql *m, enum mysql_said said);
void mysql_fail_too_much(struct mysql *m);

/* It is over: no more data of either side is processed. */
void mysql_end(struct mysql *m);
/* From now on everything is copied unchanged. */
void mysql_copy_on(struct mysql *m);

#endif
