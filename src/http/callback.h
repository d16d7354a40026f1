/* SPDX-License-Identifier: MIT */
/* The callback listener of a browser login: the helper's side of ipc/callback.h. */
#ifndef HTTP_CALLBACK_H
#define HTTP_CALLBACK_H

#include <base/err.h>
#include <ipc/record.h>

int callback_handle(const struct record *request, struct record *answer, struct err *e);

#endif
