/* SPDX-License-Identifier: MIT */
/* A login method: a file src/vault/method_ID.c and a row in methods.def. */
#ifndef VAULT_METHOD_H
#define VAULT_METHOD_H

#include <vault/vault.h>

enum vault_person {
    VAULT_PERSON_NONE,
    VAULT_PERSON_ASKED,   /* the user answers a prompt */
    VAULT_PERSON_BROWSES, /* the user logs in with a browser */
};

struct vault_method {
    const char *name;
    bool has_no_mount;
    enum vault_person person; /* how the user takes part in login() */
    bool is_given; /* login() does not create a token, but reads one that another program has stored */
    /* Checks for missing settings before anything is asked. Fails with ERR_CONFIG. May be NULL. */
    int (*check)(const struct vault *v, struct err *e);
    /* Returns the user, or what stands for one, for the identity of the stored token (malloced). NULL: role
     * and mount are enough. */
    char *(*who)(const struct vault *v);
    /* Gets a token by the deadline. */
    int (*login)(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e);
};

#define METHOD(id) extern const struct vault_method vault_method_##id;
#include "methods.def"

/* Returns the method for a value of vault_auth; NULL if it is unknown. */
const struct vault_method *vault_method_find(const char *name);

/* Fails with ERR_CONFIG if `value`, which is that of `key`, is NULL. */
int vault_method_wants(const char *value, enum key key, const struct vault *v, struct err *e);

/*
 * Reads the first line of the file that a key names. Fails with ERR_CONFIG if the file is missing, if other
 * users can read it, or if the line is not valid in an HTTP header.
 */
int vault_read_file(const char *path, enum key key, struct secret **out, struct err *e);

/* Asks the user for a password and logs in with it, for userpass and ldap. */
int vault_login_with_password(const struct vault *v, int64_t deadline, struct vault_token *out,
                              struct err *e);

#endif
