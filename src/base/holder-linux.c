/*
 * Linux: a listening socket's inode is in /proc/net/tcp, and its process is found in /proc/PID/fd, if that
 * may be read. Processes of other users and non-dumpable ones (our own keepers) are not found.
 */
#include <base/holder.h>

#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

#define TABLE_MAX (8 * 1024 * 1024)
#define STATE_LISTENS 0x0a

struct place {
    uint32_t word[4]; /* in memory order, as the kernel prints them */
    unsigned words, port;
};

static void place_from(const struct sockaddr *address, struct place *p)
{
    *p = (struct place){0};
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof six);
        memcpy(p->word, &six.sin6_addr, sizeof p->word);
        p->words = 4;
        p->port = ntohs(six.sin6_port);
    } else {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        p->word[0] = four.sin_addr.s_addr;
        p->words = 1;
        p->port = ntohs(four.sin_port);
    }
}

static bool is_any(const struct place *p)
{
    return !(p->word[0] | p->word[1] | p->word[2] | p->word[3]);
}

/* One line of the table: where it listens, and its inode. False: it does not listen. */
static bool parse_line(const char *line, unsigned words, struct place *p, unsigned long *inode)
{
    unsigned state;
    int at = 0;

    *p = (struct place){.words = words};
    if (sscanf(line, " %*u: %n", &at) != 0 || at == 0)
        return false;
    for (unsigned i = 0; i < words; i++, line += 8) {
        if (sscanf(line + at, "%8" SCNx32, &p->word[i]) != 1)
            return false;
    }
    return sscanf(line + at, ":%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &p->port, &state, inode) ==
               3 &&
           state == STATE_LISTENS;
}

static bool search_table(const char *path, unsigned words, const struct place *wanted, unsigned long *inode)
{
    AUTO_BUF(text, TABLE_MAX);
    struct err ignored = ERR_INIT;
    struct place p;

    if (file_read(path, FILE_ANY, &text, &ignored) != 0)
        return false;
    for (const char *line = buf_str(&text); *line; line += strcspn(line, "\n") + 1) {
        if (!strchr(line, '\n'))
            return false;
        if (!parse_line(line, words, &p, inode) || p.port != wanted->port)
            continue;
        bool same = p.words == wanted->words && memcmp(p.word, wanted->word, sizeof p.word) == 0;
        if (same || is_any(&p) || is_any(wanted))
            return true;
    }
    return false;
}

/* Whether one of the process's descriptors is what `wanted` names. */
static bool has_descriptor(const char *pid, const char *wanted)
{
    AUTO_FREE(char *, path);
    bool found = false;

    path = mem_printf("/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    for (struct dirent *d; folder && !found && (d = readdir(folder));) {
        char target[64];
        ssize_t n = readlinkat(dirfd(folder), d->d_name, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = text_equal(target, wanted);
    }
    if (folder)
        (void)closedir(folder);
    return found;
}

static char *holder_text(long pid)
{
    AUTO_FREE(char *, path);
    AUTO_BUF(name, 256);
    struct err ignored = ERR_INIT;

    path = mem_printf("/proc/%ld/comm", pid);
    if (file_read(path, FILE_ANY, &name, &ignored) != 0)
        return mem_printf("pid %ld", pid);
    return mem_printf("%.*s (pid %ld)", (int)strcspn(buf_str(&name), "\n"), buf_str(&name), pid);
}

char *holder_of_address(const struct sockaddr *address)
{
    AUTO_FREE(char *, wanted);
    struct place place;
    unsigned long inode, pid;
    char *holder = NULL;

    place_from(address, &place);
    if (!(place.words == 1 && search_table("/proc/net/tcp", 1, &place, &inode)) &&
        !search_table("/proc/net/tcp6", 4, &place, &inode))
        return NULL;
    wanted = mem_printf("socket:[%lu]", inode);
    DIR *all = opendir("/proc");
    for (struct dirent *d; all && !holder && (d = readdir(all));) {
        if (text_number(d->d_name, UINT32_MAX, &pid) && has_descriptor(d->d_name, wanted))
            holder = holder_text((long)pid);
    }
    if (all)
        (void)closedir(all);
    return holder;
}

int holder_of_socket(int fd, uid_t *uid, long *pid)
{
    struct ucred who;
    socklen_t n = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0)
        return -1;
    *uid = who.uid;
    *pid = who.pid;
    return 0;
}
