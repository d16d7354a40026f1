/* SPDX-License-Identifier: MIT */
/*
 * The two files of ~/.aws, and everything that is derived from them: chains for several profiles, their
 * descriptions and identities, endpoints. The first two bytes are the length of the config file; the rest is
 * the credentials file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <aws/chain.h>
#include <aws/endpoint.h>
#include <aws/files.h>
#include <aws/session.h>
#include <base/mem.h>

#include "../unit/aws_auto.h"

static void try_profile(const struct aws_env *env, const struct aws_files *files, const char *profile)
{
    struct err e = ERR_INIT;
    struct aws_endpoint endpoint;
    AUTO_AWS_CHAIN(chain);
    AUTO_BUF(words, 1 << 20);

    if (aws_chain_resolve(env, files, profile, &chain, &e) == 0) {
        if (chain.count == 0)
            abort();
        aws_chain_describe(&chain, &words);
        const struct aws_context c = {.env = *env, .files = *files, .chain = chain};
        AUTO_FREE(char *, identity);
        identity = aws_session_identity(&c);
        if (strlen(identity) != 32 + strlen(AWS_SESSION_PREFIX))
            abort();
    } else if (!e.msg[0] || !e.hint[0]) {
        abort();
    }
    (void)aws_files_check(files, AWS_PROFILE, profile ? profile : "default", &e);
    for (int service = AWS_STS; service <= AWS_SIGNIN; service++)
        (void)aws_endpoint_find(env, files, profile ? profile : "default", (enum aws_service)service,
                                "eu-west-1", &endpoint, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct aws_env none = {0}, keys = {.access_key_id = "i", .secret_access_key = "s"},
                                named = {.profile = "a", .container_full_uri = "http://x"};
    struct err e = ERR_INIT;
    AUTO_AWS_FILES(files);

    if (size < 2)
        return 0;
    size_t config = (size_t)data[0] << 8 | data[1];
    const char *text = (const char *)data + 2;
    size -= 2;
    config = config < size ? config : size;
    if (aws_files_parse(text, config, text + config, size - config, &files, &e) < 0) {
        if (!e.what[0] || !e.msg[0])
            abort();
        return 0;
    }
    try_profile(&none, &files, NULL);
    try_profile(&keys, &files, "a");
    try_profile(&named, &files, NULL);
    try_profile(&none, &files, "b");
    return 0;
}
