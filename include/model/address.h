/* SPDX-License-Identifier: MIT */
/* Host names, and hosts with ports, as they are written in keys, flags and URLs. */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include <stdbool.h>

#include <base/buf.h>

/* A host name, an IPv4 address, or an IPv6 address without brackets (with a zone perhaps); never starts with
 * `-`. */
bool host_is_valid(const char *s);
/* localhost, 127.0.0.0/8, ::1. */
bool host_is_loopback(const char *s);

/*
 * Splits HOST, HOST:PORT, [IPV6] or [IPV6]:PORT and checks both. *host is malloced, without brackets; *port
 * is -1 if none is written, else 0 to 65535. False if malformed; *host is then NULL. The reverse is
 * text_address().
 */
bool address_split(const char *s, char **host, long *port);

#endif
