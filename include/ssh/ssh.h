/* SPDX-License-Identifier: MIT */
/*
 * SSH tunnels (`type = ssh`). There are two implementations, called engines: src/libssh2 (in this process)
 * and src/openssh (the system's ssh). This header is what they share with keeper/ssh.c (settings, choice of
 * the engine) and host_key.c (host keys). Engines answer by callback, perhaps before the call returns. A
 * stream through the tunnel ends at the target's endpoint: host and port, or a unix socket on the SSH server.
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
    SSH_STRICT_ASK,        /* ssh's default: the user is asked about an unknown host key */
    SSH_STRICT_YES,        /* an unknown host key is refused */
    SSH_STRICT_ACCEPT_NEW, /* an unknown host key is added without a question */
    SSH_STRICT_NO,         /* treated as SSH_STRICT_ACCEPT_NEW: a changed key is never accepted */
};

/* The settings of an SSH session: the tunnel's keys, then what `ssh -G` printed, then ssh's own defaults.
 * Paths are absolute, tokens (%h, ~) are expanded. NULL or empty: not set. They live as long as the
 * process. */
struct ssh_settings {
    const struct target *target;
    char *alias; /* the host as the user wrote it: `ssh ALIAS` */
    char *host;  /* the host name or address that is dialled */
    unsigned port;
    char *user;
    char *host_key_alias; /* the name in known_hosts instead of `host` */

    struct words identity_files; /* in the order in which they are offered; they need not exist */
    bool identity_given;         /* the first one is the tunnel's `identity`, offered before all others */
    bool identities_only;        /* use only those of the agent's keys that are in identity_files */
    char *identity_agent;        /* socket of the agent, also from $SSH_AUTH_SOCK; NULL: none */
    struct words certificate_files;
    char *pkcs11_provider; /* NULL if ssh_config says "none" */

    struct words user_known_hosts, global_known_hosts; /* lists of files */
    enum ssh_strictness strict;
    bool hash_known_hosts;
    char *log_level;

    char *proxy_jump, *proxy_command; /* NULL if ssh_config says "none" */
    char *control_path;               /* with tokens expanded; NULL if ssh_config says "none" */
    bool compression;

    /* Comma-separated lists as printed by `ssh -G`; NULL: the engine's defaults. */
    char *ciphers, *macs, *kex, *host_key_algorithms, *pubkey_algorithms;
    unsigned rsa_bits; /* minimal size of a user's RSA key */

    char *preferred_authentications; /* comma-separated; NULL: publickey,keyboard-interactive,password */
    bool publickey, keyboard_interactive, password;
    bool gssapi;               /* GSSAPI is allowed, and the user has a ticket */
    unsigned password_prompts; /* ssh's NumberOfPasswordPrompts, 3 if unset */

    int64_t keepalive;       /* ms; 0: no keep-alives */
    int64_t connect_timeout; /* ms, for one hop: the tunnel's key, or ssh's ConnectTimeout, or the target's */
    char *bind_address, *address_family; /* from ssh -G; can() fails if the engine does not support them */
    bool has_fork_option;                /* this ssh has ForkAfterAuthentication: since 8.7 */
    char *unknown;                       /* an option that broker does not know; NULL: none */
    const char *beyond; /* an option that only the system's ssh supports, "RevokedHostKeys"; NULL: none */
};

/* How many times within `keepalive` the session is checked for received data. If none has arrived, an answer
 * is requested; after the same number of further checks without data the session is lost: after 1.5 times
 * `keepalive`. */
enum { SSH_LOOKS = 2 };

struct ssh_engine {
    const char *name; /* the name of the engine, "libssh2" */
    /* Returns whether the engine supports the settings, as far as this can be known without dialling. If not,
     * `why` is the reason, as a text after "libssh2 does not support it: ": "ProxyJump", "a certificate for
     * ~/.ssh/id". May read the key files. */
    bool (*can)(const struct ssh_settings *s, struct buf *why);
    /* Connects, checks the host key and logs in. Called before READY, so it may ask the user. The result is
     * reported by opened(NULL, NULL): logged in; opened(NULL, why): this server needs something that the
     * engine does not support, found before any attempt to log in (the engine is then closed and another may
     * be tried); opened(e, NULL): failed. */
    void (*open)(const struct ssh_settings *s, void (*opened)(const struct err *e, const char *why));
    /* See struct tunnel_kind. */
    void (*handoff)(struct handoff *h);
    void (*cancel)(struct handoff *h);
    bool (*heard)(struct handoff *h);
    bool (*is_up)(void);
    void (*close)(void);
};
extern const struct ssh_engine ssh_libssh2, ssh_openssh;

