/* SPDX-License-Identifier: MIT */
/*
 * The connection files of other programs, in every format that `profile import` reads. The helper's code for
 * XML and AES runs in this process. Each result must be a profile that the config file can hold, and must
 * not name a program, a file to send, or another section.
 *
 * fuzz wrap: http_xml http_decrypt
 * fuzz link: src/http/xml.c src/http/decrypt.c src/http/wipe.c -lexpat -lcrypto
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <base/text.h>
#include <http/document.h>
#include <http/wipe.h>
#include <import/import.h>
#include <ipc/http.h>
#include <model/json.h>
#include <model/ini.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool held)
{
    if (!held)
        abort();
}

int __wrap_http_xml(const struct buf *xml, struct buf *json, int64_t deadline, struct err *e);
int __wrap_http_decrypt(const void *key, const void *iv, const void *bytes, size_t n, struct buf *out,
                        int64_t deadline, struct err *e);

static int answer_bytes(int (*serve)(const struct record *, struct record *, struct err *),
                        const struct record *request, struct buf *out, struct err *e)
{
    AUTO_RECORD(answer);
    struct field f;

    if (!buf_ok(&request->body))
        return err_set(e, ERR_DATA, "too large");
    if (serve(request, &answer, e) < 0)
        return -1;
    check(buf_ok(&answer.body) && record_find(&answer, HTTP_TAG_BYTES, &f));
    buf_add(out, f.bytes, f.len);
    return buf_ok(out) ? 0 : err_set(e, ERR_DATA, "too large");
}

int __wrap_http_xml(const struct buf *xml, struct buf *json, int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);

    (void)deadline;
    record_put(&request, HTTP_TAG_BYTES, buf_str(xml), xml->len);
    return answer_bytes(document_xml, &request, json, e);
}

int __wrap_http_decrypt(const void *key, const void *iv, const void *bytes, size_t n, struct buf *out,
                        int64_t deadline, struct err *e)
{
    AUTO_RECORD(request);

    (void)deadline;
    record_put(&request, HTTP_TAG_SECRET_KEY, key, 16);
    if (iv)
        record_put(&request, HTTP_TAG_IV, iv, 16);
    record_put(&request, HTTP_TAG_BYTES, bytes, n);
    return answer_bytes(document_decrypt, &request, out, e);
}

static void check_left(const struct import_left *left, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(text_is_plain(left[i].what) && text_is_plain(left[i].why) && !strchr(left[i].why, '\n'));
}

static void check_entry(const struct import_entry *entry)
{
    static const enum key forbidden[] = {KEY_client,       KEY_auth_command, KEY_auth_file,
                                         KEY_auth_env,     KEY_auth_helper,  KEY_auth_helper_url,
                                         KEY_inherits,     KEY_mfa_command,  KEY_my_cnf,
                                         KEY_local_infile, KEY_listen,       KEY_vault_token_file};
    struct override o[IMPORT_SETTINGS];
    size_t n = import_settings(entry, o);

    check(profile_name_valid(entry->name));
    check(profile_str(&entry->p, KEY_tls));
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
        check(!entry->p.set[forbidden[i]].value);
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
        json_set_alloc_funcs(wipe_malloc, wipe_free);
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
