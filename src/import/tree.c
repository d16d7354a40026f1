/* SPDX-License-Identifier: MIT */
/* Reads documents of other programs as trees. Some versions write numbers as strings, so all scalars become
 * strings here. */
#include "tree.h"

#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>
#include <ipc/http.h>

#define HELPER_MS 20000
#define JSON_BYTES (1024 * 1024)
#define DEPTH_MOST 64

/* --- parsing JSON --- */

static json_t *scalar(const json_t *value)
{
    AUTO_BUF(text, 64);

    if (json_is_integer(value))
        buf_printf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(&text, "%.0f", json_real_value(value));
    else
        buf_puts(&text, json_is_true(value) ? "1" : json_is_false(value) ? "0" : "");
    return json_string(buf_str(&text));
}

static json_t *flat(const json_t *value, unsigned depth)
{
    const char *name;
    json_t *member, *copy;
    size_t i;

    if (depth == DEPTH_MOST)
        return json_string("");
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, name, member)(void)
            json_object_set_new(copy, name, flat(member, depth + 1));
        return copy;
    }
    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach(value, i, member)(void) json_array_append_new(copy, flat(member, depth + 1));
        return copy;
    }
    return json_is_string(value) ? json_string(json_string_value(value)) : scalar(value);
}

static json_t *parse(const char *text, size_t n, struct err *e)
{
    json_error_t where;
    json_t *root = json_loadb(text, n, 0, &where);

    if (!root)
        (void)err_set(e, ERR_DATA, "JSON: not well-formed, line %d", where.line);
    return root;
}

json_t *tree_json(const struct buf *text, struct err *e)
{
    AUTO_JSON(root);

    root = parse(buf_str(text), text->len, e);
    return root ? flat(root, 0) : NULL;
}

const char *tree_word(const json_t *object, const char *name)
{
    const char *word = json_string_value(json_object_get(object, name));

    return word ? word : "";
}

const json_t *tree_at(const json_t *object, const char *path)
{
    while (object && *path) {
        AUTO_FREE(char *, name);
        size_t n = strcspn(path, ".");
        name = mem_strndup(path, n);
        object = json_object_get(object, name);
        path += n + (path[n] == '.');
    }
    return object;
}

bool tree_yes(const json_t *object, const char *name)
{
    const char *word = tree_word(object, name);

    return text_equal(word, "1") || text_equal_nocase(word, "true") || text_equal_nocase(word, "yes");
}

/* --- parsing XML --- */

json_t *tree_xml(const struct buf *text, struct err *e)
{
    AUTO_BUF(json, JSON_BYTES);

    if (http_xml(text, &json, clock_deadline(HELPER_MS, CLOCK_NEVER), e) < 0)
        return NULL;
    return parse(buf_str(&json), json.len, e);
}

/* Returns the element's tag; "" if there is none. */
static const char *element_tag(const json_t *element)
{
    const char *tag = json_string_value(json_array_get(element, 0));

    return tag ? tag : "";
}

const char *element_attribute(const json_t *element, const char *name)
{
    return tree_word(json_array_get(element, 1), name);
}

const char *element_text(const json_t *element)
{
    const char *text = json_string_value(json_array_get(element, 2));

    return text ? text : "";
}

const json_t *element_next(const json_t *element, const char *tag, size_t *at)
{
    for (; *at + 2 < json_array_size(element); ++*at) {
        const json_t *child = json_array_get(element, *at + 2);
        if (!json_is_array(child) || (tag && !text_equal(element_tag(child), tag)))
            continue;
        ++*at;
        return child;
    }
    return NULL;
}

const json_t *element_child(const json_t *element, const char *tag)
{
    size_t at = 0;

    return element_next(element, tag, &at);
}

const char *element_child_text(const json_t *element, const char *tag)
{
    return element_text(element_child(element, tag));
}

/* --- parsing property lists --- */

/* If a key occurs twice, the first value is used. */
static json_t *plist_value(const json_t *element)
{
    const char *tag = element_tag(element);
    const json_t *child, *key = NULL;
    size_t at = 0;
    json_t *out;

    if (text_equal(tag, "dict")) {
        out = json_object();
        while ((child = element_next(element, NULL, &at)) != NULL) {
            bool is_key = text_equal(element_tag(child), "key");
            if (!is_key && key && !json_object_get(out, element_text(key)))
                (void)json_object_set_new(out, element_text(key), plist_value(child));
            key = is_key ? child : NULL;
        }
        return out;
    }
    if (text_equal(tag, "array")) {
        out = json_array();
        while ((child = element_next(element, NULL, &at)) != NULL)
            (void)json_array_append_new(out, plist_value(child));
        return out;
    }
    return json_string(text_equal(tag, "true")    ? "1"
                       : text_equal(tag, "false") ? "0"
                                                  : element_text(element));
}

json_t *tree_plist(const struct buf *text, struct err *e)
{
    AUTO_JSON(root);
    size_t at = 0;

    root = tree_xml(text, e);
    const json_t *value = root ? element_next(root, NULL, &at) : NULL;
    if (value)
        return plist_value(value);
    if (root)
        (void)err_set(e, ERR_DATA, "an empty property list");
    return NULL;
}
