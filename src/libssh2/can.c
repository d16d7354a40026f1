/* SPDX-License-Identifier: MIT */
/* Returns whether the libssh2 engine supports the settings. What depends on the server, or on the key that it
 * accepts, is found out later (session.c, publickey.c). */
#include "methods.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

static bool has_certificate(const struct ssh_settings *s, struct buf *why)
{
    for (size_t i = 0; i < s->identity_files.count; i++) {
        AUTO_FREE(char *, path);
        AUTO_FREE(char *, shown);
        path = mem_printf("%s-cert.pub", s->identity_files.word[i]);
        if (access(path, R_OK) < 0)
            continue;
        shown = path_short(path);
        buf_printf(why, "a certificate: %s", shown);
        return true;
    }
    return false;
}

static bool gssapi_alone(const struct ssh_settings *s)
{
    static const char *const ours[] = {"publickey", "keyboard-interactive", "password"};
    const bool on[] = {s->publickey, s->keyboard_interactive, s->password};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (on[i] && (!s->preferred_authentications || list_has(s->preferred_authentications, ours[i])))
            return false;
    }
    return true;
}

/* The libssh2 engine signs with rsa-sha2-512 only. */
static bool rsa_by_another_name(const char *algorithms)
{
    return algorithms && (strstr(algorithms, "rsa-sha2-256") || list_has(algorithms, "ssh-rsa")) &&
           !list_has(algorithms, "rsa-sha2-512");
}

bool libssh2_fits(const char *loaded)
{
    unsigned major = 0, minor = 0;

    return loaded && sscanf(loaded, "%u.%u", &major, &minor) == 2 && major == LIBSSH2_VERSION_MAJOR &&
           minor == LIBSSH2_VERSION_MINOR;
}

bool libssh2_can(const struct ssh_settings *s, struct buf *why)
{
    const struct {
        bool asked;
        const char *name;
    } foreign[] = {
        {s->proxy_jump, "ProxyJump"},
        {s->proxy_command, "ProxyCommand"},
        {s->certificate_files.count > 0, "CertificateFile"},
        {s->pkcs11_provider, "PKCS11Provider"},
        {s->bind_address, "BindAddress"},
        {s->address_family && !text_equal(s->address_family, "any"), "AddressFamily"},
        {s->compression, "Compression"},
        {rsa_by_another_name(s->pubkey_algorithms), "PubkeyAcceptedAlgorithms"},
        {gssapi_alone(s), "no authentication method that it supports"},
    };

    if (!libssh2_fits(libssh2_version(0))) {
        buf_printf(why, "libssh2 %s is installed, but broker was built for %s", libssh2_version(0),
                   LIBSSH2_VERSION);
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        if (foreign[i].asked) {
            buf_puts(why, foreign[i].name);
            return false;
        }
    }
    return !has_certificate(s, why) && methods_set(s, NULL, why);
}
