/* SPDX-License-Identifier: MIT */
/*
 * docker's credential helper protocol, which podman and others share: one JSON object or a bare server URL on
 * stdin, one JSON object or a line of text on stdout. Written to the byte as the helpers in Go write it.
 * https://github.com/docker/docker-credential-helpers
 */
#ifndef PROTOCOL_DOCKER_H
#define PROTOCOL_DOCKER_H

#include <stdbool.h>
#include <stddef.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/secret.h>
#include <base/text.h>

/* What docker recognises on stdout, word for word. */
#define DOCKER_NOT_FOUND "credentials not found in native keychain"
#define DOCKER_NO_URL "no credentials server URL"
#define DOCKER_NO_USER "no credentials username"

#define DOCKER_INPUT_MAX (1024 * 1024)

struct docker_credential {
    char *url, *username;
    struct secret *secret;
};
void docker_release(struct docker_credential *c);
#define AUTO_DOCKER(name) __attribute__((cleanup(docker_release))) struct docker_credential name = {0}

/* Reads what `store` gets. ERR_DATA with the text that docker expects. */
int docker_parse(const char *text, size_t n, struct docker_credential *out, struct err *e);
/* Appends the answer to `get`. ERR_DATA for a secret that is not UTF-8. */
int docker_print(const struct docker_credential *c, struct buf *out, struct err *e);
/* Appends the answer to `list`: {URL: USERNAME}, sorted. */
void docker_print_list(const struct docker_credential *list, size_t count, struct buf *out);
/* The server URL of `get` and `erase`: without white space at its ends. Malloced; NULL: there is none, with
 * DOCKER_NO_URL. */
char *docker_url(const char *text, size_t n, struct err *e);
/* Whether a server URL is that of a database. */
bool docker_is_database(const char *url);

/* The name of an entry in a store: docker:URL;user=USER, encoded; and how those of one URL begin. Malloced.
 */
#define DOCKER_IDENTITY "docker:"
char *docker_identity(const char *url, const char *username);
char *docker_identity_prefix(const char *url);
/* Fills url and username; false for the name of another entry. */
bool docker_identity_parse(const char *identity, struct docker_credential *out);

#endif
