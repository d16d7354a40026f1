/* The part of completion that reads the file system. */
#ifndef COMMAND_COMPLETE_H
#define COMMAND_COMPLETE_H

/* Prints the programs on PATH with that prefix as candidates. */
void complete_programs(const char *prefix);

#endif
