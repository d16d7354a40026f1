/* SPDX-License-Identifier: MIT */
/* The questions of the system's ssh: passed to broker before READY, afterwards answered with stored
 * answers. */
#ifndef OPENSSH_ASK_H
#define OPENSSH_ASK_H

#include <base/err.h>
#include <base/proc.h>
#include <ssh/ssh.h>

/* The kind of a prompt, recognised by its text, because ssh does not give any other information. */
enum ask_kind {
    ASK_YES,      /* a question about a host key, or a permission */
    ASK_PASSWORD, /* the password of the tunnel's own user and host */
    ASK_KEPT,     /* a passphrase, or another host's password: reusable */
    ASK_ONCE,     /* anything else, such as a one-time code */
};
enum ask_kind ask_classify(const char *prompt, const char *hint, const struct ssh_settings *s);

/* Listens for broker-askpass on a socket in this folder. */
int ask_open(const char *folder, struct err *e);
/* Adds the environment variables with which ssh finds broker-askpass and its socket. */
void ask_environment(struct env_changes *env);
/* Adds to `e` the keys whose passphrase was wrong each time in a login. */
void ask_add_wrong(const struct ssh_settings *s, struct err *e);
/* Begins a login; the time that the user takes to answer is added to *deadline. give_up() is called if a
 * question has no answer and ssh would continue without one. ask_for_group() sets the process group of the
 * ssh. */
void ask_begin(const struct ssh_settings *s, int64_t *deadline, void (*give_up)(void));
void ask_for_group(pid_t group);
/* Ends the login. Returns true if a question had no answer, which explains a failure. */
bool ask_end(struct err *e);
/* Returns whether a login needed an answer that cannot be reused, so that a reconnect is not possible. */
bool ask_needed_user(void);
/* Gets the host key of the last question, in ssh's text; empty strings if there was none. */
void ask_host_key(char name[300], char label[32], char print[64]);
void ask_close(void);

#endif
