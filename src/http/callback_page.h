/* SPDX-License-Identifier: MIT */
/* What the listener of a login answers. */
#ifndef HTTP_CALLBACK_PAGE_H
#define HTTP_CALLBACK_PAGE_H

#include <stdbool.h>

#include <base/buf.h>

/* An answer with a status of enum callback_verdict; `is_good` is for 200, the page that says how it ended. */
void callback_page(unsigned status, bool is_good, struct buf *out);

#endif
