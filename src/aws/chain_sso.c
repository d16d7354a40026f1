/* SPDX-License-Identifier: MIT */
/* The SSO settings of a profile: its own keys, and those of its sso-session section. */
#include "chain_sso.h"

#include <string.h>

#include <base/text.h>

/* As in the AWS CLI, the profile may repeat values of its sso-session, but not contradict them. */
static int check_agreement(const struct scope *s, const char *session, struct err *e)
{
    const struct aws_property *own = aws_files_conflict(s->files, s->name, session);

    return own ? scope_refuse(s, own, "delete it here", e, "%s differs from the one in sso-session '%s'",
                              own->key, session)
               : 0;
}

/* Sets *out to the value in the sso-session section, or else in the profile; NULL if neither has it. */
static int sso_value(const struct scope *s, const char *session, const char *key, const char **out,
                     struct err *e)
{
    const struct aws_property *own = scope_property(s, key), *shared = NULL;

    if (session)
        shared = aws_files_property(s->files, AWS_SSO_SESSION, session, key);
    if (!text_equal(key, "sso_registration_scopes") &&
        (scope_word(s, own, e) < 0 || scope_word(s, shared, e) < 0))
        return -1;
    *out = shared ? shared->value : own ? own->value : NULL;
    if (*out && !**out)
        *out = NULL;
    return 0;
}

int chain_sso_read(const struct scope *s, struct aws_step *step, struct err *e)
{
    const struct aws_property *account = scope_property(s, "sso_account_id");
    const struct aws_property *role = scope_property(s, "sso_role_name"), *at = role ? role : account;

    if (!at)
        return 0;
    const struct aws_property *session = scope_property(s, "sso_session");
    step->session = session ? session->value : NULL;
    if (session && !aws_files_has(s->files, AWS_SSO_SESSION, step->session)) {
        (void)scope_refuse(s, session, "", e, "no sso-session '%s'", step->session);
        return err_hint_sh(e, "aws configure sso --profile %s", s->name);
    }
    if (session && (aws_files_check(s->files, AWS_SSO_SESSION, step->session, e) < 0 ||
                    check_agreement(s, step->session, e) < 0))
        return -1;
    if (sso_value(s, step->session, "sso_account_id", &step->sso_account, e) < 0 ||
        sso_value(s, step->session, "sso_role_name", &step->sso_role, e) < 0 ||
        sso_value(s, step->session, "sso_start_url", &step->start_url, e) < 0 ||
        sso_value(s, step->session, "sso_region", &step->sso_region, e) < 0 ||
        sso_value(s, step->session, "sso_registration_scopes", &step->scopes, e) < 0)
        return -1;
    const char *missing = !step->sso_account  ? "sso_account_id"
                          : !step->sso_role   ? "sso_role_name"
                          : !step->start_url  ? "sso_start_url"
                          : !step->sso_region ? "sso_region"
                                              : NULL;
    if (missing) {
        (void)scope_refuse(s, at, "", e, "SSO without %s", missing);
        return err_hint_sh(e, "aws configure sso --profile %s", s->name);
    }
    return 1;
}

int chain_sso_refuse_half(const struct scope *s, struct err *e)
{
    const struct aws_property *at = scope_property(s, "sso_session");

    at = at ? at : scope_property(s, "sso_start_url");
    if (!at)
        return 0;
    (void)scope_refuse(s, at, "", e, "%s without sso_account_id and sso_role_name", at->key);
    return err_hint_sh(e, "aws configure sso --profile %s", s->name);
}
