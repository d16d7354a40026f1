/* SPDX-License-Identifier: MIT */
/*
 * What broker and broker-keeper say to each other (docs/records.md). Two channels, the same records:
 *
 * - the line, a stream socket on the keeper's fds 0 and 1, from its start until "ready". broker sends OPEN;
 *   the keeper may send any number of ASK, each of which is answered, and of SAY; then READY (RECORD_OK) or
 *   an error record. After that a broker that stays (`forward`) may send STOP. A keeper that ends in order
 *   (STOP on the channel or the control socket) sends OK first; its end is end of file.
 * - the control socket of a forward, 0600 in the runtime folder, for the same user only: one request (STATUS
 *   or STOP), one answer, end of file. STOP is answered once nothing is accepted any more; end of file comes
 *   when the keeper has ended.
 *
 * The keeper's fd 3 is what it lives for: a pidfd of the client or, where there is none, a pipe that the
 * client holds. Once it is readable or hung up, the keeper ends at once. A detached forward has none.
 */
#ifndef IPC_KEEPER_H
#define IPC_KEEPER_H

#include <stdbool.h>

#include <ipc/record.h>

enum {
    KEEPER_OPEN = RECORD_FIRST_VERB,
    KEEPER_ASK,    /* from the keeper: a question; answered by ANSWER or an error record */
    KEEPER_ANSWER, /* its answer */
    KEEPER_SAY,    /* from the keeper: a line of the log */
    KEEPER_STATUS,
    KEEPER_STOP,
    KEEPER_STAY,  /* to a detached keeper, on the channel: it goes on when that ends. Without it the channel's
                     end is  its end, as where broker was killed before anybody knew of the forward */
    KEEPER_SHOWN, /* before READY: one of its programs has written on the terminal, as who asks does */
    KEEPER_MARK,  /* after READY: with TEXT, clients are told KEEPER_MARKED and that in the place of an error;
                    without, words again. Answered by the last error that was told under the mark before, or
                    OK */
    KEEPER_EXPIRES, /* after READY: the credential that clients log in with expires at EXPIRES; no answer */
    KEEPER_CREDENTIAL, /* after READY: what the keeper logs in with (USER, SECRET, EXPIRES, MADE, STATIC);
                          answered by OK */
};

#define KEEPER_LIVES_FOR_FD 3
/* The master of a pseudo-terminal for its programs, which broker relays until READY; may be absent. */
#define KEEPER_TERMINAL_FD 4

enum {
    /* OPEN */
    KEEPER_TAG_HOST = 1, /* the endpoint, a name on the far side; absent with SOCKET */
    KEEPER_TAG_PORT,     /* u64 */
    KEEPER_TAG_SOCKET,   /* the endpoint's unix socket on the far side */
    KEEPER_TAG_LISTENER, /* a listener: one byte, enum listener_kind, then an address; may repeat. In READY
                       and STATUS the addresses that they got, in the same order */
    KEEPER_TAG_TLS,      /* u64, enum keeper_tls: what the listeners of LISTENER_TLS verify */
    KEEPER_TAG_TLS_NAME, /* the name that the certificate must be for */
    KEEPER_TAG_TLS_CA,   /* PEM file */
    KEEPER_TAG_TLS_CERT,
    KEEPER_TAG_TLS_KEY,
    KEEPER_TAG_TLS_CIPHERS, /* as the clients take them */
    KEEPER_TAG_TLS_VERSION, /* "TLSv1.2,TLSv1.3" */
    KEEPER_TAG_TUNNEL, /* "KEY=VALUE", the effective keys of [tunnel] as they are; may repeat. `type` always,
                          "direct" where there is no tunnel; `name`, that of its section, where it
                          has one. `address` is an address as below, times
                          (keepalive, connect_timeout) are whole milliseconds */
    KEEPER_TAG_CONNECT_TIMEOUT, /* u64, milliseconds for one hop */
    KEEPER_TAG_DEADLINE,        /* u64, milliseconds that may pass until READY, questions not counted;
                                   absent: no bound of the whole */
    KEEPER_TAG_DRAIN,           /* u64, milliseconds that open connections get at the end */
    KEEPER_TAG_FIRST,           /* present: dial before READY, for the first connection */
    KEEPER_TAG_NAME,            /* of a forward: as `status` shows it */
    KEEPER_TAG_CONTROL,         /* path of its control socket */
    KEEPER_TAG_LOG,             /* file for what happens after READY; also in STATUS */
    KEEPER_TAG_VERBOSE,         /* u64, enum log_level: what is worth a SAY */
    KEEPER_TAG_LABEL,           /* what messages call it: the profile */
    /* READY, STATUS */
    KEEPER_TAG_PID,         /* u64 */
    KEEPER_TAG_ROUTE,       /* in words: "ssh ec2-user@bastion.example.com:22, libssh2" */
    KEEPER_TAG_STATE,       /* "up" or "lost" */
    KEEPER_TAG_CONNECTIONS, /* u64, open now */
    KEEPER_TAG_STARTED,     /* u64, time_t of READY */
    /* ASK, ANSWER, SAY */
    KEEPER_TAG_KIND, /* u64, enum keeper_question */
    KEEPER_TAG_TEXT, /* the question or line, sanitised, ends as it is to be shown; may have several lines */
    KEEPER_TAG_SECRET, /* the answer, also where it is none */
    KEEPER_TAG_AGAIN,  /* present: the answer before was refused */
    KEEPER_TAG_LEVEL,  /* u64, enum log_level */
    KEEPER_TAG_HOP,    /* the log's label */
    /* OPEN of a forward, and back in STATUS */
    KEEPER_TAG_DIGEST, /* of all that it was asked to be: two of one name need not lead to one server */
    /* OPEN */
    KEEPER_TAG_LOGIN_TIMEOUT, /* u64, milliseconds that a person may take to log in, and for one answer */
    /* ANSWER */
    KEEPER_TAG_PERSON, /* present: a person gave it, whose time does not count. In OPEN: a person sees what is
                          said, and may act on it */
    /* OPEN */
    KEEPER_TAG_TLS_CA_OWN, /* present: the authorities of TLS_CA are the user's own, not anybody's */
    KEEPER_TAG_LASTS,      /* present: it is a forward, for which bulk counts more than the start */
    /* EXPIRES, CREDENTIAL */
    KEEPER_TAG_EXPIRES, /* u64, time_t; absent: never */
    /* OPEN of a keeper that logs in (it has a listener of LISTENER_LOGIN) */
    KEEPER_TAG_BROKER,       /* the path of broker, which is asked for credentials: `credential get` */
    KEEPER_TAG_KEY,          /* "KEY=VALUE", an effective key of the profile, for that request; may repeat */
    KEEPER_TAG_LOCAL_INFILE, /* present: the client may be asked for files */
    KEEPER_TAG_SERVER_PUBLIC_KEY, /* present: without TLS, the server's RSA key may be asked for */
    KEEPER_TAG_OWN_SOCKET,        /* present: the endpoint is the server's own unix socket */
    KEEPER_TAG_STOCK_CLIENT, /* present: a stock client, whose second connection cancels a query of the first
                                and needs the same user */
    KEEPER_TAG_REVOKE,       /* present: `credential erase` is asked for when the keeper ends */
    /* OPEN, and STATUS of a forward; CREDENTIAL */
    KEEPER_TAG_USER,   /* the user: in OPEN and STATUS of clients (any is accepted), in CREDENTIAL of the
                          server; absent   in CREDENTIAL: that of OPEN. SECRET in OPEN and STATUS is the
                          password   that a client at a   port must have, made for this run; in CREDENTIAL the
                          server's */
    KEEPER_TAG_MADE,   /* u64, time_t: when the server got that user; absent: not known */
    KEEPER_TAG_STATIC, /* present: the credential cannot be asked for again, and is kept */
};

