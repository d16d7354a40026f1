/* SPDX-License-Identifier: MIT */
/* What several callers do with each entry of a list. */
#include <store/store.h>

#include <base/text.h>

void store_add_identity(void *context, const char *identity, const char *label, time_t expires)
{
    (void)label;
    (void)expires;
    words_add(context, identity);
}
