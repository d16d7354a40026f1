/* `web_identity_token_file`: a role assumed with the token of another identity provider, which is in a file
 * that somebody else renews: it is read each time, and sent as it is. */
#include <aws/source.h>

#include <base/file.h>
#include <base/mem.h>

#include "sts.h"

#define TOKEN_MOST 65536
#define FORM_MOST (4 * TOKEN_MOST)

static int no_token(const struct aws_step *step, struct err *e)
{
    (void)sts_name_role(step, e);
    return err_hint(e, "check %s", step->profile ? "web_identity_token_file" : "AWS_WEB_IDENTITY_TOKEN_FILE");
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
    AUTO_FREE(char *, path);
    struct aws_refusal why = {0};

    (void)before;
    path = path_expand(step->token_file);
    int got = file_read(path, FILE_ANY, &token, e);
    if (got < 0)
        return no_token(step, e);
    if (got > 0 || token.len == 0) {
        (void)err_set(e, ERR_CONFIG, "the token file %s %s", path, got > 0 ? "is not there" : "is empty");
        return no_token(step, e);
    }
    sts_form_begin(&form, &role);
    sts_form_add(&form, "WebIdentityToken", buf_str(&token));
    return sts_assume(&role, &form, deadline, out, &why, e);
}

const struct aws_source aws_source_web_identity = {.get = web_identity_get};
