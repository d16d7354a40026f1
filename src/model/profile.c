/* SPDX-License-Identifier: MIT */
/* Profiles as values: settings with an origin. config_resolve.c and url.c fill them in. */
#include <model/profile.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>

void setting_clear(struct setting *s)
{
    free(s->value);
    free(s->from);
    *s = (struct setting){0};
}

void profile_release(struct profile *p)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        setting_clear(&p->set[i]);
    for (size_t i = 0; i < TUNNEL_COUNT; i++)
        setting_clear(&p->tunnel[i]);
    free(p->name);
    free(p->tunnel_name);
    secret_free(p->password);
    secret_free(p->ssh_password);
    *p = (struct profile){0};
}

bool setting_put(struct setting *s, const char *value, enum origin origin, const char *from, unsigned line)
{
    if (origin <= s->origin)
        return false;
    setting_clear(s);
    s->value = value && *value ? mem_strdup(value) : NULL;
    s->origin = origin;
    s->from = mem_strdup(from);
    s->line = line;
    return true;
}

const char *profile_str(const struct profile *p, enum key k)
{
    return p->set[k].value;
}

bool profile_bool(const struct profile *p, enum key k)
{
    return text_equal(p->set[k].value, "yes");
}

unsigned profile_number(const struct profile *p, enum key k)
{
    unsigned long n;

    return text_number(p->set[k].value, UINT32_MAX, &n) ? (unsigned)n : 0;
}

long profile_ms(const struct profile *p, enum key k)
{
    long ms;

    return p->set[k].value && duration_parse(p->set[k].value, &ms) ? ms : 0;
}

bool profile_is_tunnelled(const struct profile *p)
{
    const char *via = profile_str(p, KEY_via);

    return via && strcmp(via, "direct") != 0;
}

const char *profile_tunnel_str(const struct profile *p, enum tunnel_key k)
{
    return p->tunnel[k].value;
}

bool profile_uses_url_password(const struct profile *p)
{
    const char *auth = profile_str(p, KEY_auth);

    return p->password && (text_equal(auth, "keychain") || text_equal(auth, "prompt"));
}

char *profile_label(const struct profile *p)
{
    const char *host = profile_str(p, KEY_host), *path = profile_str(p, KEY_socket);

    return mem_strdup(p->name ? p->name : host ? host : path && !text_equal(path, "auto") ? path : "local");
}
