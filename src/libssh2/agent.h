/* SPDX-License-Identifier: MIT */
/*
 * A client of ssh-agent (draft-ietf-sshm-ssh-agent): lists its keys and requests signatures. libssh2's own
 * client is not used, because version 1.10 cannot request RSA with SHA-2 and blocks until the answer. There
 * is one connection per request; the answer comes by callback, because an agent may ask the user before it
 * signs.
 */
#ifndef LIBSSH2_AGENT_H
#define LIBSSH2_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

#define AGENT_ANSWER_MAX (256u << 10)
#define AGENT_KEYS_MAX 256u

/* --- building requests and parsing answers; pure --- */

/* Append SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENTC_SIGN_REQUEST, each preceded by its length. RSA keys
 * sign with rsa-sha2-512. */
void agent_put_list(struct buf *out);
void agent_put_sign(struct buf *out, const void *blob, size_t blob_length, const void *data, size_t length);

/* Parses an answer (without its length) and calls key() for each key. Returns false if it is invalid. */
bool agent_parse_keys(const unsigned char *answer, size_t n,
                      void (*key)(void *context, const unsigned char *blob, size_t length,
                                  const char *comment, size_t comment_length),
                      void *context);
/* Gets the signature without the name of its algorithm; it points into the answer. Returns false if the
 * answer is invalid. */
bool agent_parse_signature(const unsigned char *answer, size_t n, const unsigned char **signature,
                           size_t *length);

/* --- asking --- */

struct agent_call;

/* Sends a request to the agent at `path`. done() gets the answer, or NULL if none arrived by the deadline; it
 * is never called before agent_ask() returns. Returns NULL if there is no agent. */
struct agent_call *agent_ask(const char *path, const struct buf *question, int64_t deadline,
                             void (*done)(void *context, const unsigned char *answer, size_t n),
                             void *context);
/* Frees the request; done() is not called any more. `call` may be NULL. */
void agent_forget(struct agent_call *call);

#endif
