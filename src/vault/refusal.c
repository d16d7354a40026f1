/* SPDX-License-Identifier: MIT */
/*
 * Vault's errors. If a status has several meanings (403: an invalid token or a policy; 400: among others an
 * unknown role), Vault's own message is shown; the callers add hints.
 */
#include "refusal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <base/text.h>

#define WORDS_MOST 65536

/* Skips "N error(s) occurred:". */
static const char *skip_count(const char *s)
{
    const char *at = s + strspn(s, "0123456789");

    if (at == s)
        return s;
    if (text_starts(at, " error occurred:"))
        return at + sizeof " error occurred:" - 1;
    return text_starts(at, " errors occurred:") ? at + sizeof " errors occurred:" - 1 : s;
}

void vault_words(const char *errors, char *out, size_t size)
{
    AUTO_BUF(text, WORDS_MOST);
    AUTO_BUF(clean, WORDS_MOST);

    while (*errors) {
        size_t n = strcspn(errors, "\n");
        const char *end = errors + n, *at = errors;
        while (at < end && strchr(" \t*", *at))
            at++;
        at = skip_count(at);
        at += strspn(at, " ");
        while (end > at && strchr(" \t", end[-1]))
            end--;
        if (at < end && text.len)
            buf_puts(&text, "; ");
        if (at < end)
            buf_add(&text, at, (size_t)(end - at));
        errors += n + (errors[n] == '\n');
    }
    text_sanitise_line(&clean, buf_str(&text), text.len);
    (void)snprintf(out, size, "%s", buf_str(&clean));
}

/* Returns the length of the origin in an http or https URL; 0 if the URL is not one or its host has unusual
 * characters. */
static int origin_length(const char *url)
{
    size_t n = text_starts(url, "https://") ? 8 : text_starts(url, "http://") ? 7 : 0;
    size_t host =
        n ? strspn(url + n, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") : 0;

    return host && (!url[n + host] || strchr("/?#", url[n + host])) ? (int)(n + host) : 0;
}

/* Explains a redirect, by which a standby node names the active node. It is not followed, because the request
 * contains the token. */
static int explain_redirect(const struct vault *v, const struct vault_refusal *why, const char *location,
                            struct err *e)
{
    int n = origin_length(location);

    if (!n) {
        (void)err_set(e, ERR_PROTOCOL, "Vault: %s answered with a redirect (HTTP %u)", v->addr, why->status);
        return err_hint(e, "set vault_addr to the base URL, for example https://vault.example.com:8200");
    }
    (void)err_set(e, ERR_PROTOCOL, "Vault: %s redirects to %.*s (HTTP %u)", v->addr, n, location,
                  why->status);
    (void)err_detail(e, "broker does not follow it, because it would send the token there");
    return err_hint(e, "if that is your server, set vault_addr = %.*s", n, location);
}

static const struct {
    unsigned status;
    enum err_code code;
    const char *only, *words, *hint; /* only: a part of Vault's message; words NULL: show Vault's */
} rows[] = {
    {503, ERR_TRY_LATER, "sealed", "Vault is sealed", "ask Vault's administrators to unseal it"},
    {503, ERR_TRY_LATER, "not initialized", "Vault is not initialised", "ask Vault's administrators"},
    {429, ERR_TRY_LATER, "lease count", NULL, "end unused leases with broker logout, or try again later"},
    {429, ERR_TRY_LATER, "", NULL, "try again in a minute"},
    {412, ERR_TRY_LATER, "", "Vault's replica lags behind (HTTP 412)", "try again in a minute"},
    {404, ERR_REFUSED, "no handler for route", NULL,
     "check vault_path and vault_mount: nothing is mounted there"},
    {404, ERR_REFUSED, "", NULL, "check vault_path and vault_addr"},
    {405, ERR_REFUSED, "", NULL, "check vault_path: that path cannot be read"},
};

int vault_explain(const struct vault *v, const struct vault_refusal *why, const char *location, struct err *e)
{
    char status[32];

    if (why->status >= 300 && why->status < 400)
        return explain_redirect(v, why, location, e);
    (void)snprintf(status, sizeof status, "HTTP %u", why->status);
    const char *words = why->words[0] ? why->words : status;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status != why->status || !strstr(why->words, rows[i].only))
            continue;
        (void)err_set(e, rows[i].code, "Vault: %s", rows[i].words ? rows[i].words : words);
        return err_hint(e, "%s", rows[i].hint);
    }
    bool down = why->status >= 500;
    (void)err_set(e, down ? ERR_TRY_LATER : ERR_REFUSED, "Vault: %s", words);
    return down ? err_hint(e, "try again in a minute, or ask Vault's administrators") : -1;
}

int vault_explain_silence(const struct vault *v, struct err *e)
{
    if (e->hint[0])
        return -1;
    if (strstr(e->msg, "certificate is not trusted") || strstr(e->msg, "CA certificates"))
        return err_hint(e, "set vault_ca to a PEM file with the CA of Vault's certificate");
    if (strstr(e->msg, "client certificate"))
        return err_hint(e, "set vault_cert and vault_key to PEM files of a client certificate that Vault "
                           "accepts, and of its key without a passphrase");
    if (e->code == ERR_UNREACHABLE)
        return err_hint(e, "check vault_addr = %s, the network, and HTTPS_PROXY and NO_PROXY if they are set",
                        v->addr);
    return -1;
}
