/* SPDX-License-Identifier: MIT */
/* mysql:// URLs (docs/config.md, "URLs"): Sequel Ace's dialect, plus every key of the config file. Each
 * component is decoded exactly once. Errors never quote a part of the URL that may be a password. */
#ifndef MODEL_URL_H
#define MODEL_URL_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/profile.h>

/* Returns true if an argument is a URL and not the name of a profile: it contains "://". */
bool url_is(const char *word);
/* Returns true if the URL contains a password before the `@` or as ssh_password; also for USER:PASSWORD@HOST
 * without a scheme. */
bool url_has_password(const char *url);
/* Overwrites the passwords in the string, without changing its length. Used for argv. */
void url_mask(char *url);

/* For the help: the NULL-terminated list of ignored parameters, which only concern drivers; and a function
 * that prints which other parameters set which key. */
extern const char *const url_ignored_words[];
void url_words_print(struct buf *out);
/* Returns the key that other programs call by this name, in URLs, option files or options; NULL if there is
 * none. For hints. */
const char *url_word_key(const char *name);

/* Copies the URL's settings into the profile with ORIGIN_URL, and its passwords into p->password and
 * p->ssh_password. ERR_DATA with e->what "URL" and the hint "broker help urls". */
int url_parse(const char *url, struct profile *p, struct err *e);

#endif
