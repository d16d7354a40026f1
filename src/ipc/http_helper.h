/* SPDX-License-Identifier: MIT */
/* The one broker-http of this process. */
#ifndef IPC_HTTP_HELPER_H
#define IPC_HTTP_HELPER_H

#include <ipc/helper.h>

/* Its own limit comes first, so that its words arrive. Under half a second: a wait line rounds. */
#define HTTP_GRACE_MS 400

extern struct helper http_helper;

#endif
