/* SPDX-License-Identifier: MIT */
/* Asks the user for the database password, for the providers keychain and prompt. */
#ifndef PROVIDER_ASK_H
#define PROVIDER_ASK_H

#include <base/err.h>
#include <model/credential.h>
#include <model/profile.h>

int ask_password(const struct profile *p, struct credential *out, struct err *e);

#endif
