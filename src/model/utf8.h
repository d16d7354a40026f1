/* UTF-8, as far as checking needs it. */
#ifndef MODEL_UTF8_H
#define MODEL_UTF8_H

#include <stddef.h>

/* Length of the well-formed sequence at the start of `n` > 0 bytes (RFC 3629), 0 where it is malformed. */
size_t utf8_len(const char *s, size_t n);

#endif
