/* SPDX-License-Identifier: MIT */
/* Parses the value of `via`. config_resolve.c checks whether a tunnel of that name exists. */
#include <model/via.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>
#include <model/profile.h>

void via_release(struct via *v)
{
    free(v->user);
    free(v->host);
    *v = (struct via){0};
}

static int refuse(struct err *e, const char *why)
{
    (void)err_set(e, ERR_CONFIG, "via: %s", why);
    return err_hint(e, "a tunnel's name, ssh://[USER@]HOST[:PORT], tcp://HOST:PORT, or direct");
}

/* Returns true for a user name that ssh cannot take for an option, and that the shell of ssh's ProxyCommand
 * or Match cannot take for a command. */
static bool is_user(const char *s)
{
    return *s && *s != '-' && !s[strcspn(s, " \t/?#:'\"\\`$;&|<>(){}*!")];
}

static int parse_ssh(const char *rest, struct via *out, struct err *e)
{
    const char *at = strrchr(rest, '@');

    if (at) {
        out->user = mem_strndup(rest, (size_t)(at - rest));
        if (strchr(out->user, ':')) {
            (void)err_set(e, ERR_CONFIG, "via: a tunnel's address cannot have a password");
            return err_hint(e, "ssh://USER@HOST, then: broker password set --tunnel NAME");
        }
        if (!is_user(out->user))
            return refuse(e, "not a user name");
        rest = at + 1;
    }
    out->form = VIA_SSH;
    if (!address_split(rest, &out->host, &out->port) || out->port == 0)
        return refuse(e, "not HOST or HOST:PORT");
    return 0;
}

static int parse_tcp(const char *rest, struct via *out, struct err *e)
{
    out->form = VIA_TCP;
    if (!address_split(rest, &out->host, &out->port) || out->port < 1)
        return refuse(e, "not HOST:PORT");
    return 0;
}

int via_parse(const char *text, struct via *out, struct err *e)
{
    if (text_starts(text, "ssh://"))
        return parse_ssh(text + 6, out, e);
    if (text_starts(text, "tcp://"))
        return parse_tcp(text + 6, out, e);
    out->form = text_equal(text, "direct") ? VIA_DIRECT : VIA_NAME;
    return profile_name_valid(text) ? 0 : refuse(e, "not a tunnel");
}

void tunnel_put_inline(struct profile *p, const struct via *via)
{
    const struct setting *by = &p->set[KEY_via];
    AUTO_BUF(address, 512);
    char port[24];

    (void)setting_put(&p->tunnel[TUNNEL_type], via->form == VIA_SSH ? "ssh" : "tcp", by->origin, by->from,
                      by->line);
    if (via->form == VIA_TCP) {
        text_address(&address, via->host, via->port);
        (void)setting_put(&p->tunnel[TUNNEL_address], buf_str(&address), by->origin, by->from, by->line);
        return;
    }
    (void)setting_put(&p->tunnel[TUNNEL_host], via->host, by->origin, by->from, by->line);
    if (via->user)
        (void)setting_put(&p->tunnel[TUNNEL_user], via->user, by->origin, by->from, by->line);
    if (via->port >= 0) {
        (void)snprintf(port, sizeof port, "%ld", via->port);
        (void)setting_put(&p->tunnel[TUNNEL_port], port, by->origin, by->from, by->line);
    }
}
