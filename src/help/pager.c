/* SPDX-License-Identifier: MIT */
/*
 * Shows long help with $PAGER on a terminal, as git does. $PAGER is split into arguments as sh does, without
 * a shell; `cat` or an empty value means no pager. The default is less, with LESS=FRX unless it is set. If
 * the pager cannot be started, the text is printed.
 */
#include <help/help.h>

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <base/mem.h>
#include <base/memfd.h>
#include <base/proc.h>
#include <base/secret.h>
#include <base/text.h>

static bool is_longer_than_terminal(const char *text)
{
    struct winsize size = {0};
    unsigned lines = 0;

    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
        return false;
    for (; *text; text++)
        lines += *text == '\n';
    return lines + 1 > size.ws_row; /* one line is left for the shell's prompt */
}

/* Finds the pager's arguments, the first as a path. Returns false if there is no pager. */
static bool find_pager(struct words *out)
{
    const char *named = secure_getenv("PAGER");
    struct err ignored = ERR_INIT;

    if (text_split_words(named ? named : "less", out, &ignored) < 0 || text_equal(out->word[0], "cat"))
        return false;
    char *path = proc_find(out->word[0]);
    if (!path)
        return false;
    free(out->word[0]);
    out->word[0] = path;
    return true;
}

static bool page(const struct buf *text)
{
    AUTO_WORDS(pager);
    AUTO_SECRET(copy);
    struct err ignored = ERR_INIT;
    int status = 0;

    if (!find_pager(&pager))
        return false;
    copy = secret_from(buf_str(text), text->len);
    int fd = memfd_from_secret(copy, &ignored);
    if (fd < 0)
        return false;
    int before = dup(STDIN_FILENO);
    (void)dup2(fd, STDIN_FILENO);
    (void)close(fd);
    (void)setenv("LESS", "FRX", 0);
    bool started = proc_foreground(pager.word, &status, &ignored) == 0;
    if (before >= 0) {
        (void)dup2(before, STDIN_FILENO);
        (void)close(before);
    }
    return started;
}

bool pager_show(const struct buf *text)
{
    return is_longer_than_terminal(buf_str(text)) && page(text);
}
