/* The program that the system's ssh asks its questions through. Not written yet: it answers nothing. */
#include "askpass.h"

int askpass_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 1;
}
