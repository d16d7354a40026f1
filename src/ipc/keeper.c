/* Local ends as text: the one form in which broker and its keeper name them to each other. */
#include <ipc/keeper.h>

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

#define END_MOST 1024

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

void local_end_release(struct local_end *end)
{
    free(end->path);
    free(end->host);
    *end = (struct local_end){0};
}

void local_end_put(struct record *r, const struct local_end *end)
{
    AUTO_BUF(text, END_MOST);

    buf_putc(&text, (char)end->kind);
    keeper_address_put(&text, end->path, end->host, end->port);
    record_put(r, KEEPER_TAG_END, buf_str(&text), text.len);
}

bool local_end_take(const struct field *f, struct local_end *end)
{
    static const char kinds[] = {KEEPER_END_BYTES, KEEPER_END_GUARDED, KEEPER_END_TLS};
    AUTO_FREE(char *, text);

    if (f->len < 2 || f->len > END_MOST || !memchr(kinds, f->bytes[0], sizeof kinds))
        return false;
    text = mem_strndup(f->bytes + 1, f->len - 1);
    end->kind = (enum keeper_end)(unsigned char)f->bytes[0];
    return keeper_address_take(text, &end->path, &end->host, &end->port);
}
