/* SPDX-License-Identifier: MIT */
/*
 * AWS's credential_process protocol: the keys of a profile's chain, for the AWS CLI and SDKs. The chain may
 * itself run a credential_process. If that is broker with the same profile again, it would never end, so each
 * broker lists the profiles it is running for in an environment variable of its child processes.
 */
#include "credential.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <protocol/aws.h>

#define RUNNING "BROKER_AWS_RUNNING"
/* Seconds. SDKs fetch new keys when the old ones expire in less than 15 minutes. */
#define LEAST_LIFE (15 * 60)

/* Adds the profile to the variable, which holds " NAME NAME "; a name contains no spaces. ERR_CONFIG if it is
 * already there. */
static int note_running(const char *name, struct err *e)
{
    const char *before = secure_getenv(RUNNING);
    AUTO_FREE(char *, word);
    AUTO_FREE(char *, all);

    word = mem_printf(" %s ", name);
    if (before && strstr(before, word)) {
        (void)err_set(e, ERR_CONFIG, "its AWS credentials come from itself");
        (void)err_what(e, "%s", name);
        return err_hint(e, "the credential_process of its aws_profile asks broker for %s again", name);
    }
    all = mem_printf("%s%s", before ? before : "", word);
    return setenv(RUNNING, all, 1) == 0 ? 0 : err_set(e, ERR_IO, "the environment is full");
}

int credential_aws(const struct helper_call *call, struct err *e)
{
    AUTO_SESSION(s);
    AUTO_ACCESS_KEYS(keys);
    AUTO_BUF(out, 4 * SECRET_MAX);
    struct request r = {.name = call->inv->word[call->first], .verb = "token"};

    if (!r.name) {
        (void)err_set(e, ERR_USAGE, "which profile?");
        return err_hint(e, "credential_process = broker credential aws PROFILE");
    }
    if (session_open(&s, &r, e) < 0 || session_plan(&s, FOR_SECRET, NULL, false, e) < 0)
        return err_what(e, "%s", r.name);
    if (note_running(s.label, e) < 0)
        return -1;
    if (session_keys(&s, LEAST_LIFE, &keys, e) < 0)
        return err_what(e, "%s", s.label);
    return aws_process_print(&keys, &out, e) < 0 ? -1 : helper_answer(&out, e);
}
