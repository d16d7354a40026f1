/* SPDX-License-Identifier: MIT */
/*
 * The protocol between broker and broker-keeper, broker's background process, which holds the tunnel and the
 * local listeners of a connection (docs/records.md). The same records are used on two sockets:
 *
 * - the control channel, a stream socket that is the keeper's fds 0 and 1. broker sends OPEN. The keeper may
 *   send any number of ASK, each of which broker answers, and of SAY; then it sends READY (a RECORD_OK) or
 *   an error record. After that, a broker that keeps running (`forward`) may send STOP. A keeper that was
 *   told to stop sends OK first. End of file means that it has ended.
 * - the control socket of a forward: mode 0600, in the runtime directory, for the same user only. It takes
 *   one request (STATUS or STOP) and sends one answer, then closes. STOP is answered once the keeper accepts
 *   no more connections; it closes the socket when it ends.
 *
 * The keeper's fd 3 stands for the client: a pidfd or, without pidfds, a pipe that the client holds open. The
 * keeper ends at once when it becomes readable or is hung up. A detached forward does not have it.
 */
#ifndef IPC_KEEPER_H
#define IPC_KEEPER_H

#include <stdbool.h>

#include <ipc/record.h>

enum {
    KEEPER_OPEN = RECORD_FIRST_VERB,
    KEEPER_ASK,    /* from the keeper: a question to the user; answered by ANSWER or an error record */
    KEEPER_ANSWER, /* the answer to ASK */
    KEEPER_SAY,    /* from the keeper: a line for the log */
    KEEPER_STATUS,
    KEEPER_STOP,
    KEEPER_STAY,    /* to a detached keeper: continue after the control channel is closed. Otherwise it ends
                       then, so that none is left if broker is killed too early */
    KEEPER_SHOWN,   /* before READY: a program of the keeper wrote to the terminal, perhaps a question */
    KEEPER_MARK,    /* after READY: with TEXT, clients get KEEPER_MARKED and TEXT instead of error messages;
                       without, messages again. Answered by the last error under the previous mark, or OK */
    KEEPER_EXPIRES, /* after READY: the clients' credential expires at EXPIRES; no answer */
    KEEPER_CREDENTIAL, /* after READY: a credential to log in with (USER, SECRET, EXPIRES, MADE, STATIC);
                          answered by OK */
};

#define KEEPER_LIVES_FOR_FD 3
/* A pseudo-terminal (master side) for the keeper's programs, relayed by broker until READY; optional. */
#define KEEPER_TERMINAL_FD 4

enum {
    /* In OPEN: */
    KEEPER_TAG_HOST = 1, /* the endpoint's host, from the far end's view; absent with SOCKET */
    KEEPER_TAG_PORT,     /* u64, the endpoint's port */
    KEEPER_TAG_SOCKET,   /* the endpoint's Unix socket at the far end of the tunnel */
    KEEPER_TAG_LISTENER, /* a listener: one byte, enum listener_kind, then an address; may be repeated. READY
                            and STATUS have the actual addresses, in the same order */
    KEEPER_TAG_TLS,      /* u64, enum keeper_tls: what to verify for listeners of LISTENER_TLS */
    KEEPER_TAG_TLS_NAME, /* the name that the certificate must have */
    KEEPER_TAG_TLS_CA,   /* a PEM file of CA certificates */
    KEEPER_TAG_TLS_CERT,
    KEEPER_TAG_TLS_KEY,
    KEEPER_TAG_TLS_CIPHERS, /* a list of ciphers, as in mysql's --ssl-cipher */
    KEEPER_TAG_TLS_VERSION, /* a list of TLS versions: "TLSv1.2,TLSv1.3" */
    KEEPER_TAG_TUNNEL, /* "KEY=VALUE", an effective key of [tunnel]; may be repeated. `type` is always present
                          ("direct" without a tunnel), `name` (of the section) if it has one. Addresses have
                          the form described below; times are whole milliseconds */
    KEEPER_TAG_CONNECT_TIMEOUT, /* u64, milliseconds for each hop */
    KEEPER_TAG_DEADLINE, /* u64, milliseconds until READY, without the time for questions; absent: no limit */
    KEEPER_TAG_DRAIN,    /* u64, milliseconds that open connections get when the keeper stops */
    KEEPER_TAG_FIRST,    /* present: connect before READY, for the first client */
    KEEPER_TAG_NAME,     /* the forward's name, as `status` shows it */
    KEEPER_TAG_CONTROL,  /* the path of the forward's control socket */
    KEEPER_TAG_LOG,      /* the log file for events after READY; also in STATUS */
    KEEPER_TAG_VERBOSE,  /* u64, enum log_level: the level of messages to send as SAY */
    KEEPER_TAG_LABEL,    /* the profile's name, for messages */
    /* In READY and STATUS: */
    KEEPER_TAG_PID,         /* u64, the keeper's process ID */
    KEEPER_TAG_ROUTE,       /* a description: "ssh ec2-user@bastion.example.com:22, libssh2" */
    KEEPER_TAG_STATE,       /* the state of the tunnel, "up" or "lost" */
    KEEPER_TAG_CONNECTIONS, /* u64, the number of open connections */
    KEEPER_TAG_STARTED,     /* u64, time_t: when READY was sent */
    /* In ASK, ANSWER and SAY: */
    KEEPER_TAG_KIND,   /* u64, enum keeper_question: the kind of question */
    KEEPER_TAG_TEXT,   /* the question or log line, sanitised, ready for display; may have several lines */
    KEEPER_TAG_SECRET, /* the answer to a question; may be empty */
    KEEPER_TAG_AGAIN,  /* present: the previous answer was refused */
    KEEPER_TAG_LEVEL,  /* u64, enum log_level: the level of a log line */
    KEEPER_TAG_HOP,    /* the label of a log line, for example the hop */
    /* In OPEN of a forward, and in STATUS: */
    KEEPER_TAG_DIGEST, /* a hash of its settings, which may differ between forwards of the same name */
    /* In OPEN: */
    KEEPER_TAG_LOGIN_TIMEOUT, /* u64, milliseconds for the user to log in, and for each answer */
    /* In ANSWER; in OPEN: */
    KEEPER_TAG_PERSON, /* present in ANSWER: the user gave the answer, so the time for it does not count. In
                          OPEN: a user sees the messages and may act on them */
    /* In OPEN: */
    KEEPER_TAG_TLS_CA_OWN, /* present: TLS_CA is a private CA from the profile, not a list of public CAs */
    KEEPER_TAG_LASTS,      /* present: a long-running forward, so prefer throughput to a quick start */
    /* In EXPIRES and CREDENTIAL: */
    KEEPER_TAG_EXPIRES, /* u64, time_t: when the credential expires; absent: never */
    /* In OPEN of a keeper that logs in (with a listener of LISTENER_LOGIN): */
    KEEPER_TAG_BROKER, /* the path of broker, which the keeper runs for credentials: `credential get` */
    KEEPER_TAG_KEY,    /* "KEY=VALUE", an effective key of the profile, for that request; may be repeated */
    KEEPER_TAG_LOCAL_INFILE,      /* present: the server may request files from the client */
    KEEPER_TAG_SERVER_PUBLIC_KEY, /* present: the server's RSA key may be requested without TLS */
    KEEPER_TAG_OWN_SOCKET,   /* present, also if it does not log in: the endpoint is the server's own Unix
                                socket */
    KEEPER_TAG_STOCK_CLIENT, /* present: a stock client, which cancels a query by a second connection as the
                                same user */
    KEEPER_TAG_REVOKE,       /* present: the keeper runs `credential erase` when it ends */
    /* In OPEN and STATUS of a forward; in CREDENTIAL: */
    KEEPER_TAG_USER, /* in OPEN and STATUS the user name for clients (any is accepted), in CREDENTIAL the user
                        on the server (absent: that of OPEN). SECRET is the matching password: that for
                        clients at a TCP port, made for this run, or that on the server */
    KEEPER_TAG_MADE, /* u64, time_t: when the user was created on the server; absent: not known */
    KEEPER_TAG_STATIC, /* present: the credential cannot be fetched again, so the keeper stores it */
};

