/* SPDX-License-Identifier: MIT */
/* The answer has lines KEY=VALUE; unknown keys are ignored, as git's protocol requires. The password is
 * copied from one secret to another. */
#include "credential_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <base/mem.h>
#include <base/text.h>

void credential_answer_release(struct credential_answer *a)
{
    free(a->user);
    secret_free(a->password);
    *a = (struct credential_answer){0};
}

static time_t to_time(const char *value, size_t n)
{
    AUTO_FREE(char *, text);
    unsigned long seconds = 0;

    text = mem_strndup(value, n);
    return text_number(text, (unsigned long)INT64_MAX, &seconds) ? (time_t)seconds : 0;
}

static void take_line(const char *line, size_t n, struct credential_answer *out)
{
    const char *equals = memchr(line, '=', n);
    size_t name = equals ? (size_t)(equals - line) : 0, length = equals ? n - name - 1 : 0;

    if (!equals)
        return;
    const char *value = equals + 1;
    if (name == strlen("username") && memcmp(line, "username", name) == 0) {
        free(out->user);
        out->user = mem_strndup(value, length);
    } else if (name == strlen("password") && memcmp(line, "password", name) == 0) {
        secret_free(out->password);
        out->password = secret_from(value, length);
    } else if (name == strlen("password_expiry_utc") && memcmp(line, "password_expiry_utc", name) == 0) {
        out->expires = to_time(value, length);
    } else if (name == strlen("broker.made") && memcmp(line, "broker.made", name) == 0) {
        out->made = to_time(value, length);
    }
}

/* Parses "broker: NAME: why", lines indented by two, and "hint: ..."; uses the last error. */
void credential_answer_error(int status, const char *said, struct err *e)
{
    enum err_code code = ERR_BUG;

    if (WIFEXITED(status) && WEXITSTATUS(status) >= ERR_USAGE && WEXITSTATUS(status) <= ERR_LOGIN)
        code = (enum err_code)WEXITSTATUS(status);
    (void)err_set(e, code, "broker credential get failed without a message");
    for (const char *line = said; *line;) {
        int n = (int)strcspn(line, "\n");
        if (text_starts(line, "broker: warning: "))
            ;
        else if (text_starts(line, "broker: "))
            (void)err_set(e, code, "%.*s", n - (int)strlen("broker: "), line + strlen("broker: "));
        else if (text_starts(line, "  "))
            (void)err_detail(e, "%.*s", n - 2, line + 2);
        else if (text_starts(line, "hint: "))
            (void)err_hint(e, "%.*s", n - (int)strlen("hint: "), line + strlen("hint: "));
        line += n + (line[n] == '\n');
    }
}

int credential_answer_take(const struct secret *text, int status, const char *said,
                           struct credential_answer *out, struct err *e)
{
    const char *line = secret_bytes(text), *end = line + secret_len(text);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        credential_answer_error(status, said, e);
        return -1;
    }
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        /* A line without a newline was truncated. */
        if (!stop)
            break;
        take_line(line, (size_t)(stop - line), out);
        line = stop + 1;
    }
    if (out->password)
        return 0;
    (void)err_set(e, ERR_CONFIG, "broker credential get returned no password");
    return err_hint(e, "with login = client the client logs in by itself");
}
