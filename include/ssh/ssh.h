/* SPDX-License-Identifier: MIT */
/*
 * The tunnel kind `ssh`, between its parts: keeper/ssh.c (the kind: settings, which engine), known_hosts.c
 * (host keys), and the two engines, src/libssh2 and src/openssh. Engines answer by callback, perhaps before
 * the call returns; what they carry ends at the target's endpoint: host and port, or socket on the far side.
 */
#ifndef SSH_SSH_H
#define SSH_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/text.h>
#include <tunnel/tunnel.h>

enum ssh_strictness {
    SSH_STRICT_ASK,        /* ssh's default: an unknown host key is asked about */
    SSH_STRICT_YES,        /* refused */
    SSH_STRICT_ACCEPT_NEW, /* added without a question */
    SSH_STRICT_NO,         /* treated as SSH_STRICT_ACCEPT_NEW: a changed key is never accepted */
};

/* What is asked of a session: the tunnel's keys, then what `ssh -G` said, then ssh's own defaults. Paths are
 * absolute, tokens (%h, ~) expanded. NULL or empty: not set. Lives lives as long as the process. */
struct ssh_settings {
    const struct target *target;
    char *alias; /* the host as the user wrote it: `ssh ALIAS` */
    char *host;  /* what is dialled */
    unsigned port;
    char *user;
    char *host_key_alias; /* the name in known_hosts in place of host */

    struct words identity_files; /* in the order of offering; they need not exist */
    bool identity_given;         /* the first one is the tunnel's `identity`, offered before all others */
    bool identities_only;        /* of the agent's keys, only those in identity_files */
    char *identity_agent;        /* socket of the agent, also from $SSH_AUTH_SOCK; NULL: none */
    struct words certificate_files;
    char *pkcs11_provider; /* NULL for "none" */

    struct words user_known_hosts, global_known_hosts; /* files */
    enum ssh_strictness strict;
    bool hash_known_hosts;
    char *log_level;

    char *proxy_jump, *proxy_command; /* NULL for "none" */
    char *control_path;               /* expanded; NULL for "none" */
    bool compression;

    /* Comma lists as printed by `ssh -G`; NULL: the engine's defaults. */
    char *ciphers, *macs, *kex, *host_key_algorithms, *pubkey_algorithms;
    unsigned rsa_bits; /* the minimal size of a user's RSA key */

    char *preferred_authentications; /* comma list; NULL: publickey,keyboard-interactive,password */
    bool publickey, keyboard_interactive, password;
    bool gssapi;               /* allowed, and there is a ticket */
    unsigned password_prompts; /* ssh's NumberOfPasswordPrompts, 3 if unset */

    int64_t keepalive;       /* ms; 0: none */
    int64_t connect_timeout; /* ms, for one hop: the tunnel's key, ssh's ConnectTimeout, the target's */
    char *bind_address, *address_family; /* from ssh -G; can() reports if the engine cannot do this */
    bool has_fork_option;                /* this ssh has ForkAfterAuthentication: from 8.7 on */
    char *unknown;                       /* a key that is not understood, if it is that */
    const char *beyond; /* another option that only the system's ssh supports: "RevokedHostKeys"; NULL */
};

/* How often, within `keepalive`, the session is checked for received data. If none has arrived, an answer is
 * requested, and after as many more checks without data the session is lost: after 1.5 times `keepalive`. */
enum { SSH_LOOKS = 2 };

struct ssh_engine {
    const char *name; /* "libssh2" */
    /* Whether it supports the settings, as far as this can be known without dialling; if not, why, as a text
     * after "libssh2 does not support it: ": "ProxyJump", "a certificate for ~/.ssh/id". May read the key
     * files. */
    bool (*can)(const struct ssh_settings *s, struct buf *why);
    /* Connects, checks the host key, logs in; before READY, so it may ask. opened(NULL, NULL): logged in.
     * opened(NULL, why): this server needs something that the engine does not support, found before any
     * attempt to log in; the engine is then closed and another may be tried. opened(e, NULL): failed. */
    void (*open)(const struct ssh_settings *s, void (*opened)(const struct err *e, const char *why));
    /* As struct tunnel_kind has them. */
    void (*handoff)(struct handoff *h);
    void (*cancel)(struct handoff *h);
    bool (*heard)(struct handoff *h);
    bool (*is_up)(void);
    void (*close)(void);
};
extern const struct ssh_engine ssh_libssh2, ssh_openssh;

