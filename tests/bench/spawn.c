/* SPDX-License-Identifier: MIT */
/*
 * spawn ROUNDS COMMAND [, COMMAND]...: runs the commands in turn, ROUNDS times each, and prints one line for
 * each: the median time in microseconds from just before its start to its end, its largest resident size in
 * KiB, and the median processor time in microseconds, including that of all processes that it started.
 *
 * A command is [NAME=VALUE]... [<FILE] PROGRAM [ARG]...; each part is an argument of its own, and a single
 * comma ends a command. FILE is its stdin (default: /dev/null).
 *
 * The commands are interleaved so that a change of the machine's load affects all of them. posix_spawn(3)
 * starts them, which does not copy this process, so that time and size are the program's, and not those of
 * an interpreter that starts it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 32
#define ENV_MAX 256
#define LONGEST_SECONDS 60 /* for one run, with all processes that it leaves behind */

struct command {
    char **argv;
    posix_spawn_file_actions_t streams;
    char *env[ENV_MAX];
    int64_t *took, *worked;
    long rss;
};

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Sets the environment to the assignments before the program, and the caller's environment. */
static void command_init(struct command *c, char **words, size_t rounds)
{
    const char *input = "/dev/null";
    size_t n = 0;

    for (; *words && **words != '<' && strchr(*words, '=') && n + 1 < ENV_MAX; words++)
        c->env[n++] = *words;
    for (char **e = environ; *e && n + 1 < ENV_MAX; e++)
        c->env[n++] = *e;
    if (*words && **words == '<')
        input = *words++ + 1;
    (void)posix_spawn_file_actions_init(&c->streams);
    (void)posix_spawn_file_actions_addopen(&c->streams, 0, input, O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&c->streams, 1, "/dev/null", O_WRONLY, 0);
    c->argv = words;
    c->took = calloc(rounds, sizeof *c->took);
    c->worked = calloc(rounds, sizeof *c->worked);
    if (!c->took || !c->worked || !*words) {
        (void)fputs("spawn: no memory, or no command\n", stderr);
        exit(1);
    }
}

/* Returns the processor time of all processes that have been waited for. */
static int64_t worked_ns(void)
{
    struct rusage used;

    (void)getrusage(RUSAGE_CHILDREN, &used);
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static void command_run(struct command *c, size_t round)
{
    struct rusage used;
    int status;
    pid_t pid;
    (void)alarm(LONGEST_SECONDS);
    int64_t before = worked_ns(), start = now_ns();
    int failed = posix_spawn(&pid, c->argv[0], &c->streams, NULL, c->argv, c->env);

    if (failed || wait4(pid, &status, 0, &used) < 0 || status != 0) {
        (void)fprintf(stderr, "spawn: %s %s: %s %d\n", c->argv[0], c->argv[1] ? c->argv[1] : "",
                      failed ? strerror(failed) : "status", failed ? failed : status);
        exit(1);
    }
    c->took[round] = now_ns() - start;
    /* A helper may end after the command. */
    while (wait(NULL) > 0)
        ;
    c->worked[round] = worked_ns() - before;
    if (used.ru_maxrss > c->rss)
        c->rss = used.ru_maxrss;
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median_us(int64_t *ns, size_t count)
{
    qsort(ns, count, sizeof *ns, compare);
    return (double)ns[count / 2] / 1000;
}

int main(int argc, char **argv)
{
    static struct command commands[COMMANDS_MAX];
    size_t count = 0, rounds = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

    if (rounds == 0)
        return 64;
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (int first = 2, at = 2; at <= argc && count < COMMANDS_MAX; at++) {
        if (at < argc && strcmp(argv[at], ",") != 0)
            continue;
        argv[at] = NULL;
        command_init(&commands[count++], argv + first, rounds);
        first = at + 1;
    }
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i++)
            command_run(&commands[i], round);
    }
    for (size_t i = 0; i < count; i++)
        (void)printf("%.1f %ld %.1f\n", median_us(commands[i].took, rounds), commands[i].rss,
                     median_us(commands[i].worked, rounds));
    return 0;
}
