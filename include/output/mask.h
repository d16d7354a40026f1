/* SPDX-License-Identifier: MIT */
/*
 * Masks names in a text that will be shown to other people. A word is shown only if it is in the vocabulary
 * (the program's own texts), or is a short number, a duration or a time. Every other word is replaced by a
 * label such as host-1, user-1 or word-1, the same word always by the same label. Values known to be names
 * are replaced even if they are in the vocabulary.
 */
#ifndef OUTPUT_MASK_H
#define OUTPUT_MASK_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/text.h>
#include <model/profile.h>

struct mask_entry {
    char *text, *label;
    bool has_separators;
};
struct mask {
    struct words vocabulary;
    bool sorted;
    struct mask_entry *entry;
    size_t count;
};
void mask_release(struct mask *m);
#define AUTO_MASK(name) __attribute__((cleanup(mask_release))) struct mask name = {0}

/* Adds the words of a text that contains no names to the vocabulary. */
void mask_vocabulary(struct mask *m, const char *text);
/* Adds a name, and each word of it; `kind` is the first part of its label. NULL and "" add nothing. */
void mask_value(struct mask *m, const char *kind, const char *value);
/* Adds the profile's name and all values except choices, numbers, times and built-in values. Of `client`,
 * only words that are not in the vocabulary are added. */
void mask_profile(struct mask *m, const struct profile *p);
/* Appends the masked text. */
void mask_text(struct mask *m, const char *text, struct buf *out);

#endif
