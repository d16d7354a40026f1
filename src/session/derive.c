/* SPDX-License-Identifier: MIT */
/* Derives keys from other keys and stores them as settings, so that `profile show` prints them. */
#include <session/plan.h>

#include <string.h>

#include <aws/rds_host.h>
#include <base/text.h>
#include <model/address.h>
#include <output/connection.h>

bool plan_own_socket(const struct profile *p)
{
    return profile_str(p, KEY_socket) &&
           (!profile_is_tunnelled(p) || text_equal(profile_tunnel_str(p, TUNNEL_type), "ssh"));
}

bool plan_cleartext(const struct profile *p)
{
    return text_equal(profile_str(p, KEY_auth), "iam") || profile_bool(p, KEY_cleartext);
}

static void derive(struct profile *p, enum key k, const char *value, const char *from)
{
    if (!p->set[k].value)
        setting_clear(&p->set[k]); /* a key that is set to an empty value counts as unset */
    (void)setting_put(&p->set[k], value, ORIGIN_DERIVED, from, 0);
}

static void derive_tls(struct profile *p)
{
    const char *host = profile_str(p, KEY_host);
    bool direct = !profile_is_tunnelled(p);

    if (plan_own_socket(p))
        derive(p, KEY_tls, "preferred", "socket");
    else if (profile_str(p, KEY_tls_ca))
        derive(p, KEY_tls, "verify-identity", "tls_ca");
    else if (plan_cleartext(p))
        derive(p, KEY_tls, "verify-identity",
               text_equal(profile_str(p, KEY_auth), "iam") ? "auth" : "cleartext");
    else if (direct && !host_is_loopback(host ? host : "localhost"))
        derive(p, KEY_tls, "required", "host");
    else
        derive(p, KEY_tls, "preferred", direct ? "host" : "via");
}

/* Takes the region from the host name for which a token is signed, if the name contains it. */
static void derive_region(struct profile *p)
{
    bool by_sign_host = profile_str(p, KEY_sign_host);
    const char *name = profile_str(p, by_sign_host ? KEY_sign_host : KEY_host);

    if (!name || !text_equal(profile_str(p, KEY_auth), "iam"))
        return;
    struct rds_host host = rds_host_parse(name);
    if (host.region[0])
        derive(p, KEY_region, host.region, by_sign_host ? "sign_host" : "host");
}

static int check_socket_tls(const struct profile *p, struct err *e)
{
    if (!plan_own_socket(p) || tls_level_parse(profile_str(p, KEY_tls)) <= TLS_PREFERRED)
        return 0;
    (void)err_set(e, ERR_CONFIG, "tls = %s over the server's own socket", profile_str(p, KEY_tls));
    return err_hint(e, "set tls = preferred (a local socket does not use the network), or set host for TCP");
}

static int check_cleartext(const struct profile *p, struct err *e)
{
    enum tls_level level = tls_level_parse(profile_str(p, KEY_tls));
    enum origin said = p->set[KEY_tls].origin;

    if (!plan_cleartext(p) || plan_own_socket(p) || level > TLS_REQUIRED)
        return 0;
    if (level == TLS_REQUIRED && (said == ORIGIN_FILE || said == ORIGIN_URL))
        return 0;
    (void)err_set(e, ERR_CONFIG, "tls = %s with a password sent in cleartext", profile_str(p, KEY_tls));
    return err_hint(e, level == TLS_REQUIRED
                           ? "set tls = verify-identity, or write tls = required in the profile itself"
                           : "set tls = verify-identity");
}

int plan_derive(struct profile *p, struct err *e)
{
    const char *host = profile_str(p, KEY_host);

    if (!host && !profile_str(p, KEY_socket))
        derive(p, KEY_socket, "auto", "host");
    derive_tls(p);
    derive_region(p);
    return check_socket_tls(p, e) < 0 || check_cleartext(p, e) < 0 ? -1 : 0;
}
