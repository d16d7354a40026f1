/* SPDX-License-Identifier: MIT */
/* The password prompt that two providers share. */
#include "ask.h"

#include <base/mem.h>
#include <base/tty.h>
#include <model/identity.h>

int ask_password(const struct profile *p, struct credential *out, struct err *e)
{
    AUTO_FREE(char *, label);
    AUTO_FREE(char *, question);

    label = identity_label(p);
    question = mem_printf("password for %s: ", label);
    if (tty_ask_secret(question, &out->password, e) < 0)
        return -1;
    out->asked = true;
    return 0;
}
