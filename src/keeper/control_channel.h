/* The line to broker: what is said before READY. */
#ifndef KEEPER_CONTROL_CHANNEL_H
#define KEEPER_CONTROL_CHANNEL_H

#include <base/err.h>

/* Reads OPEN into opt; ends the process where none comes. */
int line_open(struct err *e);
/* From here on the line's end ends the keeper, until READY; then a STOP on it stops it. */
void line_watch(void);
void line_ready(void);
void line_failed(const struct err *e);
/* To a broker that is still there: this end is in order. */
void line_ended(void);

#endif
