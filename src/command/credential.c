/*
 * broker as a credential helper of other programs: which protocol is spoken, what is read and what is
 * written. It never asks a person and never logs in: whoever calls it has no place for a question.
 */
#include "credential.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/tty.h>

/* git's own, for credential-cache. */
#define LIFE_SECONDS 900

static const struct {
    const char *name;
    int (*serve)(const struct helper_call *call, struct err *e);
} protocols[] = {
#define PROTOCOL(id, program) {#id, credential_##id},
#include <model/kinds.def>
};

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
    (void)err_set(e, ERR_USAGE, "--store: no store is called '%s'", name);
    return err_hint(e, "--store keychain, or --store keyring");
}

int helper_entries(const struct helper_call *call, struct entries *out, struct err *e)
{
    const struct invocation *inv = call->inv;
    AUTO_CONFIG(config);
    const char *name = inv->value[OPT_store];

    if (!name) {
        if (config_load(&config, e) < 0)
            return -1;
        name = config_file_key(config, FILE_store);
    }
    if (choose_store(name ? name : store_keychain.name, out, e) < 0)
        return -1;
    if (out->store == &store_keyring)
        out->life = inv->timeout_ms ? (inv->timeout_ms + 999) / 1000 : LIFE_SECONDS;
    return 0;
}

/* Whether a blank line ends in what came from `from` on. */
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
            return err_hint(e, "one request, as git help credential has it");
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
    return err_hint(e, "check where the output goes: is the pipe closed, the disk full?");
}

static int credential_run(struct invocation *inv, struct err *e)
{
    struct helper_call call = {.inv = inv};

    tty_forbid_input("broker credential");
    for (size_t i = 0; inv->word[0] && i < sizeof protocols / sizeof *protocols; i++) {
        if (text_equal(protocols[i].name, inv->word[0])) {
            call.first = 1;
            call.forwarded = true;
            return protocols[i].serve(&call, e);
        }
    }
    return credential_git(&call, e);
}

const struct verb verb_credential = {
    .name = "credential",
    .usage = "get|store|erase|capability|exit|aws PROFILE [OPTION]...",
    .summary = "serve the git credential protocol",
    .group = GROUP_HAND_OUT,
    .examples = {"git config --global credential.helper broker",
                 "git config --global credential.helper 'broker --store keyring --timeout 1h'",
                 "printf 'profile=prod\\n\\n' | broker credential get",
                 "aws configure set credential_process 'broker credential aws prod' --profile prod-db"},
    .sets = SET_RUN | SET_CREDENTIAL,
    .most_words = 4,
    .words = "get store erase capability exit aws",
    .words2 = "profile",
    .words2_after = "aws",
    .run = credential_run,
};
