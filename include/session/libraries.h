/* SPDX-License-Identifier: MIT */
/* Lists the libraries that the helpers use, for bug reports. */
#ifndef SESSION_LIBRARIES_H
#define SESSION_LIBRARIES_H

/* Starts each helper once and calls `take` for each library that it lists, with helper, library and version;
 * with helper, NULL and the reason if the helper cannot be run. The texts are sanitised. */
typedef void libraries_take(void *context, const char *helper, const char *library, const char *version);
void libraries_ask(libraries_take *take, void *context);

#endif
