/* SPDX-License-Identifier: MIT */
/* The credential_process protocol of AWS: keys as a JSON object on stdout.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
#ifndef PROTOCOL_AWS_H
#define PROTOCOL_AWS_H

#include <base/buf.h>
#include <base/err.h>
#include <model/credential.h>

/* Appends the JSON object, version 1, and a newline. Fails with ERR_DATA if the keys are not UTF-8. */
int aws_process_print(const struct access_keys *keys, struct buf *out, struct err *e);

#endif
