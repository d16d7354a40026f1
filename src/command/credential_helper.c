/* SPDX-License-Identifier: MIT */
/* What all credential helpers share: reading the request from stdin, writing the answer, and choosing the
 * store. */
#include "credential.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>

/* git credential-cache's default timeout */
#define LIFE_SECONDS 900

const char *helper_verb(const struct helper_call *call)
{
    return call->inv->word[call->first];
}

static int choose_store(const char *name, struct entries *out, struct err *e)
{
    static const struct store *const stores[] = {&store_keychain, &store_keyring};

    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        if (text_equal(stores[i]->name, name)) {
            out->store = stores[i];
            return 0;
        }
    }
    (void)err_set(e, ERR_USAGE, "--store: unknown store '%s'", name);
    return err_hint(e, "--store keychain, or --store keyring");
}

int helper_entries(const struct helper_call *call, struct entries *out, struct err *e)
{
    const struct invocation *inv = call->inv;
    const char *name = inv->value[OPT_store];

    if (config_load(&out->config, e) < 0 || config_found(out->config, e) < 0 ||
        config_check_defaults(out->config, e) < 0)
        return -1;
    if (!name)
        name = config_file_key(out->config, FILE_store);
    if (choose_store(name ? name : store_keychain.name, out, e) < 0)
        return -1;
    if (out->store == &store_keyring)
        out->life = inv->timeout_ms ? (inv->timeout_ms + 999) / 1000 : LIFE_SECONDS;
    return 0;
}

/* Returns true if the input from offset `from` on completes an empty line. */
static bool is_complete(const struct buf *in, size_t from)
{
    const char *text = buf_str(in);

    for (size_t i = from > 2 ? from - 2 : 0; i < in->len; i++) {
        if (text[i] != '\n')
            continue;
        size_t line = i;
        line -= line > 0 && text[line - 1] == '\r';
        if (line == 0 || text[line - 1] == '\n')
            return true;
    }
    return false;
}

int helper_read(struct buf *out, bool lines, struct err *e)
{
    for (;;) {
        char *room = buf_room(out, 4096);
        if (!room) {
            (void)err_set(e, ERR_DATA, "over %zu bytes", out->max);
            (void)err_what(e, "stdin");
            return err_hint(e, "send one request, see git help credential");
        }
        ssize_t n = read(STDIN_FILENO, room, 4096);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            (void)err_set(e, ERR_IO, "%s", strerror(errno));
            return err_what(e, "stdin");
        }
        size_t before = out->len;
        buf_grew(out, (size_t)n);
        if (n == 0 || (lines && is_complete(out, before)))
            return 0;
    }
}

int helper_answer(const struct buf *out, struct err *e)
{
    if (fd_write_all(STDOUT_FILENO, buf_str(out), out->len) == 0)
        return 0;
    (void)err_set(e, ERR_IO, "%s", strerror(errno));
    (void)err_what(e, "stdout");
    return err_hint(e, "check that the disk is not full and the pipe is not closed");
}
