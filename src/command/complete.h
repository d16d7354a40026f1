/* A part of completion that looks at the file system. */
#ifndef COMMAND_COMPLETE_H
#define COMMAND_COMPLETE_H

/* Prints the programs on PATH that begin so, a line each, as every offer. */
void complete_programs(const char *prefix);

#endif