/* Whether the user's own master can be used in place of a log-in: at ControlPath, a process of our user, if
 * the tunnel sets neither ssh_engine nor identity, and the far end is not a unix socket. */
bool ssh_has_master(const struct ssh_settings *s);

/* --- words: errors.c */

/* The same as a command for hints: "ssh -p 2222 acme@bastion.example.com". Valid until the next call. */
const char *ssh_try(const struct ssh_settings *s);
/* Who logs in where: "acme@bastion.example.com". Until the next call. */
const char *ssh_who(const struct ssh_settings *s);
/* Whether its LogLevel is below INFO: messages that ssh would suppress are not shown. */
bool ssh_is_quiet(const struct ssh_settings *s);
/* The dialled address: "203.0.113.7:22", "[::1]:22". Valid until the next call. */
const char *ssh_where(const struct ssh_settings *s);
/* The hint for a login that was refused: "make ssh USER@HOST work, or set identity in [tunnel NAME]". -1. */
int ssh_hint_login(const struct ssh_settings *s, struct err *e);
/* The host did not answer in time: "bastion:22: no answer within 10s". -1. */
int ssh_silent(const struct ssh_settings *s, struct err *e);
/* A detail of a login that was refused: "key ~/.ssh/id: 3 wrong passphrases". */
void ssh_add_wrong(const char *path, size_t n, unsigned times, struct err *e);
/* A stream that the far side neither opened nor refused in time: "2013 db:3306: no answer within 10s". */
void ssh_silent_stream(const struct ssh_settings *s, struct err *e);
/* It answered, but the login was not finished in time: "acme@bastion: not logged in within 2m". Returns -1.
 */
int ssh_not_let_in(const struct ssh_settings *s, struct err *e);
/*
 * The error of a stream that the far side did not open, from its text ("Connection refused", "Name or service
 * not known", "administratively prohibited: open failed"; NULL or "": none): "2003 db:3306: connection
 * refused". Returns -1.
 */
int ssh_refused_stream(const struct ssh_settings *s, const char *words, struct err *e);

/* --- host keys: host_key.c */

/*
 * The types of key ("ssh-ed25519") under which the known_hosts files have this host (its host_key_alias, or
 * host, with the port where that is not 22), each once, in the order of the files: what is known should be
 * what is negotiated. Revoked ones are left out. *authority: a @cert-authority line matches the host. Files
 * that are not there are empty; lines that mean nothing are passed over.
 */
void host_key_types(const struct ssh_settings *s, struct words *types, bool *authority);

/*
 * Judges the key that the server has proved to hold: `blob` as in RFC 4253 section 6.6. `address`: the
 * peer's, "203.0.113.7". 0: known, or a person has just accepted it and it was added. -1: ERR_REFUSED
 * (changed, revoked, unknown and not accepted) or ERR_LOGIN (nobody can be asked), in ssh's own words. Asks
 * before READY only, by the target's ask(), and adds the time to *deadline.
 */
int host_key_check(const struct ssh_settings *s, const char *address, const void *blob, size_t n,
                   int64_t *deadline, struct err *e);

/* The same refusals if the system's ssh has checked the key: `name` as known_hosts has it, `label` "ED25519",
 * `print` "SHA256:..." or NULL. -1. */
enum host_key_refusal { HOST_KEY_CHANGED, HOST_KEY_REVOKED, HOST_KEY_UNKNOWN, HOST_KEY_NOT_ACCEPTED };
int host_key_refuse(const struct ssh_settings *s, enum host_key_refusal why, const char *name,
                    const char *label, const char *print, struct err *e);

#endif
