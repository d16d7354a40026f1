/* SPDX-License-Identifier: MIT */
/*
 * Writes the audit line: to syslog, to systemd's journal, or to a file. It consists of KEY=VALUE pairs; bytes
 * of a value that could end it, or look like another line, are percent-encoded. Syslog and the journal are
 * sent datagrams directly, because their libraries do not report whether a line has arrived.
 */
#include <session/audit.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#include "caller.h"

#define LINE_MAX_BYTES 16384
#define SYSLOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
/* RFC 3164: facility authpriv (10), severity info (6). */
#define SYSLOG_PRIORITY "<86>"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~/:@+,[]()", c));
}

static void add(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, " %s=", key);
    if (!value || !*value)
        buf_putc(out, '-');
    for (; value && *value; value++) {
        if (is_plain(*value))
            buf_putc(out, *value);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*value);
    }
}

static void make_line(const struct audit_line *line, struct buf *out)
{
    AUTO_FREE(char *, program);
    AUTO_BUF(end, 64);

    program = caller_program(getppid());
    if (line->expires)
        clock_format_utc(&end, line->expires);
    buf_printf(out, "credential uid=%lu pid=%ld", (unsigned long)getuid(), (long)getppid());
    add(out, "program", program);
    add(out, "profile", line->profile);
    add(out, "endpoint", line->endpoint);
    add(out, "user", line->user);
    add(out, "provider", line->provider);
    add(out, "expires", line->expires ? buf_str(&end) : "never");
}

static int send_datagram(const char *path, const struct buf *message, struct err *e)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    AUTO_FD(fd);

    memcpy(to.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        sendto(fd, buf_str(message), message->len, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to) >= 0)
        return 0;
    (void)err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    return err_hint(e, "check that the service is running; audit = /PATH needs none");
}

static int to_syslog(const struct buf *line, struct err *e)
{
    AUTO_BUF(message, 2 * LINE_MAX_BYTES);
    time_t now = time(NULL);
    struct tm at;
    char stamp[32] = "";

    if (localtime_r(&now, &at))
        (void)strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &at);
    buf_printf(&message, SYSLOG_PRIORITY "%s broker[%ld]: %s", stamp, (long)getpid(), buf_str(line));
    return send_datagram(SYSLOG_SOCKET, &message, e);
}

/* Sends one line per field; values contain no line ends. See https://systemd.io/JOURNAL_NATIVE_PROTOCOL/. */
static int to_journal(const struct buf *line, struct err *e)
{
    AUTO_BUF(message, 2 * LINE_MAX_BYTES);

    buf_printf(&message, "MESSAGE=%s\nPRIORITY=6\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=broker\n",
               buf_str(line));
    return send_datagram(JOURNAL_SOCKET, &message, e);
}

static int to_file(const char *path, const struct buf *line, struct err *e)
{
    AUTO_BUF(message, 2 * LINE_MAX_BYTES);
    AUTO_FD(fd);

    fd = file_open_log(path, e);
    if (fd < 0)
        return err_prefix(e, "%s", path);
    clock_format_utc(&message, time(NULL));
    buf_printf(&message, " broker[%ld]: %s\n", (long)getpid(), buf_str(line));
    /* One write() per line, so that lines of two processes do not mix. */
    ssize_t wrote = write(fd, buf_str(&message), message.len);
    if (wrote == (ssize_t)message.len)
        return 0;
    return err_set(e, ERR_IO, "%s: %s", path, wrote < 0 ? strerror(errno) : "only part of it was written");
}

int audit_write(const struct config *c, const struct audit_line *what, struct err *e)
{
    const char *place = config_file_key(c, FILE_audit);
    AUTO_BUF(line, LINE_MAX_BYTES);
    int result;

    if (!place || text_equal(place, "none"))
        return 0;
    make_line(what, &line);
    if (text_equal(place, "syslog"))
        result = to_syslog(&line, e);
    else if (text_equal(place, "journal"))
        result = to_journal(&line, e);
    else if (*place == '/')
        result = to_file(place, &line, e);
    else
        result = err_set(e, ERR_CONFIG, "'%s' is not none, syslog, journal or a file's full path", place);
    if (result < 0) {
        (void)err_what(e, "audit");
        return e->hint[0] ? -1 : err_hint(e, "audit = none, syslog, journal or /PATH in [defaults]");
    }
    return 0;
}
