/* SPDX-License-Identifier: MIT */
/*
 * Makes a presigned `GET https://HOST:PORT/?Action=connect&DBUser=USER` for the service rds-db, without the
 * scheme. The keys are not verified: the server refuses a token signed with wrong or expired keys. As in
 * botocore, the token has the host as given, but signs it in lower case; port 443 is in the token, but is not
 * signed.
 */
#include <aws/rds_token.h>

#include <base/mem.h>

#include <aws/sigv4.h>

int rds_token_make(const struct rds_token *t, const struct aws_keys *keys, struct secret **out, struct err *e)
{
    AUTO_BUF(text, SECRET_MAX);
    AUTO_FREE(char *, host);

    host = t->port == 443 ? mem_strdup(t->host) : mem_printf("%s:%u", t->host, t->port);
    for (char *s = host; *s; s++)
        *s = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
    const struct sigv4_field query[] = {{"Action", "connect"}, {"DBUser", t->user}};
    const struct sigv4_field header[] = {{"host", host}};
    const struct sigv4_request r = {.method = "GET",
                                    .path = "/",
                                    .query = query,
                                    .query_count = ARRAY_LEN(query),
                                    .header = header,
                                    .header_count = ARRAY_LEN(header),
                                    .region = t->region,
                                    .service = "rds-db",
                                    .now = t->now};
    buf_printf(&text, "%s:%u/?", t->host, t->port);
    if (sigv4_presign(&r, keys, RDS_TOKEN_SECONDS, &text, e) < 0)
        return err_prefix(e, "RDS token");
    *out = secret_from(buf_str(&text), text.len);
    return 0;
}
