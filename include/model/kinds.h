/* SPDX-License-Identifier: MIT */
/* What this build supports, from model/kinds.def: names with a line of help, for help and completion. */
#ifndef MODEL_KINDS_H
#define MODEL_KINDS_H

#include <stdbool.h>

struct kind {
    const char *name, *help;
};

extern const struct kind kind_providers[], kind_tunnels[], kind_formats[]; /* each ends with a NULL name */

/* The column `url` of a provider in kinds.def: whether a server that a URL names may get its secret. */
enum kind_url { KIND_URL_ANY, KIND_URL_HERE, KIND_URL_NEVER };
enum kind_url kind_provider_url(const char *name);

#endif
