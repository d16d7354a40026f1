/*
 * The config file(s) (SPEC section 2): reading both, include, strictness; resolving one profile with
 * inherits, [defaults], BROKER_* and the command line's overrides in the stated order; and editing the user's
 * file without losing a comment. Reading keeps every section but checks only what a run uses; config_check()
 * checks all.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stdbool.h>

#include <base/err.h>
#include <model/profile.h>

struct config;

/*
 * Reads $BROKER_CONFIG alone if set, else /etc/broker/config and the user's; no file is fine, but where
 * BROKER_CONFIG names it: resolving and checking say so then. A file has at most 1 MiB. Of two files the
 * user's is stronger than the system's, an including one than the included one, key by key.
 *
 * Checked here: guard and bytes of each file, headers, duplicate sections, include, the keys of
 * config_file_key(). The lines of the other sections are lexed and checked when a run uses them; where a run
 * finds no section of a name, all are lexed, since a slip may have hidden it. ERR_CONFIG with e->what
 * "FILE:LINE" and hint.
 */
int config_load(struct config **out, struct err *e);
void config_free(struct config *c);
void config_free_cleanup(struct config **c);
#define AUTO_CONFIG(name) __attribute__((cleanup(config_free_cleanup))) struct config *name = NULL

/* Whether the file that BROKER_CONFIG names is there; -1 with the error that resolving and checking would
 * give. */
int config_found(const struct config *c, struct err *e);
/* For who is about to make that file: its absence is no error from now on. */
void config_may_be_new(struct config *c);

/* The user's file, also where it does not exist yet ($BROKER_CONFIG, else $XDG_CONFIG_HOME/broker/config).
 * NULL: no home. */
const char *config_user_file(const struct config *c);

/* Profile names in file order, NULL-terminated; owned by the config. */
const char *const *config_profile_names(const struct config *c);
const char *const *config_tunnel_names(const struct config *c);
/* Where a profile's section begins: file and line. False where there is none. */
bool config_profile_place(const struct config *c, const char *name, const char **file, unsigned *line);

/* A key of [defaults] only. NULL where unset. */
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
 * What the URL's server gets where the URL says nothing of the keys that could take something away (URL_LEVEL
 * of keys.def): for comparing. After a config_resolve() of the same.
 */
int config_resolve_unlowered(const struct config *c, const char *url, const struct override *overrides,
                             size_t count, struct profile *p, struct err *e);

/* key_check_file() for what was set, of TLS if `tls`, and of the tunnel. ERR_CONFIG; e->what is where it was
 * set. */
int config_check_files(const struct profile *p, bool tls, struct err *e);

/* Checks every section, and the files that it names; calls `each` for every error found (e is its own).
 * Returns the number of errors. */
unsigned config_check(const struct config *c, void (*each)(void *context, const struct err *e),
                      void *context);

/*
 * Appends a section [profile NAME] with these settings (keys in the order given) to config_user_file(), made
 * if missing. Settings `tunnel.KEY` make a [tunnel NAME] too, and via = NAME. Refuses an existing name and a
 * bad key or value (e->what is the flag, or the key where that is NULL). Values are quoted where needed.
 */
int config_add_profile(const struct config *c, const char *name, const struct override *settings,
                       size_t count, struct err *e);

#endif
