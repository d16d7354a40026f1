/* SPDX-License-Identifier: MIT */
/*
 * Linux: finds the inode of a listening socket in the kernel's TCP table (tcp_table.h) and its process in
 * /proc/PID/fd, if that is readable. Processes of other users and non-dumpable ones (our own keepers) are not
 * found.
 */
#include <base/holder.h>

#include <dirent.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/tcp_table.h>
#include <base/text.h>

/* The address that is searched for in the table, and the inode that was found. */
struct search {
    struct tcp_end at;
    unsigned long inode;
};

static bool is_any(const struct in6_addr *at)
{
    static const struct in6_addr any4 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

    return IN6_IS_ADDR_UNSPECIFIED(at) || IN6_ARE_ADDR_EQUAL(at, &any4);
}

static bool listens_there(const struct tcp_socket *s, void *context)
{
    struct search *search = context;

    if (!s->listens || s->local.port != search->at.port ||
        !(tcp_end_equal(&s->local, &search->at) || is_any(&s->local.at) || is_any(&search->at.at)))
        return false;
    search->inode = s->inode;
    return true;
}

/* Returns true if one of the process's descriptors is a link to `wanted` ("socket:[INODE]"). */
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
    struct search search = {0};
    struct sockaddr_storage at = {0};
    unsigned long pid;
    char *holder = NULL;

    memcpy(&at, address,
           address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    if (!tcp_end_take(&at, &search.at) ||
        (!(address->sa_family == AF_INET && tcp_table_walk(false, listens_there, &search)) &&
         !tcp_table_walk(true, listens_there, &search)))
        return NULL;
    wanted = mem_printf("socket:[%lu]", search.inode);
    DIR *all = opendir("/proc");
    for (struct dirent *d; all && !holder && (d = readdir(all));) {
        if (text_number(d->d_name, UINT32_MAX, &pid) && has_descriptor(d->d_name, wanted))
            holder = holder_text((long)pid);
    }
    if (all)
        (void)closedir(all);
    return holder;
}
