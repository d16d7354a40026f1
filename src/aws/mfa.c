/* SPDX-License-Identifier: MIT */
/* An MFA code is valid once and for 30 seconds, so it is never stored. */
#include "mfa.h"

#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <base/tty.h>

#define CODE_MOST 256
#define CODE_DIGITS 6

bool mfa_code_is_one(const struct secret *code)
{
    const char *s = secret_bytes(code);

    return secret_len(code) == CODE_DIGITS && strspn(s, "0123456789") == CODE_DIGITS;
}

static int split_command(const char *command, struct words *argv, struct err *e)
{
    if (text_split_words(command, argv, e) < 0)
        return err_prefix(e, "mfa_command");
    char *path = proc_find(argv->word[0]);
    if (!path) {
        (void)err_set(e, ERR_CONFIG, "mfa_command: %s: no such program", argv->word[0]);
        return err_hint(e, "install it, or write its full path in mfa_command");
    }
    mem_wipe_free(argv->word[0]);
    argv->word[0] = path;
    return 0;
}

static int run_command(const char *command, int64_t deadline, struct secret **out, struct err *e)
{
    AUTO_WORDS(argv);
    AUTO_PROC_RESULT(result);

    if (split_command(command, &argv, e) < 0)
        return -1;
    struct proc_run run = {.argv = argv.word,
                           .deadline = deadline,
                           .waiting_for = argv.word[0],
                           .max = CODE_MOST,
                           .may_ask = true};
    if (proc_capture(&run, &result, e) < 0)
        return err_prefix(e, "mfa_command");
    secret_chomp(result.out);
    bool failed = result.status != 0;
    if (failed || !mfa_code_is_one(result.out)) {
        AUTO_BUF(how, 128);
        proc_describe_status(&how, result.status);
        (void)err_set(e, failed ? ERR_REFUSED : ERR_DATA, "mfa_command: %s: %s", argv.word[0],
                      failed ? buf_str(&how) : "did not print a code of six digits");
        (void)err_detail_lines(e, buf_str(&result.err));
        return proc_hint_by_hand("it must print the code and exit with status 0", e);
    }
    *out = result.out;
    result.out = NULL;
    return 0;
}

int mfa_code(const struct aws_context *c, const struct aws_step *step, int64_t deadline, struct secret **out,
             struct err *e)
{
    AUTO_BUF(prompt, 512);

    if (c->mfa_command)
        return run_command(c->mfa_command, deadline, out, e);
    buf_puts(&prompt, "Enter MFA code for ");
    text_sanitise(&prompt, step->mfa_serial, strnlen(step->mfa_serial, 400));
    buf_puts(&prompt, ": ");
    if (tty_can_ask())
        return tty_ask_secret(buf_str(&prompt), out, e);
    (void)err_set(e, ERR_LOGIN, "an MFA code for %.256s is needed", step->mfa_serial);
    return err_hint(e, "run it on a terminal, or set mfa_command to a program that prints the code");
}
