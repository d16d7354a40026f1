/* SPDX-License-Identifier: MIT */
/* broker credential: selects which credential helper protocol to speak. It never asks questions and never
 * logs in, because the calling program has no place to show a question. */
#include "credential.h"

#include <base/tty.h>

static const struct {
    const char *name;
    int (*serve)(const struct helper_call *call, struct err *e);
} protocols[] = {
#define PROTOCOL(id, program) {#id, credential_##id},
#include <model/kinds.def>
};

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
    .about =
        "Serve the credential protocols of git, of docker and podman, and of AWS's credential_process, on "
        "stdin and stdout.",
    .group = GROUP_EXPORT,
    .examples = {"git config --global credential.helper broker",
                 "git config --global credential.helper 'broker --store keyring --timeout 1h'",
                 "printf 'profile=prod\\n\\n' | broker credential get",
                 "aws configure set credential_process 'broker credential aws prod' --profile db"},
    .sets = SET_RUN | SET_CREDENTIAL,
    .most_words = 4,
    .words = "get store erase capability exit aws",
    .words2 = "profile",
    .words2_after = "aws",
    .run = credential_run,
};
