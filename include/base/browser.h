/* A person's browser, for log-ins that end in one. */
#ifndef BASE_BROWSER_H
#define BASE_BROWSER_H

#include <stdbool.h>

/*
 * Opens an http(s) URL with $BROWSER or xdg-open, without waiting for it. False, and nothing is done, where
 * there is no display or the session came over ssh: the browser would open on the wrong machine; and where
 * the URL has a byte outside 0x21 to 0x7e.
 */
bool browser_open(const char *url);

#endif
