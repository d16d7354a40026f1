/* SPDX-License-Identifier: MIT */
/* One call of Vault's HTTP API, by broker-http. */
#ifndef VAULT_CALL_H
#define VAULT_CALL_H

#include <stddef.h>

#include <ipc/http.h>
#include <model/json.h>
#include <vault/vault.h>

struct vault_call {
    const char *method;
    const char *path;           /* behind /v1/, percent-encoded, with its query */
    const struct secret *token; /* NULL: sent without one */
    json_t *body;               /* NULL: none; borrowed */
    const char *const *want;    /* paths in the JSON; their numbers in the answer are their indexes here */
    size_t want_count;
    const char *list; /* one more, of a list of texts; its number is want_count. NULL: none */
};

/* What Vault said no with. */
struct vault_refusal {
    unsigned status;  /* 0: no answer came */
    char words[1024]; /* its errors, on one line, fit for a terminal */
};

/*
 * 0: an answer with status 2xx. -1: ERR_REFUSED with Vault's own words, ERR_TRY_LATER where it is sealed,
 * throttles or is down, ERR_PROTOCOL for a redirect, ERR_UNREACHABLE; *why is filled. What another try may
 * mend is tried again; `mints`: but not where the first may have been done.
 */
int vault_call(const struct vault *v, const struct vault_call *c, bool mints, int64_t deadline,
               struct http_answer *answer, struct vault_refusal *why, struct err *e);

/* A number in an answer; `absent` where there is none. */
unsigned long vault_number(const struct http_answer *a, unsigned want, unsigned long absent);

/* Moves a field out of the answer; NULL where it is not there or empty. */
struct secret *vault_take_field(struct http_answer *a, unsigned want);

/* A text of JSON that is secret; NULL where it is no UTF-8. */
json_t *vault_json_secret(const struct secret *s);

#endif
