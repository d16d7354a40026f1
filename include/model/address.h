/* SPDX-License-Identifier: MIT */
/* Host names, and hosts with ports, as they are written in config keys, options and URLs. */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include <stdbool.h>

#include <base/buf.h>

/* Returns true for a host name, an IPv4 address, or an IPv6 address without brackets (which may have a zone).
 * A name that starts with `-` is not valid. */
bool host_is_valid(const char *s);
/* Returns true for localhost, 127.0.0.0/8 and ::1. */
bool host_is_loopback(const char *s);
/* Returns 127.0.0.1 for localhost, which MySQL clients and many drivers take for a unix socket; any other
 * host, or NULL, is returned unchanged. */
const char *host_by_tcp(const char *s);

/*
 * Splits HOST, HOST:PORT, [IPV6] or [IPV6]:PORT and checks both parts. *host is malloced, without brackets;
 * *port is 0 to 65535, or -1 if there is none. Returns false, with *host NULL, if it is malformed. The
 * reverse is text_address().
 */
bool address_split(const char *s, char **host, long *port);

#endif
