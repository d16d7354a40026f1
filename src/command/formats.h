/* Formats by the names that people type. */
#ifndef COMMAND_FORMATS_H
#define COMMAND_FORMATS_H

#include "command.h"

/* ERR_USAGE, with the nearest name as the hint. */
int find_format(const char *name, const struct format **out, struct err *e);

#endif
