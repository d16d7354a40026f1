/* SPDX-License-Identifier: MIT */
/* Documents as trees: JSON, XML and property lists. The XML is parsed by a helper. */
#ifndef IMPORT_TREE_H
#define IMPORT_TREE_H

#include <base/buf.h>
#include <base/err.h>
#include <model/json.h>

/* Each returns a new tree, or NULL: ERR_DATA if the text is malformed, ERR_CONFIG if the helper is missing.
 */

/* Parses JSON. Every scalar becomes a string; true and false become "1" and "0". */
json_t *tree_json(const struct buf *text, struct err *e);
/* Parses a property list (XML) into the same form. */
json_t *tree_plist(const struct buf *text, struct err *e);
/* Parses XML, for the element_...() functions. */
json_t *tree_xml(const struct buf *text, struct err *e);

/* Returns a string member; "" if there is none. */
const char *tree_word(const json_t *object, const char *name);
/* Returns the member at a path of names separated by dots; NULL if there is none. */
const json_t *tree_at(const json_t *object, const char *path);
/* Returns true if a member is "1", "true" or "yes". */
bool tree_yes(const json_t *object, const char *name);

/* Return an attribute of an element, and its text; "" if there is none. */
const char *element_attribute(const json_t *element, const char *name);
const char *element_text(const json_t *element);
/* Returns the next child with this tag (NULL: any) from index *at on and sets *at after it; NULL at the end.
 * *at starts at 0. */
const json_t *element_next(const json_t *element, const char *tag, size_t *at);
/* Returns the first child with this tag; NULL if there is none, or if `element` is NULL. */
const json_t *element_child(const json_t *element, const char *tag);
/* Returns the text of that child; "" if there is none. */
const char *element_child_text(const json_t *element, const char *tag);

#endif
