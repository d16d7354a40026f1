/* SPDX-License-Identifier: MIT */
/* Name lookup in a child process, which writes one answer of fixed size into a pipe and exits. */
#include <base/resolve.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>

/* The answer in the pipe. It is smaller than PIPE_BUF, so it arrives completely or not at all. */
struct answer {
    int failed;
    struct addresses found;
};

/* Moves the first address of the other family, if there is one, to the next place in the list, so that
 * families alternate. */
static void addresses_alternate(struct addresses *list)
{
    for (unsigned i = 1; i < list->count; i++) {
        unsigned other = i;
        while (other < list->count && list->at[other].any.sa_family == list->at[i - 1].any.sa_family)
            other++;
        if (other == i || other == list->count)
            continue;
        struct address moved = list->at[other];
        memmove(&list->at[i + 1], &list->at[i], (other - i) * sizeof moved);
        list->at[i] = moved;
    }
}

static int ask_system(const char *host, int flags, struct addresses *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;
    int failed = getaddrinfo(host, NULL, &hints, &list);

    out->count = 0;
    if (failed)
        return failed;
    for (const struct addrinfo *a = list; a && out->count < ADDRESSES_MOST; a = a->ai_next) {
        if ((a->ai_family == AF_INET || a->ai_family == AF_INET6) && a->ai_addrlen <= sizeof out->at[0])
            memcpy(&out->at[out->count++], a->ai_addr, a->ai_addrlen);
    }
    freeaddrinfo(list);
    addresses_alternate(out);
    return out->count ? 0 : EAI_NONAME;
}

bool resolve_number(const char *host, struct addresses *out)
{
    return ask_system(host, AI_NUMERICHOST, out) == 0;
}

/* Runs in the child process: looks up the host, writes the answer and exits. */
_Noreturn static void look_up(const char *host, int to)
{
    struct answer answer;

    (void)dup2(to, 0);
    (void)close_range(1, ~0U, 0);
    for (int i = 1; i < 3; i++)
        (void)open("/dev/null", O_WRONLY);
    memset(&answer, 0, sizeof answer);
    answer.failed = ask_system(host, AI_ADDRCONFIG, &answer.found);
    (void)!write(0, &answer, sizeof answer);
    _exit(0);
}

int resolver_start(struct resolver *r, const char *host, struct err *e)
{
    pid_t us = getpid();
    int fds[2];

    if (fd_pipe(fds, e) < 0)
        return -1;
    r->pid = fork();
    if (r->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != us)
            _exit(127);
        look_up(host, fds[1]);
    }
    int failed = errno;
    (void)close(fds[1]);
    r->from = fds[0];
    if (r->pid > 0)
        return 0;
    r->pid = 0;
    fd_close_cleanup(&r->from);
    return err_set(e, ERR_TRY_LATER, "cannot start a process: %s", strerror(failed));
}

int resolver_read(const struct resolver *r, struct addresses *out)
{
    struct answer answer;
    ssize_t n;

    while ((n = read(r->from, &answer, sizeof answer)) < 0 && errno == EINTR)
        ;
    if (n != sizeof answer || answer.found.count > ADDRESSES_MOST)
        return EAI_FAIL;
    *out = answer.found;
    return answer.failed;
}

void resolver_stop(struct resolver *r)
{
    fd_close_cleanup(&r->from);
    if (r->pid > 0) {
        (void)kill(r->pid, SIGKILL);
        (void)waitpid(r->pid, NULL, 0);
    }
    r->pid = 0;
}
