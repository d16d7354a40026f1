/* SPDX-License-Identifier: MIT */
/* AWS's credential_process protocol: keys as one JSON object on stdout.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
#ifndef PROTOCOL_AWS_H
#define PROTOCOL_AWS_H

#include <base/buf.h>
#include <base/err.h>
#include <model/credential.h>

/* Appends the object, version 1, and a line end. ERR_DATA for keys that are not UTF-8. */
int aws_process_print(const struct access_keys *keys, struct buf *out, struct err *e);

#endif
