/* SPDX-License-Identifier: MIT */
/* The providers in this build, from model/kinds.def. */
#include <provider/provider.h>

#include <stddef.h>

#include <base/text.h>

#define PROVIDER(id, url, help) extern const struct provider provider_##id;
#include <model/kinds.def>

static const struct provider *const provider_table[] = {
#define PROVIDER(id, url, help) &provider_##id,
#include <model/kinds.def>
    NULL,
};

const struct provider *provider_find(const char *name)
{
    for (size_t i = 0; provider_table[i]; i++) {
        if (text_equal(provider_table[i]->name, name))
            return provider_table[i];
    }
    return NULL;
}
