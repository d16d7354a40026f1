/* SPDX-License-Identifier: MIT */
/* The rows of model/kinds.def as lists of names. What a row does is in its own module. */
#include <model/kinds.h>

#include <stddef.h>

#include <base/mem.h>
#include <base/text.h>

const struct kind kind_providers[] = {
#define PROVIDER(id, url, help) {#id, help},
#include <model/kinds.def>
    {NULL, NULL},
};

const struct kind kind_tunnels[] = {
#define TUNNEL(id, help) {#id, help},
#include <model/kinds.def>
    {NULL, NULL},
};

const struct kind kind_formats[] = {
#define FORMAT(id, name, help) {name, help},
#include <model/kinds.def>
    {NULL, NULL},
};

static const struct {
    const char *name;
    enum kind_url url;
} provider_urls[] = {
#define PROVIDER(id, url, help) {#id, KIND_URL_##url},
#include <model/kinds.def>
};

enum kind_url kind_provider_url(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(provider_urls); i++) {
        if (text_equal(provider_urls[i].name, name))
            return provider_urls[i].url;
    }
    return KIND_URL_NEVER;
}
