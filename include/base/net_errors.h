/* SPDX-License-Identifier: MIT */
/* Error codes and texts for a failed name lookup or connect. */
#ifndef BASE_NET_ERRORS_H
#define BASE_NET_ERRORS_H

struct net_error {
    const char *words, *hint;
};

/* Returns the code and text for an error of getaddrinfo(3). */
struct net_error net_unresolved(int failed);
/* Returns the code and text for the errno of a failed connect. */
struct net_error net_refused(int failed);

#endif
