/* SPDX-License-Identifier: MIT */
/* A pasted answer. It is read byte by byte without line editing, because a terminal's line editing cuts lines
 * at 4,095 bytes. */
#include <base/tty.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tty_guard.h"

#define END_OF_FILE 4
#define KILL_LINE 21

int tty_paste_begin(const char *prompt)
{
    if (tty_input_forbidden() || tty_guard_open() < 0)
        return -1;
    tty_guard_hush(ECHO | ECHONL | ICANON);
    tty_guard_ask(prompt);
    return tty_guard_open();
}

/* Handles one typed byte; returns as tty_paste_read(). */
static int take(struct secret *answer, char c)
{
    size_t n = secret_len(answer);

    switch (c) {
    case '\n':
    case '\r':
        return 1;
    case END_OF_FILE:
        return n ? 1 : -1;
    case KILL_LINE:
        secret_cut(answer, 0);
        return 0;
    case '\b':
    case 127:
        secret_cut(answer, n ? n - 1 : 0);
        return 0;
    default:
        return secret_add(answer, &c, 1);
    }
}

int tty_paste_read(struct secret *answer)
{
    char bytes[256];
    int got = 0;
    ssize_t n = read(tty_guard_open(), bytes, sizeof bytes);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -1;
    if (n == 0)
        return -1;
    /* Bytes after the end of the line are ignored. */
    for (ssize_t i = 0; i < n && got == 0; i++)
        got = take(answer, bytes[i]);
    explicit_bzero(bytes, sizeof bytes);
    return got;
}

void tty_paste_end(void)
{
    tty_guard_speak();
}
