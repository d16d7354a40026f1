/* SPDX-License-Identifier: MIT */
/* Calls Vault's HTTP API through broker-http. */
#ifndef VAULT_CALL_H
#define VAULT_CALL_H

#include <stddef.h>

#include <ipc/http.h>
#include <model/json.h>
#include <vault/vault.h>

struct vault_call {
    const char *method;
    const char *path;           /* the part of the path after /v1/, percent-encoded, with its query */
    const struct secret *token; /* the token to send; NULL: none */
    json_t *body;               /* the JSON body, which belongs to the caller; NULL: none */
    const char *const *want;    /* paths in the JSON response; the answer's fields have the same indexes */
    size_t want_count;
    const char *list; /* the path of a list of texts, whose field has the index want_count; NULL: none */
};

/* An error response of Vault. */
struct vault_refusal {
    unsigned status;  /* the HTTP status; 0: there was no response */
    char words[1024]; /* Vault's error messages in one line, sanitised */
};

/*
 * Returns 0 if the status is 2xx. Otherwise returns -1, fills *why and sets ERR_REFUSED with Vault's own
 * message, ERR_TRY_LATER if Vault is sealed, throttles or is down, ERR_PROTOCOL for a redirect, or
 * ERR_UNREACHABLE. Retries if that may help. `mints`: the request creates something, so it is not retried if
 * it may have been processed.
 */
int vault_call(const struct vault *v, const struct vault_call *c, bool mints, int64_t deadline,
               struct http_answer *answer, struct vault_refusal *why, struct err *e);

/* Returns a number in an answer, or `absent` if there is none. */
unsigned long vault_number(const struct http_answer *a, unsigned want, unsigned long absent);

/* Moves a field out of the answer. Returns NULL if it is missing or empty. */
struct secret *vault_take_field(struct http_answer *a, unsigned want);

/* Returns a secret as a JSON string; NULL if it is not UTF-8. */
json_t *vault_json_secret(const struct secret *s);

#endif