/* Returns whether a running ssh of the user (ControlMaster) can be used instead of a login: a process of this
 * user listens at ControlPath, the tunnel sets neither ssh_engine nor identity, and the endpoint is not a
 * unix socket. */
bool ssh_has_master(const struct ssh_settings *s);

/* --- messages: errors.c */

/* Returns the ssh command to show in hints: "ssh -p 2222 acme@bastion.example.com". Valid until the next
 * call. */
const char *ssh_try(const struct ssh_settings *s);
/* Returns the user and host: "acme@bastion.example.com". Valid until the next call. */
const char *ssh_who(const struct ssh_settings *s);
/* Returns whether the user's LogLevel is below INFO: messages that ssh would suppress are then not shown. */
bool ssh_is_quiet(const struct ssh_settings *s);
/* Returns the dialled address: "203.0.113.7:22", "[::1]:22". Valid until the next call. */
const char *ssh_where(const struct ssh_settings *s);
/* Adds the hint for a refused login: "make ssh USER@HOST work, or set identity in [tunnel NAME]". Returns
 * -1. */
int ssh_hint_login(const struct ssh_settings *s, struct err *e);
/* Sets the error of a host that did not answer in time: "bastion:22: no answer within 10s". Returns -1. */
int ssh_silent(const struct ssh_settings *s, struct err *e);
/* Adds a detail to the error of a refused login: "key ~/.ssh/id: 3 wrong passphrases". */
void ssh_add_wrong(const char *path, size_t n, unsigned times, struct err *e);
/* Sets the error of a stream that the SSH server neither opened nor refused in time: "2013 db:3306: no answer
 * within 10s". */
void ssh_silent_stream(const struct ssh_settings *s, struct err *e);
/* Sets the error of a server that answered, but where the login did not finish in time: "acme@bastion: not
 * logged in within 2m". Returns -1. */
int ssh_not_let_in(const struct ssh_settings *s, struct err *e);
/*
 * Sets the error of a stream that the SSH server did not open, from the server's text ("Connection refused",
 * "Name or service not known", "administratively prohibited: open failed"; NULL or "": none): "2003 db:3306:
 * connection refused". Returns -1.
 */
int ssh_refused_stream(const struct ssh_settings *s, const char *words, struct err *e);

/* --- host keys: host_key.c */

/*
 * Gets the types of key ("ssh-ed25519") that the known_hosts files have for this host (host_key_alias, or
 * host, with the port if it is not 22), each once, in the order of the files: a known key should be
 * negotiated. Revoked keys are not included. *authority becomes true if a @cert-authority line matches the
 * host. Missing files count as empty; invalid lines are ignored.
 */
void host_key_types(const struct ssh_settings *s, struct words *types, bool *authority);

/*
 * Checks the host key that the server has proved to have. `blob` is in the format of RFC 4253 section 6.6,
 * `address` is the peer's, "203.0.113.7". Returns 0 if the key is known, or if the user has just accepted it
 * and it was added. Returns -1 with ERR_REFUSED (the key is changed, revoked, or unknown and not accepted) or
 * ERR_LOGIN (the user cannot be asked), with ssh's own texts. Asks only before READY, with the target's
 * ask(), and adds the time for the answer to *deadline.
 */
int host_key_check(const struct ssh_settings *s, const char *address, const void *blob, size_t n,
                   int64_t *deadline, struct err *e);

/* Sets the errors of host_key_check() if the system's ssh has checked the key. `name` is as in known_hosts,
 * `label` "ED25519", `print` "SHA256:..." or NULL. Returns -1. */
enum host_key_refusal { HOST_KEY_CHANGED, HOST_KEY_REVOKED, HOST_KEY_UNKNOWN, HOST_KEY_NOT_ACCEPTED };
int host_key_refuse(const struct ssh_settings *s, enum host_key_refusal why, const char *name,
                    const char *label, const char *print, struct err *e);

#endif
