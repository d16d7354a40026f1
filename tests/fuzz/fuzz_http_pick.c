/* SPDX-License-Identifier: MIT */
/*
 * How broker-http extracts values from an answer. The first line of the input is a path, the rest a body (or
 * headers). A value must not exceed its maximum length, the same body must give the same value again, and a
 * body with a document type must give nothing.
 *
 * fuzz link: src/http/pick.c src/http/wipe.c -lexpat
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <http/pick.h>
#include <ipc/http.h>

#define FOUND_MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef bool picker(const struct buf *text, const char *path, struct buf *out);

static void check(bool held)
{
    if (!held)
        abort();
}

static bool pick_json_text(const struct buf *text, const char *path, struct buf *out)
{
    json_t *root = pick_parse(text);
    bool found = pick_json(root, path, out);

    json_decref(root);
    return found;
}

static void pick_twice(picker *pick, const struct buf *text, const char *path)
{
    AUTO_BUF(first, FOUND_MOST);
    AUTO_BUF(second, FOUND_MOST);
    bool found = pick(text, path, &first);

    check(pick(text, path, &second) == found);
    check(first.len <= FOUND_MOST && first.len == second.len);
    check(first.len == 0 || memcmp(first.data, second.data, first.len) == 0);
}

/* The same body after a document type gives nothing. */
static void refuse_doctype(const struct buf *text, const char *path)
{
    AUTO_BUF(hostile, 2 * HTTP_BODY_MAX);
    AUTO_BUF(out, FOUND_MOST);

    buf_puts(&hostile, "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]>");
    buf_add(&hostile, buf_str(text), text->len);
    check(!pick_xml(&hostile, path, &out));
}

/* Extracts values of every kind, as the helper does: the answer fits into a record, and only has fields. */
static void pick_into_record(const struct buf *text, const char *path)
{
    static const char kinds[] = {HTTP_JSON, HTTP_XML, HTTP_HEADER, HTTP_TEXT, '?'};
    AUTO_RECORD(request);
    AUTO_RECORD(answer);
    struct exchange x = EXCHANGE_INIT;
    struct err e = ERR_INIT;
    struct field f;
    size_t offset = 0;

    for (size_t i = 0; i < sizeof kinds; i++) {
        AUTO_BUF(want, FOUND_MOST);
        buf_putc(&want, kinds[i]);
        buf_puts(&want, path);
        record_put(&request, HTTP_TAG_WANT, buf_str(&want), want.len);
    }
    buf_add(&x.body, buf_str(text), text->len);
    buf_add(&x.headers, buf_str(text), text->len);
    pick_all(&request, &x, &answer);
    check(buf_ok(&answer.body));
    while (record_next(&answer, &offset, &f, &e) > 0)
        check(f.tag == HTTP_TAG_FIELD && f.len > 0 && (unsigned char)f.bytes[0] < sizeof kinds - 1);
    buf_release(&x.body);
    buf_release(&x.headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    AUTO_BUF(text, HTTP_BODY_MAX);
    AUTO_FREE(char *, path);

    if (!end || end - data > 200 || size > 65536)
        return 0;
    path = mem_strndup((const char *)data, (size_t)(end - data));
    buf_add(&text, end + 1, size - (size_t)(end + 1 - data));
    pick_twice(pick_json_text, &text, path);
    pick_twice(pick_xml, &text, path);
    pick_twice(pick_header, &text, path);
    refuse_doctype(&text, path);
    pick_into_record(&text, path);
    return 0;
}
