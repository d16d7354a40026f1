/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes an agent's answers, private key files, and the packets that libssh2 discards: the first byte
 * chooses one. Apart from memory errors, it checks that a key with a blob has a type, and that the list of
 * methods and the reason of a refusal are text.
 *
 * fuzz program: keeper
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libssh2/channel.h>
#include <libssh2/agent.h>
#include <ssh/key.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void agent_key(void *context, const unsigned char *blob, size_t n, const char *comment, size_t length)
{
    struct ssh_key *k = ssh_key_in_agent(blob, n, comment, length);

    (void)context;
    if (!k)
        return;
    if (k->blob.len != n || !k->in_agent || !*k->type)
        abort();
    ssh_key_free(k);
}

static void agent(const uint8_t *data, size_t size)
{
    const unsigned char *signature;
    size_t length;

    (void)agent_parse_keys(data, size, agent_key, NULL);
    if (agent_parse_signature(data, size, &signature, &length) &&
        (signature < data || length > (size_t)(data + size - signature)))
        abort();
}

static void key(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\0', size);
    size_t n = end ? (size_t)(end - data) : size;
    AUTO_BUF(pub, 32768);
    AUTO_BUF(line, 2 * SSH_BLOB_MAX);
    struct ssh_key *k = NULL;
    struct err e = ERR_INIT;

    if (n > SSH_KEY_MAX)
        return;
    buf_add(&pub, data + n, size - n > 1 ? size - n : 0);
    if (ssh_key_parse("key", secret_from(data, n), end ? buf_str(&pub) : NULL, &k, &e) < 0) {
        if (k || e.code != ERR_DATA)
            abort();
        return;
    }
    ssh_key_public_line(k, &line);
    if (k->blob.len && !*k->type)
        abort();
    ssh_key_free(k);
}

static void packet(const uint8_t *data, size_t size)
{
    static const enum session_state states[] = {SESSION_HANDSHAKE, SESSION_LOGIN, SESSION_UP};
    struct channel c = {0};
    struct ssh_session s = {.greeting = BUF_INIT(16384), .banner = BUF_INIT(BANNER_MOST), .opening = &c};
    AUTO_BUF(why, 512);

    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        s.state = states[i];
        peek_packet(&s, data, size);
    }
    greeting_add(&s, data, size);
    (void)greeting_disagrees(&s, &why);
    if (memchr(s.methods, '\0', sizeof s.methods) == NULL || strpbrk(s.methods, "\n\x1b") ||
        strpbrk(s.open_reason, "\n\x1b") || s.open_code > 4)
        abort();
    buf_release(&s.greeting);
    buf_release(&s.banner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(const uint8_t *, size_t) = {agent, key, packet};

    if (size)
        targets[*data % 3](data + 1, size - 1);
    return 0;
}
