/* SPDX-License-Identifier: MIT */
/*
 * `credential_process = COMMAND`: a program that prints keys as JSON, version 1. The command is split as sh
 * does and run without a shell; its stdin is the terminal, if there is one. The keys are not cached here,
 * because the program can do that itself.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */
#include <aws/source.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <model/json.h>

#include "process_answer.h"

static int bad_command(const struct aws_step *step, struct err *e)
{
    (void)err_prefix(e, "AWS profile '%s': credential_process", step->profile);
    return err_hint(e, "credential_process = PROGRAM ARG..., without a shell");
}

static int split_command(const struct aws_step *step, struct words *argv, struct err *e)
{
    if (text_split_words(step->command, argv, e) < 0)
        return bad_command(step, e);
    char *path = proc_find(argv->word[0]);
    if (!path) {
        (void)err_set(e, ERR_CONFIG, "%s: no such program", argv->word[0]);
        return bad_command(step, e);
    }
    mem_wipe_free(argv->word[0]);
    argv->word[0] = path;
    return 0;
}

static int process_get(const struct aws_context *c, const struct aws_step *step,
                       const struct aws_keys *before, int64_t deadline, struct aws_keys *out, struct err *e)
{
    AUTO_WORDS(argv);
    AUTO_PROC_RESULT(result);

    (void)before;
    if (split_command(step, &argv, e) < 0)
        return -1;
    struct proc_run run = {.argv = argv.word,
                           .deadline = deadline,
                           .waiting_for = argv.word[0],
                           .max = PROCESS_ANSWER_MOST,
                           .may_ask = true};
    if (proc_capture(&run, &result, e) < 0) {
        (void)err_detail_lines(e, buf_str(&result.err));
        return bad_command(step, e);
    }
    if (result.status != 0) {
        AUTO_BUF(how, 128);
        proc_describe_status(&how, result.status);
        (void)err_set(e, ERR_REFUSED, "AWS profile '%s': credential_process %s: %s", step->profile,
                      argv.word[0], buf_str(&how));
        (void)err_detail_lines(e, buf_str(&result.err));
        return proc_hint_by_hand("it must print JSON and exit with status 0", e);
    }
    if (process_answer_parse(secret_bytes(result.out), secret_len(result.out), time(NULL), out, e) < 0) {
        (void)err_prefix(e, "AWS profile '%s': credential_process %s", step->profile, argv.word[0]);
        return err_hint(e, "run it by hand: it must print {\"Version\": 1, \"AccessKeyId\": ..., "
                           "\"SecretAccessKey\": ...}");
    }
    if (!out->account)
        out->account = mem_strdup(step->account);
    aws_proof_used(c, step, out->id, strlen(out->id));
    return 0;
}

/* Returns 1, because the owner of the keys is only known once the program has run. */
static int process_proof(const struct aws_context *c, const struct aws_step *step, char **place,
                         int64_t deadline, struct buf *out)
{
    (void)c;
    (void)step;
    (void)place;
    (void)deadline;
    (void)out;
    return 1;
}

const struct aws_source aws_source_credential_process = {.get = process_get, .proof = process_proof};
