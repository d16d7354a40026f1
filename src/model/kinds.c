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

static bool has(const struct kind *kinds, const char *name)
{
    for (; kinds->name; kinds++) {
        if (text_equal(kinds->name, name))
            return true;
    }
    return false;
}

bool kind_has_provider(const char *name)
{
    return has(kind_providers, name);
}

bool kind_has_tunnel(const char *name)
{
    return has(kind_tunnels, name);
}
