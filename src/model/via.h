/* SPDX-License-Identifier: MIT */
/* The value of `via`: a tunnel's name, `direct`, or an inline tunnel. */
#ifndef MODEL_VIA_H
#define MODEL_VIA_H

#include <base/err.h>
#include <model/profile.h>

enum via_form { VIA_DIRECT, VIA_NAME, VIA_SSH, VIA_TCP };

struct via {
    enum via_form form;
    char *user, *host; /* for VIA_SSH and VIA_TCP; user may be NULL */
    long port;         /* -1: none is given */
};
void via_release(struct via *v);
#define AUTO_VIA(name) __attribute__((cleanup(via_release))) struct via name = {0}

/* Parses NAME, `direct`, ssh://[USER@]HOST[:PORT] or tcp://HOST:PORT. ERR_CONFIG with a hint that never
 * quotes a password. */
int via_parse(const char *text, struct via *out, struct err *e);

/* Sets the tunnel's keys from an inline `via` that has been parsed, with the origin of the profile's `via`.
 */
void tunnel_put_inline(struct profile *p, const struct via *via);

#endif
