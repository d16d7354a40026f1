/* SPDX-License-Identifier: MIT */
/* Which libraries the helpers use, for a bug report. */
#ifndef SESSION_LIBRARIES_H
#define SESSION_LIBRARIES_H

/* Starts each helper once and calls `take` for each library that it names: helper, library, version. For a
 * helper that cannot be asked: helper, NULL, the reason. The texts are sanitised. */
typedef void libraries_take(void *context, const char *helper, const char *library, const char *version);
void libraries_ask(libraries_take *take, void *context);

#endif
