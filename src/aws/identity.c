/* SPDX-License-Identifier: MIT */
/*
 * The identity of a chain: a hash of the names in its steps, and of the settings that determine what these
 * names mean. It does not contain the region, because a role is the same in every region. Whether a name
 * still refers to the same user is checked by the sources (`proof` in aws/source.h).
 */
#include "walk.h"

#include <aws/endpoint.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <model/identity.h>

#define IDENTITY_MOST (8 << 20) /* more than both files together can contain */

/* Adds the program's path with symbolic links resolved. A missing program is left out; it has no result to
 * cache. */
static void add_program(struct buf *out, const char *command)
{
    AUTO_WORDS(words);
    struct err ignored = ERR_INIT;

    if (!command || text_split_words(command, &words, &ignored) < 0)
        return;
    char *path = proc_find(words.word[0]);
    if (path) {
        mem_wipe_free(words.word[0]);
        words.word[0] = path;
    }
    identity_add_program(out, &words);
}

static void add_step(struct buf *out, const struct aws_step *s)
{
    const char *const fields[] = {aws_kind_words(s->kind), s->id,          s->command,      s->role_arn,
                                  s->session_name,         s->external_id, s->mfa_serial,   s->duration,
                                  s->token_file,           s->session,     s->start_url,    s->sso_region,
                                  s->sso_account,          s->sso_role,    s->login_session};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        identity_add_field(out, fields[i]);
    add_program(out, s->command);
}

static const char *property(const struct aws_context *c, const char *key)
{
    const struct aws_property *p = aws_files_property(&c->files, AWS_PROFILE, c->chain.profile, key);

    return p ? p->value : NULL;
}

static void add_places(struct buf *out, const struct aws_context *c)
{
    static const enum aws_service services[] = {AWS_STS, AWS_SSO, AWS_SSO_OIDC, AWS_SIGNIN};

    identity_add_field(out, path_home());
    identity_add_field(out, c->env.login_cache_directory);
    for (size_t i = 0; i < AWS_FILES; i++) {
        AUTO_FREE(char *, real);
        real = c->files.path[i] ? path_real(c->files.path[i]) : NULL;
        identity_add_field(out, real ? real : c->files.path[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(services); i++) {
        AUTO_BUF(url, 8192);
        aws_endpoint_configured(&c->env, &c->files, c->chain.profile, services[i], &url);
        identity_add_field(out, buf_str(&url));
    }
    if (c->chain.step[0].kind != AWS_KIND_instance)
        return;
    identity_add_field(out, c->env.metadata_endpoint ? c->env.metadata_endpoint
                                                     : property(c, "ec2_metadata_service_endpoint"));
    identity_add_field(out, c->env.metadata_endpoint_mode
                                ? c->env.metadata_endpoint_mode
                                : property(c, "ec2_metadata_service_endpoint_mode"));
}

void chain_identity(const struct aws_context *c, char out[33])
{
    AUTO_BUF(text, IDENTITY_MOST);

    for (size_t i = 0; i < c->chain.count; i++)
        add_step(&text, &c->chain.step[i]);
    add_places(&text, c);
    text_hash(buf_str(&text), text.len, out);
}
