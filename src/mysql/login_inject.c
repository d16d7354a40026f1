/* SPDX-License-Identifier: MIT */
/*
 * The keeper logs in itself: the table `rules` contains which packet may arrive at which stage, and the
 * action for it. Anything else is a protocol error, which ends both sides. What login_filter.c says about TLS
 * applies here too, and more: nothing that the client sends goes to the server, the password only as its
 * method allows (auth_method.c), and no answer before the client has proved that it may connect. If it does
 * not, the server gets an answer without any real data (inject_empty_login()).
 *
 * The sequence numbers of the two sides are independent. What the client sends too early is kept until bytes
 * are copied: MariaDB's Java client sends its first command ahead.
 */
#include "login_inject.h"

#include <stdlib.h>

#include <base/mem.h>
#include <sodium.h>

#define AT(stage) (1u << (stage))
/* Stages in which a method was chosen, but the server may still name another one. */
#define MAY_SWITCH (AT(STAGE_LOGIN) | AT(STAGE_NAMED) | AT(STAGE_FAST))
/* Stages in which the server has got all the answers that it asked for. */
#define ANSWERED (AT(STAGE_LOGIN) | AT(STAGE_FAST) | AT(STAGE_LAST))
#define ANY_TIME (MAY_SWITCH | ANSWERED | AT(STAGE_KEY) | AT(STAGE_SALT))

static const struct rule {
    unsigned stages;
    enum mysql_said said;
    mysql_act *act;
} rules[] = {
    /* Before TLS. */
    {AT(STAGE_GREETING), SERVER_GREETING, act_greet_ours},
    {AT(STAGE_GREETING), SERVER_GREETING_NO_TLS, act_greet_plain},
    {AT(STAGE_AGAIN), SERVER_GREETING, act_greet_again},
    {AT(STAGE_AGAIN), SERVER_GREETING_NO_TLS, act_greet_again},
    {AT(STAGE_GREETING) | AT(STAGE_ANSWER) | AT(STAGE_PROOF) | AT(STAGE_AGAIN), SERVER_ERROR,
     act_retell_error},
    {AT(STAGE_ANSWER), CLIENT_ANSWER, act_check_answer},
    {AT(STAGE_ANSWER), CLIENT_ASKS_TLS, act_refuse_tls},
    {AT(STAGE_ANSWER), CLIENT_OLD, act_refuse_old},
    {AT(STAGE_PROOF), CLIENT_WORD, act_check_word},
    {AT(STAGE_PROOF), CLIENT_NOT_NEXT, act_refuse_word},
    /* After TLS was set up, unless the profile does not use TLS. */
    {MAY_SWITCH, SERVER_SWITCH, act_switch},
    {MAY_SWITCH, SERVER_SWITCH_OLD, act_refuse_method},
    {AT(STAGE_FAST), SERVER_FAST_OK, act_fast_ok},
    {AT(STAGE_FAST), SERVER_WANTS_ALL, act_full},
    {AT(STAGE_KEY), SERVER_PLUGIN, act_key},
    {AT(STAGE_SALT), SERVER_PLUGIN, act_salt},
    {ANSWERED, SERVER_FACTOR, act_refuse_factor},
    {ANSWERED, SERVER_OK, act_admit_ours},
    {ANY_TIME, SERVER_ERROR, act_deny},
};

mysql_act *inject_rule(enum mysql_stage stage, enum mysql_said said)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (rules[i].stages & AT(stage) && rules[i].said == said)
            return rules[i].act;
    }
    return NULL;
}

struct inject *inject_new(struct login_credential *as, const struct secret *client_password)
{
    struct inject *i = mem_alloc(1, sizeof *i);

    *i = (struct inject){.as = login_credential_hold(as), .client_password = client_password};
    i->kept = i->refusal = (struct buf)BUF_INIT(LOGIN_PACKET_MAX);
    /* As in servers, the scramble has no NUL, which ends a string, and no '$', which old servers could not
     * store. */
    for (size_t n = 0; n < sizeof i->scramble; n++) {
        do
            i->scramble[n] = (uint8_t)(randombytes_uniform(127) + 1);
        while (i->scramble[n] == '$');
    }
    return i;
}

void inject_free(struct inject *i)
{
    if (!i)
        return;
    login_credential_drop(i->as);
    buf_release(&i->kept);
    buf_release(&i->refusal);
    explicit_bzero(i, sizeof *i);
    free(i);
}

bool inject_asks_client(enum mysql_stage stage)
{
    return stage == STAGE_ANSWER || stage == STAGE_PROOF;
}

enum mysql_said inject_said_by_server(const struct mysql *m, enum mysql_said said, const struct packet *p)
{
    bool out_of_order = m->stage >= STAGE_LOGIN && p->sequence != m->inject->expects;

    if (out_of_order && said != SERVER_TOO_LONG)
        return SERVER_IMPOSSIBLE;
    /* MariaDB sends the byte MORE_DATA only if the data could be mistaken for something else. */
    if (said == SERVER_OTHER && m->stage == STAGE_FAST && p->len == 1)
        return p->body[0] == FAST_OK ? SERVER_FAST_OK : p->body[0] == WANTS_ALL ? SERVER_WANTS_ALL : said;
    return said == SERVER_OTHER && m->stage >= STAGE_LOGIN ? SERVER_PLUGIN : said;
}

enum mysql_said inject_said_by_client(const struct mysql *m, const struct packet *p)
{
    return p->sequence == (uint8_t)(m->next - 1) ? CLIENT_WORD : CLIENT_NOT_NEXT;
}
