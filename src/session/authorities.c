/*
 * RDS signs its certificates with authorities of its own, which no system trusts; RDS Proxy uses public ones.
 * The bundle is share/broker/rds-ca.pem beside the program (its origin: share/broker/README.md).
 */
#include "authorities.h"

#include <string.h>
#include <unistd.h>

#include <aws/rds_host.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <output/connection.h>

#define BUNDLE "broker/rds-ca.pem"

static char *own_bundle(void)
{
    AUTO_FREE(char *, dir);

    dir = path_xdg("XDG_DATA_HOME", ".local/share");
    return dir ? mem_printf("%s/" BUNDLE, dir) : NULL;
}

/* PREFIX/bin/broker has PREFIX/share/broker. */
static char *shipped_bundle(void)
{
    AUTO_FREE(char *, dir);

    dir = proc_self_dir();
    char *last = dir ? strrchr(dir, '/') : NULL;
    return last ? mem_printf("%.*s/share/" BUNDLE, (int)(last - dir), dir) : NULL;
}

void authorities_derive(struct profile *p)
{
    bool by_sign_host = profile_str(p, KEY_sign_host);
    const char *name = profile_str(p, by_sign_host ? KEY_sign_host : KEY_host);
    AUTO_FREE(char *, path);

    if (p->set[KEY_tls_ca].origin != ORIGIN_UNSET || !name || !rds_host_uses_rds_ca(name) ||
        tls_level_parse(profile_str(p, KEY_tls)) < TLS_VERIFY_CA)
        return;
    path = own_bundle();
    if (!path || access(path, R_OK) < 0) {
        mem_free_cleanup(&path);
        path = shipped_bundle();
    }
    setting_put(&p->set[KEY_tls_ca], path, ORIGIN_DERIVED, by_sign_host ? "sign_host" : "host", 0);
}

/* The own bundle is found by a variable, which may be another user's. */
int authorities_check(const struct profile *p, struct err *e)
{
    const char *path = profile_str(p, KEY_tls_ca);
    AUTO_FREE(char *, own);

    if (!path || p->set[KEY_tls_ca].origin != ORIGIN_DERIVED)
        return 0;
    own = own_bundle();
    if (text_equal(path, own))
        return file_trust(path, FILE_TRUSTED, e) < 0 ? -1 : 0;
    if (access(path, R_OK) == 0)
        return 0;
    (void)err_set(e, ERR_CONFIG, "%s: the authorities of RDS are missing", path);
    return err_hint(e, "install broker whole: make install; or set tls_ca");
}
