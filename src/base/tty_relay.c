/* SPDX-License-Identifier: MIT */
/* The pseudo-terminal relay. The pseudo-terminal echoes and edits lines as its program wants; our own
 * terminal passes on each key and does neither. */
#include <base/tty_relay.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <base/tty.h>

#include "tty_guard.h"

#define CHUNK 1024
#define ERASED "\b \b" /* what the echo of backspace prints */

/* Opens our terminal and makes it pass on each key without echo. */
static int keys_begin(void)
{
    int fd = tty_guard_open();

    tty_guard_hush(ICANON | ECHO | ECHONL | IEXTEN);
    return fd;
}

static void close_both(struct tty_relay *r)
{
    fd_close_cleanup(&r->slave);
    fd_close_cleanup(&r->master);
}

void tty_relay_open(struct tty_relay *r)
{
    struct winsize size;
    AUTO_FD(tty);

    tty = tty_open_input();
    if (tty < 0)
        return;
    r->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    /* The slave is held open, because the master would be hung up until a program opens it. */
    if (r->master >= 0 && grantpt(r->master) == 0 && unlockpt(r->master) == 0)
        r->slave = open(ptsname(r->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (r->slave < 0 || fcntl(r->master, F_SETFL, O_NONBLOCK) < 0) {
        close_both(r);
        return;
    }
    if (ioctl(tty, TIOCGWINSZ, &size) == 0)
        (void)ioctl(r->master, TIOCSWINSZ, &size);
}

/* Returns the length up to a line end or a backspace. */
static size_t piece(const char *s, size_t n)
{
    size_t i = 0;

    while (i < n && s[i] != '\n' && s[i] != '\r' && s[i] != '\b')
        i++;
    return i;
}

static void put(struct tty_relay *r, const char *s, size_t n, struct buf *out)
{
    while (n) {
        size_t plain = piece(s, n);
        if (r->at_start && plain) {
            buf_putc(out, '(');
            text_sanitise_line(out, r->whose, strlen(r->whose));
            buf_puts(out, ") ");
            r->at_start = false;
        }
        text_sanitise(out, s, plain);
        s += plain;
        n -= plain;
        if (!n)
            return;
        size_t special = n >= strlen(ERASED) && memcmp(s, ERASED, strlen(ERASED)) == 0 ? strlen(ERASED) : 1;
        if (*s == '\n' || special > 1)
            buf_add(out, s, special);
        r->at_start |= *s == '\n';
        s += special;
        n -= special;
    }
}

static void show(struct tty_relay *r)
{
    char chunk[CHUNK];
    AUTO_BUF(out, 65536);
    ssize_t n = read(r->master, chunk, sizeof chunk);

    if (n <= 0)
        return;
    put(r, chunk, (size_t)n, &out);
    r->keys = keys_begin();
    if (r->keys < 0)
        return;
    (void)fd_write_all(r->keys, buf_str(&out), out.len);
}

/* Passes typed keys to the program. What it does not read is lost, as on a real terminal. */
static void type(struct tty_relay *r, struct pollfd *p)
{
    char keys[CHUNK];
    ssize_t n = read(r->keys, keys, sizeof keys);

    if (n > 0)
        (void)!write(r->master, keys, (size_t)n);
    else
        p->fd = -1;
    explicit_bzero(keys, sizeof keys);
}

bool tty_relay_wait(struct tty_relay *r, int fd, int64_t deadline)
{
    enum { WANTED, OUTPUT, KEYS, POLLED };
    bool before = tty_relay_was_used(r);
    struct pollfd p[POLLED] = {[WANTED] = {.fd = fd, .events = POLLIN},
                               [OUTPUT] = {.fd = r->master, .events = POLLIN},
                               [KEYS] = {.fd = before ? keys_begin() : -1, .events = POLLIN}};
    struct tty_wait wait;

    tty_wait_begin(&wait, before ? NULL : r->whose, deadline);
    while (!p[WANTED].revents && clock_left(deadline) > 0 && before == tty_relay_was_used(r)) {
        if (poll(p, POLLED, tty_wait_left(&wait)) <= 0) {
            tty_wait_tick(&wait);
            continue;
        }
        if (p[OUTPUT].revents) {
            tty_wait_end(&wait);
            show(r);
        }
        if (p[KEYS].revents)
            type(r, &p[KEYS]);
    }
    tty_wait_end(&wait);
    return p[WANTED].revents;
}

bool tty_relay_was_used(const struct tty_relay *r)
{
    return r->keys >= 0;
}

void tty_relay_pause(const struct tty_relay *r)
{
    if (r->keys >= 0)
        tty_guard_restore();
}

void tty_relay_end(struct tty_relay *r)
{
    if (r->keys >= 0 && !r->at_start)
        (void)fd_write_all(r->keys, "\n", 1);
    tty_relay_pause(r);
    close_both(r);
}
