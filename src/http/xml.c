/* SPDX-License-Identifier: MIT */
/*
 * Converts XML files of other programs to JSON. An element becomes ["tag", {attributes}, child...]; a child
 * is a text or another element. A document type is allowed, because property lists have one, but not if it
 * declares entities, and no external file is opened.
 */
#include "document.h"

#include <string.h>

#include <expat.h>
#include <jansson.h>

#include <base/mem.h>
#include <ipc/http.h>

#include "wipe.h"

#define DEPTH_MOST 64
#define TEXT_MOST 65536

struct tree {
    XML_Parser parser;
    json_t *open[DEPTH_MOST]; /* the open elements; each belongs to its parent, the first to the tree */
    size_t depth;
    struct buf text;
    json_t *root;
    const char *why; /* why the document is refused; NULL: no error so far */
};

static void stop(struct tree *t, const char *why)
{
    if (!t->why)
        t->why = why;
    (void)XML_StopParser(t->parser, XML_FALSE);
}

/* Adds the collected text to the current element. White space between elements is dropped. */
static void flush(struct tree *t)
{
    const char *text = buf_str(&t->text);

    if (t->depth && text[strspn(text, " \t\r\n")])
        (void)json_array_append_new(t->open[t->depth - 1], json_stringn(text, t->text.len));
    buf_clear(&t->text);
}

static void open_element(void *context, const char *name, const char **attributes)
{
    struct tree *t = context;
    json_t *element = json_array(), *attribute = json_object();

    flush(t);
    if (t->depth == DEPTH_MOST) {
        json_decref(element);
        json_decref(attribute);
        stop(t, "too deep");
        return;
    }
    (void)json_array_append_new(element, json_string(name));
    for (; *attributes; attributes += 2)
        (void)json_object_set_new(attribute, attributes[0], json_string(attributes[1]));
    (void)json_array_append_new(element, attribute);
    if (t->depth)
        (void)json_array_append_new(t->open[t->depth - 1], element);
    else
        t->root = element;
    t->open[t->depth++] = element;
}

static void close_element(void *context, const char *name)
{
    struct tree *t = context;

    (void)name;
    flush(t);
    t->depth -= t->depth > 0;
}

static void add_text(void *context, const char *bytes, int n)
{
    struct tree *t = context;

    buf_add(&t->text, bytes, (size_t)n);
    if (!buf_ok(&t->text))
        stop(t, "a text is too long");
}

static void see_doctype(void *context, const char *name, const char *system_id, const char *public_id,
                        int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    if (has_subset)
        stop(context, "it declares entities");
}

static void see_entity(void *context, const char *name, int is_parameter)
{
    (void)name;
    (void)is_parameter;
    stop(context, "unknown entity");
}

/* Returns the document as JSON text; if it is refused, returns NULL and sets *why. */
static char *convert(const struct field *xml, const char **why)
{
    static const XML_Memory_Handling_Suite memory = {wipe_malloc, wipe_realloc, wipe_free};
    struct tree t = {.parser = XML_ParserCreate_MM(NULL, &memory, NULL), .text = BUF_INIT(TEXT_MOST)};

    if (!t.parser)
        err_out_of_memory();
    XML_SetUserData(t.parser, &t);
    XML_SetElementHandler(t.parser, open_element, close_element);
    XML_SetCharacterDataHandler(t.parser, add_text);
    XML_SetStartDoctypeDeclHandler(t.parser, see_doctype);
    XML_SetSkippedEntityHandler(t.parser, see_entity);
    bool good = XML_Parse(t.parser, xml->bytes, (int)xml->len, 1) == XML_STATUS_OK;
    XML_ParserFree(t.parser);
    char *json = good ? json_dumps(t.root, JSON_COMPACT) : NULL;
    *why = t.why ? t.why : "not well-formed";
    json_decref(t.root);
    buf_release(&t.text);
    return json;
}

int document_xml(const struct record *request, struct record *answer, struct err *e)
{
    const char *why;
    struct field xml;

    json_set_alloc_funcs(wipe_malloc, wipe_free);
    if (!record_find(request, HTTP_TAG_BYTES, &xml))
        return err_set(e, ERR_PROTOCOL, "no document");
    char *json = convert(&xml, &why);
    if (!json)
        return err_set(e, ERR_DATA, "XML: %s", why);
    record_put_str(answer, HTTP_TAG_BYTES, json);
    wipe_free(json);
    return buf_ok(&answer->body) ? 0 : err_set(e, ERR_DATA, "XML: too large");
}
