/* The keeper under its second name: the program that the system's ssh asks its questions through. */
#ifndef KEEPER_ASKPASS_H
#define KEEPER_ASKPASS_H

/* main() of broker-askpass: takes argv[1] to the keeper, prints the answer. The exit status. */
int askpass_main(int argc, char **argv);

#endif
