/* SPDX-License-Identifier: MIT */
/*
 * Checks the URL of a login page, which is passed to the program that opens a browser. A fake Vault server
 * could otherwise make it open a local file, or run another program through a URL scheme.
 */
#include "auth_url.h"

#include <string.h>
#include <strings.h>

#include <base/buf.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/address.h>

#define URL_MOST 16384
#define STATE_MOST 2048

static int refuse(const char *why, struct err *e)
{
    (void)err_set(e, ERR_PROTOCOL, "Vault: the address of its login page %s", why);
    return err_hint(
        e, "check vault_addr and vault_mount; ask Vault's administrators for the provider's address");
}

static const char *fault_of(const char *url)
{
    AUTO_FREE(char *, authority);
    AUTO_FREE(char *, host);
    bool is_plain = text_starts(url, "http://");
    const char *at = url;
    long port;

    while (*at >= '!' && *at <= '~')
        at++;
    if (*at)
        return "contains a byte that a URL cannot have";
    if (strlen(url) > URL_MOST)
        return "is too long";
    if (!is_plain && !text_starts(url, "https://"))
        return "is not https";
    at = url + (is_plain ? 7 : 8);
    authority = mem_strndup(at, strcspn(at, "/?#"));
    if (!address_split(authority, &host, &port))
        return "has no valid host";
    return is_plain && !host_is_loopback(host) ? "is not https" : NULL;
}

/* Finds the value of a query parameter. Returns false if it is missing or not unique. */
static bool parameter(const char *url, const char *name, struct buf *out)
{
    const char *at = url + strcspn(url, "?#");
    size_t n = strlen(name);
    unsigned found = 0;

    while (*at == '?' || *at == '&') {
        at++;
        size_t part = strcspn(at, "&#");
        if (part > n && strncmp(at, name, n) == 0 && at[n] == '=') {
            buf_clear(out);
            found += text_percent_decode(out, at + n + 1, part - n - 1) && buf_ok(out) ? 1 : 2;
        }
        at += part;
    }
    return found == 1 && out->len;
}

int vault_auth_url_read(const char *url, struct secret **state, bool *form, struct err *e)
{
    AUTO_BUF(value, STATE_MOST);
    AUTO_BUF(mode, 64);
    const char *fault = fault_of(url);

    if (fault)
        return refuse(fault, e);
    if (!parameter(url, "state", &value))
        return refuse("has no state parameter", e);
    *state = secret_from(buf_str(&value), value.len);
    *form = parameter(url, "response_mode", &mode) && text_equal(buf_str(&mode), "form_post");
    return 0;
}
