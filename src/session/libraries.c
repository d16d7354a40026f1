/* SPDX-License-Identifier: MIT */
/* Runs `HELPER --libraries`, which prints one library per line. */
#include <session/libraries.h>

#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/proc.h>
#include <ipc/helper.h>

#define ASK_MS 10000
#define ANSWER_MOST 1024

static const char *const helpers[] = {"broker-http", "broker-keeper", "broker-keychain"};

static void take_lines(const char *helper, char *text, libraries_take *take, void *context)
{
    char *state = NULL;

    for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        char *space = strchr(line, ' ');
        if (!space)
            continue;
        *space = '\0';
        take(context, helper, line, space + 1);
    }
}

static int ask(const char *helper, struct proc_result *r, struct err *e)
{
    AUTO_FREE(char *, path);

    path = helper_path(helper);
    char option[] = HELPER_LIBRARIES;
    char *argv[] = {path, option, NULL};
    struct proc_run run = {.argv = argv, .deadline = clock_deadline(ASK_MS, CLOCK_NEVER), .max = ANSWER_MOST};
    if (proc_capture(&run, r, e) < 0)
        return -1;
    if (r->status) {
        AUTO_BUF(how, 64);
        proc_describe_status(&how, r->status);
        return err_set(e, ERR_CONFIG, "%s", buf_str(&how));
    }
    return 0;
}

void libraries_ask(libraries_take *take, void *context)
{
    for (size_t i = 0; i < ARRAY_LEN(helpers); i++) {
        AUTO_PROC_RESULT(r);
        AUTO_BUF(clean, 4 * ANSWER_MOST);
        struct err e = ERR_INIT;
        if (ask(helpers[i], &r, &e) < 0) {
            text_sanitise_line(&clean, e.msg, strlen(e.msg));
            take(context, helpers[i], NULL, buf_str(&clean));
            err_clear(&e);
            continue;
        }
        AUTO_FREE(char *, text);
        text_sanitise(&clean, secret_bytes(r.out), secret_len(r.out));
        text = mem_strdup(buf_str(&clean));
        take_lines(helpers[i], text, take, context);
    }
}
