/* The rows of model/kinds.def as lists of names. What a row does is in the room that it names, not here. */
#include <model/kinds.h>

#include <stddef.h>

#include <base/text.h>

const struct kind kind_providers[] = {
#define PROVIDER(id, help) {#id, help},
#include <model/kinds.def>
    {NULL, NULL},
};

const struct kind kind_tunnels[] = {
#define TUNNEL(id, help) {#id, help},
#include <model/kinds.def>
    {NULL, NULL},
};

const struct kind kind_formats[] = {
#define FORMAT(id, help) {#id, help},
#include <model/kinds.def>
    {NULL, NULL},
};

bool kind_has_provider(const char *name)
{
    for (size_t i = 0; kind_providers[i].name; i++) {
        if (text_equal(kind_providers[i].name, name))
            return true;
    }
    return false;
}
