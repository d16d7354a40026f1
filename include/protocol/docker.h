/* SPDX-License-Identifier: MIT */
/*
 * Docker's credential helper protocol, which podman and others use too: stdin is a JSON object or a server
 * URL, stdout a JSON object or a line of text. The output is byte for byte that of the helpers written in Go.
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

/* Error texts that docker recognises on stdout. */
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

/* Parses the input of `store`. Fails with ERR_DATA and a text that docker recognises. */
int docker_parse(const char *text, size_t n, struct docker_credential *out, struct err *e);
/* Appends the output of `get`. Fails with ERR_DATA if the secret is not UTF-8. */
int docker_print(const struct docker_credential *c, struct buf *out, struct err *e);
/* Appends the output of `list`: {URL: USERNAME}, sorted. */
void docker_print_list(const struct docker_credential *list, size_t count, struct buf *out);
/* Returns the server URL in the input of `get` and `erase`, without surrounding white space. The caller frees
 * it. Returns NULL with DOCKER_NO_URL if it is empty. */
char *docker_url(const char *text, size_t n, struct err *e);
/* Returns whether a server URL is that of a MySQL database. */
bool docker_is_database(const char *url);

/* docker_identity() returns the identity under which an entry is stored: docker:URL;user=USER, with both
 * parts percent-encoded. docker_identity_prefix() returns the prefix of all identities for a URL. The caller
 * frees them. */
#define DOCKER_IDENTITY "docker:"
char *docker_identity(const char *url, const char *username);
char *docker_identity_prefix(const char *url);
/* Sets url and username from an identity; returns false if it is of another kind. */
bool docker_identity_parse(const char *identity, struct docker_credential *out);

#endif
