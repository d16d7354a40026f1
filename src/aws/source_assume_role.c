/* SPDX-License-Identifier: MIT */
/*
 * `role_arn`: assumes a role with the keys of the previous step. If the role needs an MFA code, the user is
 * asked for it, up to three times if STS refuses the code.
 */
#include <aws/source.h>

#include <string.h>

#include <base/log.h>
#include <base/text.h>

#include "mfa.h"
#include "sts.h"

#define FORM_MOST 16384
#define MFA_TRIES 3

static bool is_wrong_code(const struct aws_refusal *why)
{
    return strstr(why->message, "MultiFactorAuthentication failed with invalid MFA") != NULL;
}

/* Makes one attempt. Returns 0, -1, or 1 if the code was wrong. */
static int assume(const struct sts_role *role, const struct secret *code, int64_t deadline,
                  struct aws_keys *out, struct err *e)
{
    AUTO_BUF(form, FORM_MOST);
    struct aws_refusal why = {0};

    sts_form_begin(&form, role);
    sts_form_add(&form, "ExternalId", role->step->external_id);
    if (code) {
        sts_form_add(&form, "SerialNumber", role->step->mfa_serial);
        sts_form_add(&form, "TokenCode", secret_bytes(code));
    }
    if (sts_assume(role, &form, deadline, out, &why, e) == 0)
        return 0;
    return code && is_wrong_code(&why) ? 1 : -1;
}

static int ask_and_assume(const struct sts_role *role, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_SECRET(code);

    if (mfa_code(role->context, role->step, deadline, &code, e) < 0)
        return sts_name_role(role->step, e);
    if (mfa_code_is_one(code))
        return assume(role, code, deadline, out, e);
    (void)err_set(e, ERR_REFUSED, "an MFA code has six digits");
    (void)sts_name_role(role->step, e);
    return 1;
}

static int role_get(const struct aws_context *c, const struct aws_step *step, const struct aws_keys *before,
                    int64_t deadline, struct aws_keys *out, struct err *e)
{
    const struct sts_role role = {.context = c, .step = step, .keys = before, .action = "AssumeRole"};

    if (!step->mfa_serial)
        return assume(&role, NULL, deadline, out, e);
    for (int left = MFA_TRIES;;) {
        int got = ask_and_assume(&role, deadline, out, e);
        if (got <= 0)
            return got;
        /* Running the program again would print the same code. */
        if (c->mfa_command || --left == 0)
            return err_hint(e, "check the device's clock; a code works only once");
        log_note("wrong code");
        err_clear(e);
    }
}

const struct aws_source aws_source_assume_role = {.get = role_get};
