/* SPDX-License-Identifier: MIT */
/* broker bugreport: version -v, the plan of a profile, and the end of its forward's log, with names masked.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <help/help.h>
#include <output/mask.h>
#include <session/forward.h>

#include "begin.h"

#define TEXT_MOST (1024 * 1024)
#define LOG_BYTES 16384
#define ERRNO_MOST 133

/* Teaches the mask which words are not secret: our own texts and the system's error messages. */
static void learn_words(struct mask *m)
{
    AUTO_BUF(text, TEXT_MOST);

    help_overview(&text);
    for (size_t i = 0; verb_table[i]; i++)
        help_verb(verb_table[i], &text);
    for (size_t i = 0; help_topic_table[i].name; i++)
        help_topic_table[i].print(&text);
    for (int i = 1; i <= ERRNO_MOST; i++)
        buf_printf(&text, "%s\n", strerrordesc_np(i) ? strerrordesc_np(i) : "");
    mask_vocabulary(m, buf_str(&text));
}

/* Teaches the mask the names of this machine, its user and the home folder. */
static void learn_machine(struct mask *m)
{
    struct utsname uts;

    mask_value(m, "home", path_home());
    mask_value(m, "user", secure_getenv("USER"));
    if (uname(&uts) == 0)
        mask_value(m, "machine", uts.nodename);
}

static void put(struct mask *m, const char *text)
{
    AUTO_BUF(masked, 4 * TEXT_MOST);
    AUTO_BUF(clean, 8 * TEXT_MOST);

    if (m)
        mask_text(m, text, &masked);
    else
        buf_puts(&masked, text);
    text_sanitise(&clean, buf_str(&masked), masked.len);
    (void)fputs(buf_str(&clean), stdout);
}

/* Prints the version. Values that contain a path are masked, version numbers are not. */
static void put_version(struct mask *m)
{
    AUTO_TABLE(t, 2);

    version_rows(&t);
    for (size_t i = 1; m && i < t.count; i += 2) {
        AUTO_BUF(masked, TEXT_MOST);
        if (!strchr(t.cell[i], '/'))
            continue;
        mask_text(m, t.cell[i], &masked);
        free(t.cell[i]);
        t.cell[i] = buf_take(&masked);
    }
    (void)puts("broker " BROKER_VERSION);
    table_print(&t, stdout);
}

static void put_error(struct mask *m, const struct err *e)
{
    AUTO_FREE(char *, line);

    line = mem_printf("error       %s%s%s\n", e->what, *e->what ? ": " : "", e->msg);
    put(m, line);
}

/* Reads the last complete lines of a regular file, at most LOG_BYTES bytes. */
static int read_end(const char *path, struct buf *out, struct err *e)
{
    struct stat st;
    AUTO_FD(fd);
    AUTO_BUF(text, LOG_BYTES + 4096);

    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(e, ERR_IO, "cannot read the log");
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return err_set(e, ERR_IO, "the log is not a regular file that you own");
    bool cut = st.st_size > LOG_BYTES;
    if (cut && lseek(fd, st.st_size - LOG_BYTES, SEEK_SET) < 0)
        return err_set(e, ERR_IO, "cannot read the log");
    if (fd_read_all(fd, &text, e) < 0)
        return -1;
    const char *from = cut ? strchr(buf_str(&text), '\n') : NULL;
    buf_puts(out, from ? from + 1 : buf_str(&text));
    return 0;
}

static void put_log(struct mask *m, const char *name)
{
    struct forward f = FORWARD_INIT;
    struct err e = ERR_INIT;
    AUTO_BUF(text, LOG_BYTES + 4096);

    if (!name)
        return;
    int found = forward_find(name, &f, &e);
    if (found < 0 || (found > 0 && f.log && read_end(f.log, &text, &e) < 0))
        put_error(m, &e);
    else if (!found)
        (void)puts("\nno forward of this name is running");
    else if (!f.log)
        (void)puts("\nits forward has no log (--log FILE)");
    else {
        (void)puts("\nthe end of its forward's log:");
        put(m, buf_str(&text));
    }
    err_clear(&e);
    forward_release(&f);
}

static int put_profile(struct invocation *inv, struct session *s, struct mask *m, struct err *e)
{
    AUTO_BUF(plan, TEXT_MOST);
    int opened = begin(inv, s, e);

    if (m)
        mask_profile(m, &s->profile);
    (void)puts("");
    if (opened < 0 || session_plan(s, FOR_CLIENT, NULL, true, e) < 0) {
        put_error(m, e);
    } else {
        plan_print(&s->plan, NULL, &plan);
        put(m, buf_str(&plan));
    }
    put_log(m, s->profile.name);
    return e->code ? -1 : 0;
}

static int bugreport_run(struct invocation *inv, struct err *e)
{
    AUTO_SESSION(s);
    AUTO_MASK(mask);
    struct mask *m = inv->given[OPT_full] ? NULL : &mask;

    if (m) {
        learn_words(m);
        learn_machine(m);
    }
    put_version(m);
    return inv->word_count ? put_profile(inv, &s, m, e) : 0;
}

const struct verb verb_bugreport = {
    .name = "bugreport",
    .usage = "[PROFILE] [OPTION]...",
    .summary = "print what a bug report needs",
    .about =
        "Print what a bug report needs: broker version -v and, for a profile, its plan and the end of its "
        "forward's log. Names are masked: only broker's own words and short numbers are shown; any other "
        "word is replaced by host-1, user-1 or word-1, and the same word always by the same label. --full "
        "masks no names. Secrets are never shown.",
    .group = GROUP_UNLISTED,
    .examples = {"broker bugreport", "broker bugreport prod", "broker bugreport prod --full"},
    .sets = SET_REPORT,
    .most_words = 1,
    .words = "profile",
    .run = bugreport_run,
};
