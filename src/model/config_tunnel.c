/* SPDX-License-Identifier: MIT */
/* The tunnel of a profile: parses `via` and applies the keys of [tunnel NAME]. The session module checks
 * whether this build supports that kind of tunnel. */
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <base/text.h>
#include <model/config_file.h>
#include <model/via.h>

int tunnel_missing(const struct config *c, const char *name, struct err *e)
{
    const char *meant = text_closest(name, config_tunnel_names(c));

    (void)err_set(e, ERR_CONFIG, "no such tunnel '%s'", name);
    if (meant)
        return err_hint(e, "did you mean '%s'?", meant);
    return err_hint(e, "add [tunnel %s], or via = ssh://[USER@]HOST", name);
}

/* Returns true if the tunnel's command uses neither {local_port} nor {socket}: then it listens on an address
 * of its own, which the config must give. */
static bool needs_address(const char *type, const char *command)
{
    return text_equal(type, "tcp") || (text_equal(type, "command") && command &&
                                       !strstr(command, "{local_port}") && !strstr(command, "{socket}"));
}

/* Checks that the keys that the tunnel's type needs are set. `subject` is the tunnel's name for messages. */
static int check_complete(const struct profile *p, const char *subject, struct err *e)
{
    const char *type = profile_tunnel_str(p, TUNNEL_type), *command = profile_tunnel_str(p, TUNNEL_command);
    enum tunnel_key needed = text_equal(type, "ssh")                   ? TUNNEL_host
                             : text_equal(type, "command") && !command ? TUNNEL_command
                             : needs_address(type, command)            ? TUNNEL_address
                                                                       : TUNNEL_type;

    if (profile_tunnel_str(p, needed))
        return 0;
    const struct key_info *info = &tunnel_key_infos[needed];
    (void)err_set(e, ERR_CONFIG, "%s has no %s", subject, info->name);
    return err_hint(e, "%s = %s", info->name,
                    needed == TUNNEL_type      ? "ssh, command or tcp"
                    : needed == TUNNEL_host    ? "bastion.example.com"
                    : needed == TUNNEL_command ? "PROGRAM ARGUMENT..."
                    : command ? "127.0.0.1:13306, where it listens, or {local_port} in command"
                              : "127.0.0.1:13306");
}

static int check_section(const struct config *c, const struct section *s, const struct profile *p,
                         struct err *e)
{
    AUTO_FREE(char *, subject);

    subject = mem_printf("[tunnel %s]", s->name);
    return check_complete(p, subject, e) < 0 ? config_what(c, s->file, section_line(c, s), e) : 0;
}

/* Checks an inline tunnel. It has all keys that it needs, unless tunnel.type overrides its type. */
static int check_inline(const struct profile *p, struct err *e)
{
    const struct setting *type = &p->tunnel[TUNNEL_type];

    if (check_complete(p, p->set[KEY_via].value, e) == 0)
        return 0;
    if (type->origin == ORIGIN_FLAG)
        e->code = ERR_USAGE;
    return setting_what(type, e);
}

int tunnel_fill(const struct config *c, const char *name, struct profile *p, struct err *e)
{
    const struct section *s = section_find(c, SECTION_TUNNEL, name);

    if (!s)
        return section_lex_all(c, e) < 0 ? -1 : tunnel_missing(c, name, e);
    return layer_sections(c, s, ORIGIN_FILE, p, e) < 0 ? -1 : check_section(c, s, p, e);
}

/* Called if no tunnel is used. Keys for a tunnel are ignored if they come from [defaults], and are an error
 * on the command line. */
static int no_tunnel(struct profile *p, struct err *e)
{
    const struct setting *path = &p->set[KEY_socket];

    if (path->value && path->origin == ORIGIN_URL && text_equal(path->from, "ssh_remote_socket_path")) {
        (void)err_set(e, ERR_DATA, "ssh_remote_socket_path without ssh_host");
        (void)err_hint(e, "add ssh_host=HOST to the URL, or --via ssh://[USER@]HOST");
        return err_what(e, "URL");
    }
    for (size_t k = 0; k < TUNNEL_COUNT; k++) {
        if (p->tunnel[k].origin == ORIGIN_FLAG) {
            (void)err_set(e, ERR_USAGE, "there is no tunnel to set this for");
            (void)err_hint(e, "--via TUNNEL, or via in the profile");
            return err_what(e, "%s", p->tunnel[k].from);
        }
        setting_clear(&p->tunnel[k]);
    }
    return 0;
}

/* Drops the URL's tunnel settings if another tunnel is used. */
static void drop_url_tunnel(struct profile *p)
{
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (p->tunnel[k].origin == ORIGIN_URL)
            setting_clear(&p->tunnel[k]);
    secret_free(p->ssh_password);
    p->ssh_password = NULL;
}

int tunnel_resolve(const struct config *c, struct profile *p, struct err *e)
{
    const struct setting *by = &p->set[KEY_via];
    AUTO_VIA(via);

    if (by->origin != ORIGIN_URL)
        drop_url_tunnel(p);
    if (!profile_is_tunnelled(p))
        return no_tunnel(p, e);
    if (via_parse(by->value, &via, e) < 0)
        return setting_what(by, e);
    if (via.form == VIA_NAME) {
        if (tunnel_fill(c, by->value, p, e) < 0) {
            if (by->origin == ORIGIN_FLAG && !e->what[0])
                e->code = ERR_USAGE;
            return setting_what(by, e);
        }
        p->tunnel_name = mem_strdup(by->value);
    } else {
        tunnel_put_inline(p, &via);
        if (check_inline(p, e) < 0)
            return -1;
    }
    settle_built_in(p->tunnel, tunnel_key_infos, TUNNEL_COUNT);
    return 0;
}
