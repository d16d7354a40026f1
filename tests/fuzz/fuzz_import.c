/*
 * Other programs' files of connections, as `profile import` reads them: every format that needs no helper.
 * Whatever comes out must be a profile that the config file can hold, and must name no program, no file to
 * send, and no other section.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <import/import.h>
#include <model/ini.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

static void check_left(const struct import_left *left, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(text_is_plain(left[i].what) && text_is_plain(left[i].why) && !strchr(left[i].why, '\n'));
}

static void check_entry(const struct import_entry *entry)
{
    static const enum key never[] = {KEY_client,       KEY_auth_command, KEY_auth_file,       KEY_auth_env,
                                     KEY_auth_helper,  KEY_inherits,     KEY_mfa_command,     KEY_my_cnf,
                                     KEY_local_infile, KEY_listen,       KEY_vault_token_file};
    struct override o[IMPORT_SETTINGS];
    size_t n = import_settings(entry, o);

    check(profile_name_valid(entry->name));
    check(profile_str(&entry->p, KEY_tls));
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        check(!entry->p.set[never[i]].value);
    check(!entry->p.tunnel[TUNNEL_command].value);
    for (size_t i = 0; i < n; i++)
        check(!strpbrk(o[i].value, "\r\n") && strlen(o[i].value) < INI_LINE_MAX);
    check_left(entry->left, entry->left_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    struct err e = ERR_INIT;
    AUTO_BUF(text, IMPORT_BYTES);
    AUTO_IMPORT(list);

    if (!config) {
        (void)setenv("BROKER_CONFIG", "/dev/null", 1);
        check(config_load(&config, &e) == 0);
    }
    if (size > 65536)
        return 0;
    buf_add(&text, data, size);
    if (import_read(NULL, &text, &list, &e) < 0)
        return 0;
    import_name_all(&list, config);
    check_left(list.skipped, list.skipped_count);
    for (size_t i = 0; i < list.count; i++)
        check_entry(&list.entry[i]);
    return 0;
}
