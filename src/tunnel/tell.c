/* SPDX-License-Identifier: MIT */
/* Only one wait at a time, because a process uses one tunnel. The amount of text is limited. */
#include <tunnel/tell.h>

#include <stdio.h>
#include <string.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/text.h>
#include <event/loop.h>

#define FIRST_MS 1000
#define AGAIN_MS 250
#define LINES_MOST 64
#define TEXT_MOST 16384

static struct {
    const struct target *target;
    struct timer timer;
    int64_t began;
    bool given; /* the wait has already got more time */
    bool asked; /* the user was asked on the terminal */
    char whose[300];
    struct words shown;
    void (*gather)(struct buf *out); /* NULL: no wait is in progress */
} tell;

static void show(const char *line)
{
    if (!line[strspn(line, " \t\r")] || tell.shown.count >= LINES_MOST || words_have(&tell.shown, line))
        return;
    words_add(&tell.shown, line);
    log_say("(%s) %s", tell.whose, line);
}

void tell_now(void)
{
    AUTO_BUF(text, TEXT_MOST);
    AUTO_WORDS(lines);

    if (!tell.gather || tell.target->ready || !tell.target->person)
        return;
    tell.gather(&text);
    words_split(&lines, buf_str(&text), '\n');
    for (size_t i = 0; i < lines.count; i++)
        show(lines.word[i]);
}

static void look(struct timer *t)
{
    tell_now();
    timer_set(t, clock_ms() + AGAIN_MS, look);
}

void tell_begin(const char *whose, const struct target *target, void (*gather)(struct buf *out))
{
    tell_end();
    (void)snprintf(tell.whose, sizeof tell.whose, "%s", whose);
    tell.target = target;
    tell.gather = gather;
    tell.given = tell.asked = false;
    tell.began = clock_ms();
    if (!target->ready && target->person)
        timer_set(&tell.timer, tell.began + FIRST_MS, look);
}

void tell_end(void)
{
    timer_clear(&tell.timer);
    words_release(&tell.shown);
    tell.gather = NULL;
}

void tell_asked(void)
{
    tell.asked = true;
}

bool tell_gives_time(int64_t *deadline)
{
    AUTO_BUF(text, TEXT_MOST);

    if (!tell.gather || tell.given || tell.target->ready)
        return false;
    tell.gather(&text);
    if ((!tell.asked && (!text.len || !tell.target->person)) ||
        tell.began + tell.target->login_timeout <= *deadline)
        return false;
    tell.given = true;
    *deadline = tell.began + tell.target->login_timeout;
    return true;
}
