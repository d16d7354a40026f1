/* SPDX-License-Identifier: MIT */
/* Writes a command line of the MySQL client, for pasting into a shell. It asks for the password. */
#include "write.h"

#include <stdlib.h>

#include <base/mem.h>

static void put_word(struct buf *out, const struct format_how *how, const char *option, const char *value)
{
    AUTO_BUF(word, 65536);

    if (!value)
        return;
    buf_printf(&word, "%s%s", option, value);
    buf_putc(out, ' ');
    if (how->shell == SHELL_FISH)
        quote_always(out, how->shell, buf_str(&word), word.len);
    else
        text_quote_sh(out, buf_str(&word));
}

static void put_tls(struct buf *out, const struct connection *c, const struct format_how *how)
{
    if (how->flavour == FLAVOUR_MARIADB) {
        put_word(out, how, "", c->tls == TLS_DISABLED ? "--skip-ssl" : "--ssl");
        put_word(out, how, "",
                 c->tls >= TLS_REQUIRED ? "--ssl-verify-server-cert" : "--disable-ssl-verify-server-cert");
    } else {
        put_word(out, how, "--ssl-mode=", tls_level_ssl_mode(c->tls));
        put_word(out, how, "", c->server_public_key ? "--get-server-public-key" : NULL);
        put_word(out, how, "", c->cleartext ? "--enable-cleartext-plugin" : NULL);
    }
    put_word(out, how, "--ssl-ca=", ca_of(c));
    put_word(out, how, "--ssl-cert=", cert_of(c));
    put_word(out, how, "--ssl-key=", key_of(c));
    put_word(out, how, "--ssl-cipher=", ciphers_of(c));
    put_word(out, how, "--tls-version=", version_of(c));
}

static int command_line(const struct connection *c, const struct format_how *how, struct buf *out,
                        struct err *e)
{
    AUTO_FREE(char *, port);

    if (how->flavour == FLAVOUR_MARIADB && client_check_mariadb("command", c, e) < 0)
        return -1;
    port = mem_printf("%u", c->port);
    buf_puts(out, flavour_name(how->flavour));
    put_word(out, how, "--host=", c->host);
    put_word(out, how, "--port=", c->host ? port : NULL);
    put_word(out, how, "--socket=", c->host ? NULL : c->socket);
    put_word(out, how, "--protocol=", c->host ? "TCP" : "SOCKET");
    put_word(out, how, "--user=", c->user);
    if (c->password)
        put_word(out, how, "", secret_len(c->password) ? "--password" : "--skip-password");
    put_tls(out, c, how);
    put_word(out, how, "--database=", c->database);
    return 0;
}

const struct format format_command = {.name = "command",
                                      .flavoured = true,
                                      .no_secret = true,
                                      .levels = LEVELS_ALL,
                                      .carries = CARRIES_ALL,
                                      .line = command_line};
