/* SPDX-License-Identifier: MIT */
/*
 * The client that `broker connect` executes in the benchmarks. It ends at once, so that the time up to a
 * client's first instruction is measured. It is linked statically, because the dynamic linking of a real
 * client is not broker's time.
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        (void)puts("mysql  Ver 9.7.4 for Linux on x86_64 (MySQL Community Server - GPL)");
    return 0;
}
