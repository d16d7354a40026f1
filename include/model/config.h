/* SPDX-License-Identifier: MIT */
/*
 * The config files (docs/config.md): reads them and their includes, checks them strictly, and resolves one
 * profile from inherits, [defaults], BROKER_* and the command line, in the order that docs/config.md says.
 * Reading keeps every section but checks only what a run uses; config_check() checks all. config_edit.h
 * changes the user's file.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>

#include <base/err.h>
#include <model/profile.h>

struct config;

/*
 * Reads only $BROKER_CONFIG if it is set, else /etc/broker/config and the user's file. A missing file is not
 * an error, except the one that BROKER_CONFIG names: resolving and checking then report it. A file has at
 * most 1 MiB. The user's file overrides the system's, and an including file overrides the included one, key
 * by key.
 *
 * Checks the owner, mode and bytes of each file, headers, duplicate sections, includes, and the keys of
 * config_file_key(). The lines of other sections are lexed and checked when a run uses them. If a run does
 * not find a section, all are lexed, because a typing error may have hidden it. ERR_CONFIG with e->what
 * "FILE:LINE" and a hint.
 */
int config_load(struct config **out, struct err *e);
/* Like config_load(), but takes `text` as the content of the user's file, to check it before it is written.
 * NULL: reads the file. */
struct buf;
int config_load_text(struct config **out, const struct buf *text, struct err *e);
void config_free(struct config *c);
void config_free_cleanup(struct config **c);
#define AUTO_CONFIG(name) __attribute__((cleanup(config_free_cleanup))) struct config *name = NULL

/* Returns -1 with an error if BROKER_CONFIG names a file that does not exist; else 0. */
int config_found(const struct config *c, struct err *e);
/* Makes a missing file no longer an error, for a caller that is about to create it. */
void config_may_be_new(struct config *c);

/* Returns the path of the user's file ($BROKER_CONFIG, else $XDG_CONFIG_HOME/broker/config), which need not
 * exist. NULL if there is no home directory. */
const char *config_user_file(const struct config *c);

/* Returns the path of the user's config file, malloced, without reading any config. */
char *config_user_path(void);

/* Return the names of profiles and of tunnels in file order, NULL-terminated; owned by the config. */
const char *const *config_profile_names(const struct config *c);
const char *const *config_tunnel_names(const struct config *c);
/* Gets the file and line where a profile's section begins. Returns false if there is none. */
bool config_profile_place(const struct config *c, const char *name, const char **file, unsigned *line);

/* Returns true if the user's own file has a section for the profile. */
bool config_profile_is_own(const struct config *c, const char *name);
/* Returns the first profile that inherits directly from `name`, and in *place where it says so ("FILE:LINE",
 * malloced); NULL if there is none. */
const char *config_heir(const struct config *c, const char *name, char **place);

/* Returns the value of a key that only [defaults] may have; NULL if it is unset. */
const char *config_file_key(const struct config *c, enum file_key k);

/* One override from the command line: an option or -o KEY=VALUE; tunnel.KEY sets a key of the tunnel. */
struct override {
    const char *key, *value;
    const char *flag; /* the option as typed, for messages, without its value, which may be a secret */
};

/*
 * Fills in *p, which is empty, for profile `name`, or for an unnamed one if it is NULL. Settings of `url`
 * (may be NULL) rank like those of the profile. ERR_CONFIG: no such profile, unknown key, bad value, cycle;
 * ERR_USAGE: a bad override; ERR_DATA: a bad URL.
 */
int config_resolve(const struct config *c, const char *name, const char *url,
                   const struct override *overrides, size_t count, struct profile *p, struct err *e);

/* Resolves the same profile without the keys of the URL that could lower security (URL_LEVEL in keys.def),
 * for comparison. Call it after config_resolve() with the same arguments. */
int config_resolve_unlowered(const struct config *c, const char *url, const struct override *overrides,
                             size_t count, struct profile *p, struct err *e);

/* Calls key_check_file() for each key that is set, also for the tunnel's keys; for TLS keys only if `tls`.
 * ERR_CONFIG; e->what says where the key was set. */
int config_check_files(const struct profile *p, bool tls, struct err *e);

/* Checks [defaults] as a run does, for a caller that resolves no profile. ERR_CONFIG; *e is complete. */
int config_check_defaults(const struct config *c, struct err *e);
/* Checks every section and the files that it names, and calls `each` for every error. Returns the number of
 * errors. */
unsigned config_check(const struct config *c, void (*each)(void *context, const struct err *e),
                      void *context);

#endif
