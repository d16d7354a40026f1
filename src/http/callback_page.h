/* SPDX-License-Identifier: MIT */
/* The responses of the callback listener. */
#ifndef HTTP_CALLBACK_PAGE_H
#define HTTP_CALLBACK_PAGE_H

#include <stdbool.h>

#include <base/buf.h>

/* Appends a response; `status` is a value of enum callback_verdict. `is_good` chooses the text of the final
 * page (status 200). */
void callback_page(unsigned status, bool is_good, struct buf *out);

#endif
