/* SPDX-License-Identifier: MIT */
/*
 * Parses response bodies with jansson (JSON) and expat (XML). They never leave the helper. XML with a
 * document type is refused, because the services do not send any, and attacks often use entities. Parts that
 * are missing or not scalar are left out of the answer.
 */
#include "pick.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <expat.h>
#include <jansson.h>

#include <base/mem.h>
#include <base/text.h>
#include <ipc/http.h>

#include "wipe.h"

#define FIELD_MAX 65536

/* Follows one part of a path: a member by name, or an element by index. */
static const json_t *json_step(const json_t *at, const char *name)
{
    unsigned long index;

    if (json_is_array(at) && text_number(name, 65535, &index))
        return json_array_get(at, index);
    return json_object_get(at, name);
}

static bool put_scalar(const json_t *value, struct buf *out)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        buf_add(out, json_string_value(value), json_string_length(value));
        return true;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return true;
    case JSON_REAL:
        buf_printf(out, "%.0f", json_real_value(value));
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_puts(out, json_is_true(value) ? "true" : "false");
        return true;
    default:
        return false;
    }
}

/* Appends a list of scalars, one per line. */
static bool put_list(const json_t *value, struct buf *out)
{
    size_t i;
    const json_t *item;

    json_array_foreach(value, i, item)
    {
        if (put_scalar(item, out))
            buf_putc(out, '\n');
    }
    return json_is_array(value);
}

json_t *pick_parse(const struct buf *body)
{
    json_set_alloc_funcs(wipe_malloc, wipe_free);
    json_t *root = json_loadb(buf_str(body), body->len, 0, NULL);

    return root ? root : json_null();
}

/* Finds the value at a path and passes it to `put`. */
static bool pick_value(const json_t *at, const char *path, bool (*put)(const json_t *value, struct buf *out),
                       struct buf *out)
{
    for (const char *name = path; at && *name;
         name += strcspn(name, ".") + (name[strcspn(name, ".")] == '.')) {
        AUTO_FREE(char *, step);
        step = mem_strndup(name, strcspn(name, "."));
        at = json_step(at, step);
    }
    return at && put(at, out) && buf_ok(out);
}

bool pick_json(const json_t *root, const char *path, struct buf *out)
{
    return pick_value(root, path, put_scalar, out);
}

bool pick_json_list(const json_t *root, const char *path, struct buf *out)
{
    return pick_value(root, path, put_list, out);
}

/* The parser's position, and the path that is searched for. */
struct xml_search {
    struct buf here; /* the current path, for example "A/B/C" */
    const char *path;
    struct buf *out;
    bool found, inside;
    XML_Parser parser;
};

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}

static void xml_open(void *context, const char *name, const char **attributes)
{
    struct xml_search *s = context;

    (void)attributes;
    if (s->here.len)
        buf_putc(&s->here, '/');
    buf_puts(&s->here, local_name(name));
    s->inside = !s->found && text_equal(buf_str(&s->here), s->path);
    s->found = s->found || s->inside;
}

static void xml_close(void *context, const char *name)
{
    struct xml_search *s = context;
    size_t n = strlen(local_name(name));

    s->inside = false;
    if (!s->here.len)
        return;
    s->here.len -= n < s->here.len ? n + 1 : n;
    s->here.data[s->here.len] = '\0';
}

static void xml_text(void *context, const char *text, int n)
{
    struct xml_search *s = context;

    if (s->inside)
        buf_add(s->out, text, (size_t)n);
}

static void xml_doctype(void *context, const char *name, const char *system_id, const char *public_id,
                        int has_internal_subset)
{
    struct xml_search *s = context;

    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    (void)XML_StopParser(s->parser, XML_FALSE);
}

bool pick_xml(const struct buf *body, const char *path, struct buf *out)
{
    static const XML_Memory_Handling_Suite memory = {wipe_malloc, wipe_realloc, wipe_free};
    XML_Parser parser = XML_ParserCreate_MM(NULL, &memory, NULL);
    struct xml_search s = {.here = BUF_INIT(4096), .path = path, .out = out, .parser = parser};

    if (!parser)
        err_out_of_memory();
    XML_SetUserData(parser, &s);
    XML_SetElementHandler(parser, xml_open, xml_close);
    XML_SetCharacterDataHandler(parser, xml_text);
    XML_SetStartDoctypeDeclHandler(parser, xml_doctype);
    bool good = XML_Parse(parser, buf_str(body), (int)body->len, 1) == XML_STATUS_OK && buf_ok(&s.here);
    XML_ParserFree(parser);
    buf_release(&s.here);
    return good && s.found && buf_ok(out);
}

bool pick_header(const struct buf *headers, const char *name, struct buf *out)
{
    size_t n = strlen(name);

    for (const char *line = buf_str(headers); *line;
         line += strcspn(line, "\n") + (strchr(line, '\n') != NULL)) {
        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
            continue;
        const char *value = line + n + 1 + strspn(line + n + 1, " \t");
        buf_add(out, value, strcspn(value, "\r\n"));
        return true;
    }
    return false;
}

/* Extracts one part. *root caches the body as JSON, once a part of kind JSON has been requested. */
static bool pick(const struct exchange *x, char kind, const char *path, json_t **root, struct buf *out)
{
    if ((kind == HTTP_JSON || kind == HTTP_JSON_LIST) && !*root)
        *root = pick_parse(&x->body);
    switch (kind) {
    case HTTP_JSON:
        return pick_json(*root, path, out);
    case HTTP_JSON_LIST:
        return pick_json_list(*root, path, out);
    case HTTP_XML:
        return pick_xml(&x->body, path, out);
    case HTTP_HEADER:
        return pick_header(&x->headers, path, out);
    case HTTP_TEXT:
        buf_add(out, buf_str(&x->body), x->body.len);
        return buf_ok(out);
    default:
        return false;
    }
}

void pick_all(const struct record *request, const struct exchange *x, struct record *answer)
{
    struct err ignored = ERR_INIT;
    struct field f;
    size_t offset = 0;
    unsigned char number = 0;
    json_t *root = NULL;

    while (record_next(request, &offset, &f, &ignored) > 0) {
        AUTO_BUF(value, FIELD_MAX);
        AUTO_FREE(char *, path);
        if (f.tag != HTTP_TAG_WANT || !f.len)
            continue;
        path = mem_strndup(f.bytes + 1, f.len - 1);
        buf_putc(&value, (char)number);
        if (pick(x, f.bytes[0], path, &root, &value))
            record_put(answer, HTTP_TAG_FIELD, buf_str(&value), value.len);
        number++;
    }
    json_decref(root);
}