/*
 * Local addresses. An address is "/PATH" (0600, made by the keeper, never replaced) or "PORT HOST", HOST an
 * IP address without brackets, port 0: a free one. KEEPER_LOCALHOST is 127.0.0.1 and, if there is IPv6, ::1,
 * at the same port.
 */
#define KEEPER_LOCALHOST "localhost"

enum listener_kind {
    LISTENER_BYTES = 'b', /* bytes are passed untouched */
    LISTENER_TLS = 't',   /* plain to the client; the keeper makes the TLS to the server */
    LISTENER_OURS = 'o',  /* the same, for processes of this user alone, also at a port */
    LISTENER_LOGIN = 'l', /* plain to the client; the keeper makes the TLS and logs in. For processes of
                               this user alone; at a port they need the password of OPEN */
};

struct local_address {
    enum listener_kind kind;
    char *path, *host; /* one of the two */
    unsigned port;
};
void local_address_release(struct local_address *listener);
/* As one KEEPER_TAG_LISTENER. */
void local_address_put(struct record *r, const struct local_address *listener);
/* Of a KEEPER_TAG_LISTENER; path or host is malloced. False where it is none. */
bool local_address_take(const struct field *f, struct local_address *listener);

/* The folder of the forwards' control sockets, in the runtime folder: made 0700, ours, or refused with
 * ERR_CONFIG; ERR_IO. Malloced. */
int keeper_folder(char **out, struct err *e);

/* The address alone, as text. */
void keeper_address_put(struct buf *out, const char *path, const char *host, unsigned port);
/* *path or *host is malloced, the other NULL. False where it is no address. */
bool keeper_address_take(const char *text, char **path, char **host, unsigned *port);

/* What stands in front of a server's error that came before TLS: anybody on the route can have said it. */
#define KEEPER_UNVERIFIED "unverified, before TLS: "

/* What stands in front of a mark. Only the mark, secret between broker and the keeper, says whose word it is.
 */
#define KEEPER_MARKED "broker "

/* The first two only for LISTENER_LOGIN: none, and without verification if the server offers it. */
enum keeper_tls {
    KEEPER_TLS_NONE,
    KEEPER_TLS_OFFERED,
    KEEPER_TLS_ENCRYPT,
    KEEPER_TLS_CHAIN,
    KEEPER_TLS_NAME
};

enum keeper_question {
    KEEPER_ASK_SECRET,   /* passphrase, one-time code: never stored */
    KEEPER_ASK_PASSWORD, /* the tunnel's password: the store is asked first */
    KEEPER_ASK_LINE,     /* echoed: a user name, or what a server wants to have echoed */
    KEEPER_ASK_YES,      /* answer "yes" or anything else; with echo */
};

#endif
