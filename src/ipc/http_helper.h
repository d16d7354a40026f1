/* SPDX-License-Identifier: MIT */
/* The HTTP helper of this process. */
#ifndef IPC_HTTP_HELPER_H
#define IPC_HTTP_HELPER_H

#include <ipc/helper.h>

/* Milliseconds by which the helper's own time limit ends earlier, so that its error message arrives. Less
 * than half a second, because the waiting message shows rounded seconds. */
#define HTTP_GRACE_MS 400

extern struct helper http_helper;

#endif
