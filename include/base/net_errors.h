/* SPDX-License-Identifier: MIT */
/* What a name look-up or a connect that failed is called. */
#ifndef BASE_NET_ERRORS_H
#define BASE_NET_ERRORS_H

struct net_error {
    const char *words, *hint;
};

/* By what getaddrinfo(3) gave. */
struct net_error net_unresolved(int failed);
/* By errno of a connect. */
struct net_error net_refused(int failed);

#endif
