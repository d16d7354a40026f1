/* SPDX-License-Identifier: MIT */
/* One table of network errors for everything that connects: the keeper, broker-http, and the checks that
 * explain a client's failure. */
#include <base/net_errors.h>

#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <string.h>

#define CHECK_HOST "check host; a name that only a bastion can resolve needs via"
#define CHECK_PORT "check port and firewall; a server behind a bastion needs via"
#define CHECK_NET "check the network; a server behind a bastion needs via"

/* The last row is used for all other errors, with strerror()'s text. */
static const struct row {
    int failed;
    struct net_error error;
} unresolved[] = {
    {EAI_NONAME, {"no such host", CHECK_HOST}},
    {EAI_NODATA, {"no such host", CHECK_HOST}},
    {EAI_AGAIN, {"the DNS server does not answer", "check the network and /etc/resolv.conf"}},
    {0, {NULL, "check the network and /etc/resolv.conf"}},
};

static const struct row refused[] = {
    {ECONNREFUSED, {"connection refused", CHECK_PORT}},
    {ECONNRESET, {"connection reset", CHECK_PORT}},
    {EHOSTUNREACH, {"no route to it", CHECK_NET}},
    {ENETUNREACH, {"no route to it", CHECK_NET}},
    {ETIMEDOUT, {"no answer", CHECK_PORT}},
    {ENOENT, {"no such file", "start the server, or check the path"}},
    {EACCES, {"permission denied", "check its permissions"}},
    {EMFILE, {"too many open files", "raise the limit with ulimit -n, then start it again"}},
    {0, {NULL, "check host and port"}},
};

static struct net_error find(const struct row *row, int failed)
{
    while (row->failed && row->failed != failed)
        row++;
    return row->error;
}

struct net_error net_unresolved(int failed)
{
    struct net_error error = find(unresolved, failed);

    error.words = error.words ? error.words : gai_strerror(failed);
    return error;
}

struct net_error net_refused(int failed)
{
    struct net_error error = find(refused, failed);

    error.words = error.words ? error.words : strerror(failed);
    return error;
}
