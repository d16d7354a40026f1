/* SPDX-License-Identifier: MIT */
/* Documents as trees: JSON, XML and property lists, read by the helper where that is XML. */
#ifndef IMPORT_TREE_H
#define IMPORT_TREE_H

#include <base/buf.h>
#include <base/err.h>
#include <model/json.h>

/* Each gives a new tree, or NULL: ERR_DATA for a malformed one, ERR_CONFIG where the helper is missing. */

/* Objects and arrays as they are; every scalar as a string, true and false as "1" and "0". */
json_t *tree_json(const struct buf *text, struct err *e);
/* A property list (XML) in the same form. */
json_t *tree_plist(const struct buf *text, struct err *e);
/* Elements, for element_...(). */
json_t *tree_xml(const struct buf *text, struct err *e);

/* A member that is a string; "" if there is none. */
const char *tree_word(const json_t *object, const char *name);
/* Members along a path with dots between. NULL if there is none. */
const json_t *tree_at(const json_t *object, const char *path);
/* Whether a member says yes: 1, true, yes. */
bool tree_yes(const json_t *object, const char *name);

/* An attribute of an element ("" if there is none), and its text ("" if there is none). */
const char *element_attribute(const json_t *element, const char *name);
const char *element_text(const json_t *element);
/* The next child with that tag (NULL: any) at or after *at, which moves behind it; NULL at the end. *at
 * starts at 0. */
const json_t *element_next(const json_t *element, const char *tag, size_t *at);
/* The first child with that tag; NULL. Also of NULL. */
const json_t *element_child(const json_t *element, const char *tag);
/* Its text; "". */
const char *element_child_text(const json_t *element, const char *tag);

#endif
