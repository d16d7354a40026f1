/* SPDX-License-Identifier: MIT */
/* Recognises the format of a file by its text, not by its name, because users rename exported files. */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>

/* Tried in this order: formats that are easiest to recognise come first. */
static const struct import_format *const formats[] = {
    &import_mylogin,  &import_plist, &import_workbench, &import_datagrip,    &import_dbeaver,
    &import_heidisql, &import_mycli, &import_usql,      &import_option_file, &import_urls,
};

static int refuse(struct err *e)
{
    (void)err_set(e, ERR_DATA, "not a file of connections that broker can import");
    return err_hint(
        e, "it reads a list of URLs, ~/.my.cnf, ~/.mylogin.cnf, and files of MySQL Workbench, DBeaver, "
           "DataGrip, HeidiSQL, Sequel Ace, TablePlus, mycli and usql");
}

/* Sets a TLS level for every profile, because other programs do not verify certificates by default, and
 * broker's default could break a working connection. */
static void settle_tls(struct import_entry *entry)
{
    const char *auth = profile_str(&entry->p, KEY_auth);
    bool is_verified = text_equal(auth, "iam") || profile_bool(&entry->p, KEY_cleartext);

    if (is_verified && !text_equal(profile_str(&entry->p, KEY_tls), "verify-identity")) {
        if (entry->is_tls_said)
            import_leave(entry, "tls", "a cleartext password or token needs verify-identity");
        import_put(entry, KEY_tls, "verify-identity");
        entry->is_tls_said = true;
    } else if (!profile_str(&entry->p, KEY_tls)) {
        import_put(entry, KEY_tls, "preferred");
    }
}

/* Returns true if an SSH user name can be put into a URL without encoding. */
static bool is_plain_user(const char *user)
{
    return !user || !user[strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

/* Writes a bastion without a key file as `via = ssh://...`, and one with a key file as a section of its own.
 */
static void settle_tunnel(struct import_entry *entry)
{
    const char *host = entry->p.tunnel[TUNNEL_host].value, *user = entry->p.tunnel[TUNNEL_user].value;
    const char *port = entry->p.tunnel[TUNNEL_port].value;
    bool has_key = entry->p.tunnel[TUNNEL_identity].value;
    AUTO_BUF(via, 4096);

    if (host && (has_key || !is_plain_user(user))) {
        import_drop(entry, KEY_via, NULL);
        import_put_tunnel(entry, TUNNEL_type, "ssh");
        return;
    }
    for (size_t k = 0; k < TUNNEL_COUNT; k++)
        if (k != TUNNEL_host && k != TUNNEL_user && k != TUNNEL_port)
            setting_clear(&entry->p.tunnel[k]);
    if (host) {
        buf_puts(&via, "ssh://");
        if (user)
            buf_printf(&via, "%s@", user);
        text_address(&via, host, port ? strtol(port, NULL, 10) : -1);
        import_put(entry, KEY_via, buf_str(&via));
    }
    setting_clear(&entry->p.tunnel[TUNNEL_host]);
    setting_clear(&entry->p.tunnel[TUNNEL_user]);
    setting_clear(&entry->p.tunnel[TUNNEL_port]);
}

static void settle(struct import_entry *entry)
{
    settle_tls(entry);
    settle_tunnel(entry);
}

int import_read(const char *path, struct buf *text, struct import_list *out, struct err *e)
{
    const struct import_format *f = NULL;

    for (size_t i = 0; i < ARRAY_LEN(formats) && !f; i++)
        if (formats[i]->is_it(buf_str(text), text->len))
            f = formats[i];
    if (!f)
        return refuse(e);
    out->format = f->name;
    if (f->read(path, text, out, e) < 0)
        return err_prefix(e, "%s", f->name);
    for (size_t i = 0; i < out->count; i++)
        settle(&out->entry[i]);
    return 0;
}
