/* The questions of the system's ssh, taken to broker while somebody is there, answered from memory
 * afterwards. */
#ifndef OPENSSH_ASK_H
#define OPENSSH_ASK_H

#include <base/err.h>
#include <base/proc.h>
#include <ssh/ssh.h>

/* What a prompt wants, from its words alone: ssh tells no more. */
enum ask_kind {
    ASK_YES,      /* about a host key, or a permission */
    ASK_PASSWORD, /* of the tunnel's own user and host */
    ASK_KEPT,     /* a passphrase, or another host's password: the same the next time */
    ASK_ONCE,     /* anything else: a code that is another one the next time */
};
enum ask_kind ask_classify(const char *prompt, const char *hint, const struct ssh_settings *s);

/* Listens for broker-askpass, on a socket of this folder. */
int ask_open(const char *folder, struct err *e);
/* What the ssh needs to find it. */
void ask_environment(struct env_changes *env);
/* Names the keys whose passphrase was wrong as often as it is asked for in a login. */
void ask_add_wrong(const struct ssh_settings *s, struct err *e);
/* A login of processes of that group begins; the time that a person takes is added to *deadline. give_up()
 * where a question has no answer and ssh would go on without one. */
void ask_begin(const struct ssh_settings *s, int64_t *deadline, void (*give_up)(void));
void ask_for_group(pid_t group);
/* It has ended. True: a question had no answer, which is why it failed, if it did. */
bool ask_end(struct err *e);
/* Whether a login needed what only a person has, so that there cannot be another. */
bool ask_needed_person(void);
/* The last host key that was asked about, as ssh has put it: "", "" where none was. */
void ask_host_key(char name[300], char label[32], char print[64]);
void ask_close(void);

#endif
