/* SPDX-License-Identifier: MIT */
/*
 * The config file(s) (SPEC section 2): reading both, includes, strict checks; resolving one profile from
 * inherits, [defaults], BROKER_* and the command line in the order of SPEC section 1. Reading keeps every
 * section but checks only what a run uses; config_check() checks all. config_edit.h changes the user's file.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>

#include <base/err.h>
#include <model/profile.h>

struct config;

/*
 * Reads $BROKER_CONFIG alone if set, else /etc/broker/config and the user's; a missing file is not an error,
 * except one that BROKER_CONFIG names: resolving and checking then report it. A file has at most 1 MiB. The
 * user's file overrides the system's, and an including file overrides the included one, key by key.
 *
 * It checks the owner, mode and bytes of each file, headers, duplicate sections, includes, and the keys of
 * config_file_key(). The lines of the other sections are lexed and checked when a run uses them. If a run
 * does not find a section, all are lexed, because a typing error may have hidden it. ERR_CONFIG with e->what
 * "FILE:LINE" and hint.
 */
int config_load(struct config **out, struct err *e);
/* The same as if the user's file had that text (NULL: as it is): checks what is to be written. */
struct buf;
int config_load_text(struct config **out, const struct buf *text, struct err *e);
void config_free(struct config *c);
void config_free_cleanup(struct config **c);
#define AUTO_CONFIG(name) __attribute__((cleanup(config_free_cleanup))) struct config *name = NULL

/* Whether the file that BROKER_CONFIG names exists; -1 with the error that resolving and checking would
 * report. */
int config_found(const struct config *c, struct err *e);
/* For a caller that is about to create that file: from now on its absence is not an error. */
void config_may_be_new(struct config *c);

/* The path of the user's file ($BROKER_CONFIG, else $XDG_CONFIG_HOME/broker/config), which need not exist.
 * NULL: no home. */
const char *config_user_file(const struct config *c);

/* The same before anything is read; malloced. */
char *config_user_path(void);

/* Profile names in file order, NULL-terminated; owned by the config. */
const char *const *config_profile_names(const struct config *c);
const char *const *config_tunnel_names(const struct config *c);
/* The file and line where a profile's section begins. False if there is none. */
bool config_profile_place(const struct config *c, const char *name, const char **file, unsigned *line);

/* Whether the user's own file has that profile. */
bool config_profile_is_own(const struct config *c, const char *name);
/* The first profile that inherits from NAME itself, and where it says so, as "FILE:LINE", malloced; NULL:
 * none. */
const char *config_heir(const struct config *c, const char *name, char **place);

/* A key of [defaults] only. NULL if unset. */
const char *config_file_key(const struct config *c, enum file_key k);

/* One override of the command line: -o KEY=VALUE or a flag; tunnel.KEY for the tunnel's. */
struct override {
    const char *key, *value;
    const char *flag; /* for messages: as typed, but without the value, which may be a secret */
};

/*
 * Fills *p, which is empty, for profile NAME, or for an unnamed one (name NULL). `url` (may be NULL) is at
 * the profile's rank. ERR_CONFIG: no such profile (did you mean), unknown key, bad value, cycle; ERR_USAGE: a
 * bad override; ERR_DATA: a bad URL.
 */
int config_resolve(const struct config *c, const char *name, const char *url,
                   const struct override *overrides, size_t count, struct profile *p, struct err *e);

/*
 * Resolves the same profile without those keys of the URL that could lower security (URL_LEVEL in keys.def),
 * for comparison. Call it after config_resolve() with the same arguments.
 */
int config_resolve_unlowered(const struct config *c, const char *url, const struct override *overrides,
                             size_t count, struct profile *p, struct err *e);

/* Calls key_check_file() for each key that is set, for TLS keys only if `tls`, and for the tunnel's.
 * ERR_CONFIG; e->what says where it was set. */
int config_check_files(const struct profile *p, bool tls, struct err *e);

/* Checks every section and the files that it names, and calls `each` for every error. Returns the number of
 * errors. */
unsigned config_check(const struct config *c, void (*each)(void *context, const struct err *e),
                      void *context);

#endif
