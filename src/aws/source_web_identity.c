/* SPDX-License-Identifier: MIT */
/* `web_identity_token_file`: assumes a role with the token of another identity provider. Another program
 * renews the file, so it is read for each request; the token is sent unchanged. */
#include <aws/source.h>

#include <base/file.h>
#include <base/mem.h>
#include <model/jwt.h>

#include "sts.h"

#define TOKEN_MOST 65536
#define FORM_MOST (4 * TOKEN_MOST)

static int no_token(const struct aws_step *step, struct err *e)
{
    (void)sts_name_role(step, e);
    return err_hint(e, "check %s", step->profile ? "web_identity_token_file" : "AWS_WEB_IDENTITY_TOKEN_FILE");
}

/* The token itself cannot be compared because it is renewed every hour, nor can its path, because every pod
 * has a token at the same path. So its issuer and subject are used. */
static int web_identity_proof(const struct aws_context *c, const struct aws_step *step, char **place,
                              int64_t deadline, struct buf *out)
{
    AUTO_BUF(token, TOKEN_MOST);
    AUTO_FREE(char *, path);
    struct err ignored = ERR_INIT;

    (void)c;
    (void)place;
    (void)deadline;
    path = path_expand(step->token_file);
    return file_read(path, FILE_ANY, &token, &ignored) == 0 && jwt_add_subject(buf_str(&token), out) ? 0 : 1;
}

static int web_identity_get(const struct aws_context *c, const struct aws_step *step,
                            const struct aws_keys *before, int64_t deadline, struct aws_keys *out,
                            struct err *e)
{
    const struct sts_role role = {.context = c,
                                  .step = step,
                                  .action = "AssumeRoleWithWebIdentity",
                                  .retry_code = "IDPCommunicationError"};
    AUTO_BUF(form, FORM_MOST);
    AUTO_BUF(token, TOKEN_MOST);
    AUTO_BUF(who, TOKEN_MOST);
    AUTO_FREE(char *, path);
    struct aws_refusal why = {0};

    (void)before;
    path = path_expand(step->token_file);
    int got = file_read(path, FILE_ANY, &token, e);
    if (got < 0)
        return no_token(step, e);
    if (got > 0 || token.len == 0) {
        (void)err_set(e, ERR_CONFIG, "the token file %s %s", path, got > 0 ? "does not exist" : "is empty");
        return no_token(step, e);
    }
    sts_form_begin(&form, &role);
    sts_form_add(&form, "WebIdentityToken", buf_str(&token));
    if (sts_assume(&role, &form, deadline, out, &why, e) < 0)
        return -1;
    if (jwt_add_subject(buf_str(&token), &who))
        aws_proof_used(c, step, buf_str(&who), who.len);
    return 0;
}

const struct aws_source aws_source_web_identity = {.get = web_identity_get, .proof = web_identity_proof};
