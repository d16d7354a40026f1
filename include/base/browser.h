/* SPDX-License-Identifier: MIT */
/* Opens the user's web browser, for logins that need one. */
#ifndef BASE_BROWSER_H
#define BASE_BROWSER_H

#include <stdbool.h>

/*
 * Opens an http or https URL with $BROWSER or xdg-open and does not wait for it. Returns false and does
 * nothing if there is no display, if the session came over ssh (the browser would open on the wrong machine),
 * or if the URL has a byte outside 0x21 to 0x7e.
 */
bool browser_open(const char *url);

/* Returns true if a browser can be opened: there is a display, the session did not come over ssh, and
 * $BROWSER or xdg-open exists. */
bool browser_is_here(void);

#endif
