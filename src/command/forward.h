/* SPDX-License-Identifier: MIT */
/* How a forward is printed in JSON. */
#ifndef COMMAND_FORWARD_H
#define COMMAND_FORWARD_H

#include <model/json.h>
#include <session/forward.h>

/* Returns the forward as an object of `forward --json` and `status --json`. */
json_t *forward_json(const struct forward *f);

#endif
