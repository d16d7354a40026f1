/* Prints the version from the Makefile. */
#include "command.h"

static int version_run(struct invocation *inv, struct err *e)
{
    (void)inv;
    (void)e;
    (void)puts("broker " BROKER_VERSION);
    return 0;
}

const struct verb verb_version = {.name = "version",
                                  .usage = "",
                                  .summary = "print the version",
                                  .about = "Print the version.",
                                  .examples = {"broker version"},
                                  .group = GROUP_CONFIGURE,
                                  .run = version_run};
