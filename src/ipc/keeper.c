/* SPDX-License-Identifier: MIT */
/*
 * Code that broker and its keepers share: the directory of the control sockets, and the text form of local
 * addresses.
 */
#include <ipc/keeper.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#define ADDRESS_MOST 1024

int keeper_folder(char **out, struct err *e)
{
    AUTO_FREE(char *, runtime);
    AUTO_FREE(char *, path);
    struct stat st;

    if (path_runtime(&runtime, e) < 0)
        return -1;
    path = mem_printf("%s/forward", runtime);
    if ((mkdir(path, 0700) < 0 && errno != EEXIST) || lstat(path, &st) < 0) {
        (void)err_set(e, ERR_IO, "%s", strerror(errno));
        return err_what(e, "%s", path);
    }
    bool ours = S_ISDIR(st.st_mode) && st.st_uid == geteuid();
    if (!ours || (st.st_mode & 077)) {
        (void)err_set(e, ERR_CONFIG, ours ? "other users have access" : "not a folder that you own");
        (void)err_what(e, "%s", path);
        return ours ? err_hint_sh(e, "chmod 700 %s", path)
                    : err_hint(e, "check who created it, then remove it");
    }
    *out = path;
    path = NULL;
    return 0;
}

void keeper_address_put(struct buf *out, const char *path, const char *host, unsigned port)
{
    if (path)
        buf_puts(out, path);
    else
        buf_printf(out, "%u %s", port, host);
}

bool keeper_address_take(const char *text, char **path, char **host, unsigned *port)
{
    const char *blank = strchr(text, ' ');
    AUTO_FREE(char *, digits);
    unsigned long number;

    *path = *host = NULL;
    if (*text == '/') {
        *path = mem_strdup(text);
        return true;
    }
    digits = blank ? mem_strndup(text, (size_t)(blank - text)) : NULL;
    if (!digits || !blank[1] || !text_number(digits, 65535, &number))
        return false;
    *host = mem_strdup(blank + 1);
    *port = (unsigned)number;
    return true;
}

void local_address_release(struct local_address *listener)
{
    free(listener->path);
    free(listener->host);
    *listener = (struct local_address){0};
}

void local_address_put(struct record *r, const struct local_address *listener)
{
    AUTO_BUF(text, ADDRESS_MOST);

    buf_putc(&text, (char)listener->kind);
    keeper_address_put(&text, listener->path, listener->host, listener->port);
    record_put(r, KEEPER_TAG_LISTENER, buf_str(&text), text.len);
}

bool local_address_take(const struct field *f, struct local_address *listener)
{
    static const char kinds[] = {LISTENER_BYTES, LISTENER_TLS, LISTENER_OURS, LISTENER_LOGIN};
    AUTO_FREE(char *, text);

    if (f->len < 2 || f->len > ADDRESS_MOST || !memchr(kinds, f->bytes[0], sizeof kinds))
        return false;
    text = mem_strndup(f->bytes + 1, f->len - 1);
    listener->kind = (enum listener_kind)(unsigned char)f->bytes[0];
    return keeper_address_take(text, &listener->path, &listener->host, &listener->port);
}
