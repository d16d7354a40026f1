/* SPDX-License-Identifier: MIT */
/*
 * mysql:// URLs, the dialect of SPEC section 9 (Sequel Ace's, plus every key of the config file). Each
 * component is decoded exactly once. Error texts never hold a part of the URL that may be a password.
 */
#ifndef MODEL_URL_H
#define MODEL_URL_H

#include <stdbool.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/profile.h>

/* Whether a word is a URL rather than a profile's name: it has "://". */
bool url_is(const char *word);
/* Whether it contains a password in its userinfo or as ssh_password; also true for USER:PASSWORD@HOST without
 * a scheme. */
bool url_has_password(const char *url);
/* Overwrites the passwords in the string in place and keeps its length, for argv. */
void url_mask(char *url);

/* For help: the NULL-terminated list of the parameters that only concern a driver, and which words mean which
 * key. */
extern const char *const url_ignored_words[];
void url_words_print(struct buf *out);

/*
 * Puts the URL's settings into the profile with ORIGIN_URL, its passwords into p->password and
 * p->ssh_password. ERR_DATA, e->what "URL", with `hint: broker help urls`.
 */
int url_parse(const char *url, struct profile *p, struct err *e);

#endif
