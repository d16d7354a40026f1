/* SPDX-License-Identifier: MIT */
/*
 * Chooses the CA certificates that verify an RDS server. RDS signs its certificates with its own CAs, which
 * systems do not trust; RDS Proxy uses public CAs. The bundle is share/broker/rds-ca.pem in the program's
 * installation; rds-ca.txt next to it says where it comes from.
 */
#include "ca_certs.h"

#include <string.h>
#include <unistd.h>

#include <aws/partition.h>
#include <aws/rds_host.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <output/connection.h>

#define BUNDLE "broker/rds-ca.pem"
#define NOTES_MOST (256 * 1024)

static char *own_bundle(void)
{
    AUTO_FREE(char *, dir);

    dir = path_xdg("XDG_DATA_HOME", ".local/share");
    return dir ? mem_printf("%s/" BUNDLE, dir) : NULL;
}

/* Returns the path of the installed bundle: if the program is PREFIX/bin/broker, it is in
 * PREFIX/share/broker. */
static char *shipped_bundle(void)
{
    AUTO_FREE(char *, dir);

    dir = proc_self_dir();
    char *last = dir ? strrchr(dir, '/') : NULL;
    return last ? mem_printf("%.*s/share/" BUNDLE, (int)(last - dir), dir) : NULL;
}

void ca_certs_derive(struct profile *p)
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

/*
 * Returns true if the list next to the bundle, rds-ca.txt, has "CN=Amazon RDS eu-west-1 Root CA" for the
 * region. Also returns true if the list cannot be read: the handshake then fails if the certificate is
 * missing.
 */
static bool bundle_has(const char *bundle, const char *region)
{
    AUTO_BUF(notes, NOTES_MOST);
    AUTO_FREE(char *, path);
    AUTO_FREE(char *, name);
    struct err ignored = ERR_INIT;

    path = mem_printf("%.*s.txt", (int)(strlen(bundle) - strlen(".pem")), bundle);
    name = mem_printf("CN=Amazon RDS %s Root CA ", region);
    return file_read(path, FILE_ANY, &notes, &ignored) != 0 || strstr(buf_str(&notes), name);
}

/* Sets a hint with the page on which AWS publishes its CA certificates. */
static int hint_for_region(const char *region, struct err *e)
{
    const struct aws_partition *p = aws_partition_of(region);

    if (text_equal(p->name, "aws"))
        return err_hint(e, "download the CA certificates and set tls_ca to the file: "
                           "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem");
    if (text_equal(p->name, "aws-us-gov"))
        return err_hint(e, "download the CA certificates and set tls_ca to the file: "
                           "https://truststore.pki.us-gov-west-1.rds.amazonaws.com/global/global-bundle.pem");
    if (text_equal(p->name, "aws-cn"))
        return err_hint(e, "download the CA certificates and set tls_ca to the file: "
                           "https://rds-truststore.s3.cn-north-1.amazonaws.com.cn/global/global-bundle.pem");
    return err_hint(e, "set tls_ca to the CA certificates that AWS publishes for %s", region);
}

static int check_region(const struct profile *p, const char *bundle, struct err *e)
{
    const char *by = profile_str(p, KEY_sign_host), *name = by ? by : profile_str(p, KEY_host);
    struct rds_host host = name ? rds_host_parse(name) : (struct rds_host){0};

    if (!host.region[0] || bundle_has(bundle, host.region))
        return 0;
    (void)err_set(e, ERR_CONFIG, "broker has no CA certificates of RDS for %s", host.region);
    return hint_for_region(host.region, e);
}

bool ca_certs_are_own(const struct profile *p)
{
    const char *by = profile_str(p, KEY_sign_host), *name = by ? by : profile_str(p, KEY_host);

    return profile_str(p, KEY_tls_ca) && p->set[KEY_tls_ca].origin != ORIGIN_DERIVED &&
           !(name && rds_host_parse(name).region[0]);
}

/* The path of the user's own bundle is not trusted, because it depends on an environment variable. */
int ca_certs_check(const struct profile *p, struct err *e)
{
    const char *path = profile_str(p, KEY_tls_ca);
    AUTO_FREE(char *, own);

    if (!path || p->set[KEY_tls_ca].origin != ORIGIN_DERIVED)
        return 0;
    own = own_bundle();
    if (text_equal(path, own))
        return file_trust(path, FILE_TRUSTED, e) < 0 ? -1 : 0;
    if (access(path, R_OK) == 0)
        return check_region(p, path, e);
    (void)err_set(e, ERR_CONFIG, "%s: the CA certificates of RDS are missing", path);
    return err_hint(e, "install all of broker: make install; or set tls_ca");
}
