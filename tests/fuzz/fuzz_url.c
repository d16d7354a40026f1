/*
 * Fuzzes the URL parser and the masking. Beside memory errors it looks for broken promises: every refusal
 * says what and how to mend it, masking keeps the length and leaves no password of an accepted URL behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/secret.h>
#include <model/url.h>

/* What an accepted URL had as its password, raw, must not be in the masked text at the same place. */
static void check_mask(const char *url, const struct profile *p)
{
    AUTO_FREE(char *, masked);

    masked = mem_strdup(url);
    url_mask(masked);
    if (strlen(masked) != strlen(url))
        abort();
    bool has_password =
        (p->password && secret_len(p->password)) || (p->ssh_password && secret_len(p->ssh_password));
    if (has_password && !url_has_password(url))
        abort();
    for (size_t i = 0; url[i]; i++)
        if (masked[i] != url[i] && masked[i] != '*')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE(char *, url);
    AUTO_PROFILE(p);
    struct err e = ERR_INIT;

    url = mem_strndup((const char *)data, size);
    int got = url_parse(url, &p, &e);
    if (got < 0 && (e.code != ERR_DATA || strcmp(e.what, "URL") != 0 || !e.msg[0] || !e.hint[0]))
        abort();
    for (size_t k = 0; got == 0 && k < KEY_COUNT; k++) {
        AUTO_FREE(char *, again);
        if (p.set[k].value && key_check(&key_infos[k], p.set[k].value, &again, &e) < 0)
            abort();
    }
    if (got == 0)
        check_mask(url, &p);
    else if (url_is(url))
        url_mask(url);
    return 0;
}
