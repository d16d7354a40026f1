/* SPDX-License-Identifier: MIT */
/*
 * The client that `broker connect` becomes in the benchmarks: it ends at once, so that what is measured is
 * the way up to a client's first instruction. Linked statically, because a real client's dynamic linking is
 * not our time.
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        (void)puts("mysql  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)");
    return 0;
}
