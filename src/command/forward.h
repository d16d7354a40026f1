/* SPDX-License-Identifier: MIT */
/* How a forward is shown. */
#ifndef COMMAND_FORWARD_H
#define COMMAND_FORWARD_H

#include <model/json.h>
#include <session/forward.h>

/* Its part of `forward --json` and of `status --json`. */
json_t *forward_json(const struct forward *f);

#endif
