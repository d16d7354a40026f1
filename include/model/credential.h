/* What a provider gives: user, password, when it ends, and whether the server must get it in clear. */
#ifndef MODEL_CREDENTIAL_H
#define MODEL_CREDENTIAL_H

#include <stdbool.h>
#include <time.h>

#include <base/secret.h>

struct credential {
    char *user;              /* NULL: the profile's; Vault makes its own */
    struct secret *password; /* NULL: the client's own files decide */
    time_t expires_at;       /* 0: does not expire */
    char *lease_id;
    bool cleartext;
    bool asked;    /* typed by a person just now */
    bool keepable; /* and its provider can keep it */
    /* Asked of login(): a browser or device flow may be started; whatever is cached, do now what a person is
     * needed for. */
    bool may_log_in, wants_login;
    /* What login() says of it: a person logged in just now, and when one will be needed again (0: never, or
     * not known). */
    bool logged_in;
    time_t login_expires_at;
    /* What the provider's login() left: who it logged in as, in a few words (NULL: it has none, or it was not
     * done yet), and what get() needs of it. */
    char *login;
    void *login_state;
    void (*login_free)(void *state);
};

void credential_release(struct credential *c);
#define AUTO_CREDENTIAL(name) __attribute__((cleanup(credential_release))) struct credential name = {0}

#endif
