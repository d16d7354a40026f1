/* SPDX-License-Identifier: MIT */
/* Gathers what a plan needs to know about this machine: the client program, a socket that answers, CA
 * certificates, option files. */
#include "facts.h"

#include <stdlib.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <output/connection.h>

#include "ca_certs.h"
#include "includes.h"
#include "sockets.h"

static const char *const ca_files[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* SUSE */
    "/etc/ssl/cert.pem",                  /* Alpine, the BSDs, macOS */
};

void facts_release(struct facts *f)
{
    client_release(&f->client);
    free(f->ca_file);
    free(f->socket);
    words_release(&f->includes);
    *f = (struct facts){0};
}

static void find_ca_file(struct facts *f)
{
    for (size_t i = 0; i < ARRAY_LEN(ca_files) && !f->ca_file; i++) {
        if (access(ca_files[i], R_OK) == 0)
            f->ca_file = mem_strdup(ca_files[i]);
    }
}

/* Lists the option files that the MySQL clients read by default, in their order. Missing ones are left out,
 * because mysql 9 warns about them. */
static void find_includes(struct facts *f)
{
    const char *mysql_home = secure_getenv("MYSQL_HOME"), *home = path_home();
    AUTO_FREE(char *, at_mysql_home);
    AUTO_FREE(char *, at_home);

    at_mysql_home = mysql_home && *mysql_home ? mem_printf("%s/my.cnf", mysql_home) : NULL;
    at_home = home ? mem_printf("%s/.my.cnf", home) : NULL;
    const char *const files[] = {"/etc/my.cnf", "/etc/mysql/my.cnf", at_mysql_home, at_home};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (files[i] && access(files[i], R_OK) == 0)
            words_add(&f->includes, files[i]);
    }
}

int facts_gather(const struct profile *p, const struct facts_wanted *want, struct facts *out, struct err *e)
{
    bool direct = !profile_is_tunnelled(p);

    if ((want->client || (want->route && !direct)) && ca_certs_check(p, e) < 0)
        return -1;
    if (want->client && client_find(want->client_name ? want->client_name : profile_str(p, KEY_client),
                                    want->deadline, &out->client, e) < 0)
        return -1;
    if (want->socket && direct && text_equal(profile_str(p, KEY_socket), "auto") &&
        socket_discover(p->name, &out->socket, e) < 0)
        return -1;
    if (!profile_str(p, KEY_tls_ca) && tls_level_parse(profile_str(p, KEY_tls)) >= TLS_VERIFY_CA)
        find_ca_file(out);
    if (!want->client || !profile_bool(p, KEY_my_cnf))
        return 0;
    find_includes(out);
    return includes_check(&out->includes, out->client.flavour,
                          tls_level_parse(profile_str(p, KEY_tls)) >= TLS_REQUIRED,
                          !text_equal(profile_str(p, KEY_auth), "client"), e);
}