/*
 * Local addresses. The text form is "/PATH" (a socket that the keeper creates with mode 0600; an existing
 * file is not replaced) or "PORT HOST", where HOST is an IP address without brackets, and PORT 0 means any
 * free port. KEEPER_LOCALHOST means 127.0.0.1 and, if the machine has IPv6, ::1 at the same port.
 */
#define KEEPER_LOCALHOST "localhost"

enum listener_kind {
    LISTENER_BYTES = 'b', /* forwards bytes unchanged */
    LISTENER_TLS = 't',   /* cleartext to the client; the keeper uses TLS to the server */
    LISTENER_OURS = 'o',  /* like LISTENER_TLS, but only for processes of the same user, even at a TCP port */
    LISTENER_LOGIN = 'l', /* cleartext to the client; the keeper uses TLS and logs in. Only for processes of
                             the same user; at a TCP port they also need the password in OPEN */
};

struct local_address {
    enum listener_kind kind;
    char *path, *host; /* the path of a socket, or an IP address; the other one is NULL */
    unsigned port;
};
void local_address_release(struct local_address *listener);
/* Adds a listener to a record as a KEEPER_TAG_LISTENER. */
void local_address_put(struct record *r, const struct local_address *listener);
/* Parses a KEEPER_TAG_LISTENER; path or host is malloced. Returns false if it is invalid. */
bool local_address_take(const struct field *f, struct local_address *listener);

/* Sets *out to the directory of the forwards' control sockets, in the runtime directory (malloced). Creates
 * it with mode 0700. Fails with ERR_CONFIG if it belongs to another user or has other permissions, and with
 * ERR_IO. */
int keeper_folder(char **out, struct err *e);

/* Appends an address in its text form. */
void keeper_address_put(struct buf *out, const char *path, const char *host, unsigned port);
/* Parses an address; *path or *host is malloced, the other NULL. Returns false if it is invalid. */
bool keeper_address_take(const char *text, char **path, char **host, unsigned *port);

/* The prefix for an error that the server sent before TLS was set up, because an attacker on the network can
 * have sent it. */
#define KEEPER_UNVERIFIED "unverified, before TLS: "

/* The prefix for a mark. The mark is a secret between broker and the keeper, so it proves who wrote the
 * text. */
#define KEEPER_MARKED "broker "

/* The TLS levels. The first two are only for LISTENER_LOGIN: no TLS, and TLS without verification if the
 * server offers it. */
enum keeper_tls {
    KEEPER_TLS_NONE,
    KEEPER_TLS_OFFERED,
    KEEPER_TLS_ENCRYPT,
    KEEPER_TLS_CHAIN,
    KEEPER_TLS_NAME
};

enum keeper_question {
    KEEPER_ASK_SECRET,   /* a passphrase or one-time code; never stored */
    KEEPER_ASK_PASSWORD, /* the tunnel's password; the keychain is tried first */
    KEEPER_ASK_LINE,     /* a text that is shown while typed: a user name, or what an SSH server asks for */
    KEEPER_ASK_YES,      /* a confirmation, shown while typed: "yes", or anything else for no */
};

#endif
