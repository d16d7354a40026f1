/* SPDX-License-Identifier: MIT */
/* A way to log in: one file src/vault/method_ID.c and one row of methods.def. */
#ifndef VAULT_METHOD_H
#define VAULT_METHOD_H

#include <vault/vault.h>

enum vault_person {
    VAULT_PERSON_NONE,
    VAULT_PERSON_ASKED,   /* answers a question */
    VAULT_PERSON_BROWSES, /* logs in with a browser */
};

struct vault_method {
    const char *name;
    bool has_no_mount;
    enum vault_person person; /* whom login() needs */
    bool is_given;            /* it makes no token: one lies somewhere already, and is not ours */
    /* What is missing before anything is asked: ERR_CONFIG. NULL: nothing can be. */
    int (*check)(const struct vault *v, struct err *e);
    /* Whose token it would be, for the identity of what is kept; NULL: the role and the mount say it. */
    const char *(*who)(const struct vault *v);
    /* The token, by the deadline. */
    int (*login)(const struct vault *v, int64_t deadline, struct vault_token *out, struct err *e);
};

#define METHOD(id) extern const struct vault_method vault_method_##id;
#include "methods.def"

/* By the word of vault_auth; NULL: none. */
const struct vault_method *vault_method_find(const char *name);

/* ERR_CONFIG where the key is not set. */
int vault_method_wants(const char *value, enum key key, const struct vault *v, struct err *e);

/*
 * The first line of the file that a key names. ERR_CONFIG where it is not there, others can read it, or what
 * it holds cannot be in a header.
 */
int vault_read_file(const char *path, enum key key, struct secret **out, struct err *e);

/* Asks a person, for userpass and ldap, and logs in with the answer. */
int vault_login_with_password(const struct vault *v, int64_t deadline, struct vault_token *out,
                              struct err *e);

#endif
