/* SPDX-License-Identifier: MIT */
/* `web_identity_token_file`: assumes a role with the token of another identity provider. Another program
 * renews the file, so it is read for each request; the token is sent unchanged. */
#include <aws/source.h>

#include <string.h>

#include <sodium.h>

#include <base/file.h>
#include <base/mem.h>
#include <model/identity.h>

#include "cache_file.h"
#include "sts.h"

#define TOKEN_MOST 65536
#define FORM_MOST (4 * TOKEN_MOST)

static int no_token(const struct aws_step *step, struct err *e)
{
    (void)sts_name_role(step, e);
    return err_hint(e, "check %s", step->profile ? "web_identity_token_file" : "AWS_WEB_IDENTITY_TOKEN_FILE");
}

/* Returns the claims of a JWT, which are its second part; NULL if the text is not a JWT. */
static json_t *claims_of(const char *token)
{
    const char *from = strchr(token, '.'), *to = from ? strchr(from + 1, '.') : NULL;
    AUTO_BUF(text, TOKEN_MOST);
    size_t n = 0;

    char *room = to ? buf_room(&text, TOKEN_MOST) : NULL;
    if (!room || sodium_base642bin((unsigned char *)room, TOKEN_MOST, from + 1, (size_t)(to - from) - 1, "=",
                                   &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
        return NULL;
    buf_grew(&text, n);
    return cache_file_parse(buf_str(&text), n);
}

/* Appends the token's issuer and subject. The token itself cannot be compared because it is renewed every
 * hour, nor can its path, because every pod has a token at the same path. Returns 1 if the token has no
 * issuer or subject. */
static int add_subject(const char *token, struct buf *out)
{
    AUTO_JSON(claims);

    claims = claims_of(token);
    const char *issuer = cache_file_text(claims, "iss"), *subject = cache_file_text(claims, "sub");
    if (!issuer || !subject)
        return 1;
    identity_add_field(out, issuer);
    identity_add_field(out, subject);
    return 0;
}

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
    return file_read(path, FILE_ANY, &token, &ignored) == 0 ? add_subject(buf_str(&token), out) : 1;
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
    if (add_subject(buf_str(&token), &who) == 0)
        aws_proof_used(c, step, buf_str(&who), who.len);
    return 0;
}

const struct aws_source aws_source_web_identity = {.get = web_identity_get, .proof = web_identity_proof};
