/*
 * A client of ssh-agent (draft-ietf-sshm-ssh-agent): its list of keys, and signatures. Ours, because
 * libssh2 1.10 cannot ask for RSA with SHA-2 and waits for the answer. One connection for each question,
 * answered by callback: an agent may ask its person before it signs.
 */
#ifndef LIBSSH2_AGENT_H
#define LIBSSH2_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <base/buf.h>

#define AGENT_ANSWER_MAX (256u << 10)
#define AGENT_KEYS_MAX 256u

/* --- the form of questions and answers; pure --- */

/* SSH_AGENTC_REQUEST_IDENTITIES and SSH_AGENTC_SIGN_REQUEST, with their length in front. RSA keys are asked
 * for rsa-sha2-512. */
void agent_put_list(struct buf *out);
void agent_put_sign(struct buf *out, const void *blob, size_t blob_length, const void *data, size_t length);

/* An answer without its length: calls back for each key. False where it is none. */
bool agent_parse_keys(const unsigned char *answer, size_t n,
                      void (*key)(void *context, const unsigned char *blob, size_t length,
                                  const char *comment, size_t comment_length),
                      void *context);
/* The signature proper, without the name of its algorithm; a part of the answer. */
bool agent_parse_signature(const unsigned char *answer, size_t n, const unsigned char **signature,
                           size_t *length);

/* --- asking --- */

struct agent_call;

/* Sends the question to the agent behind `path`. done() gets the answer, NULL where there was none by the
 * deadline; never before this returns. NULL: there is no agent. */
struct agent_call *agent_ask(const char *path, const struct buf *question, int64_t deadline,
                             void (*done)(void *context, const unsigned char *answer, size_t n),
                             void *context);
/* No callback any more; NULL is fine. */
void agent_forget(struct agent_call *call);

#endif
