/* SPDX-License-Identifier: MIT */
/*
 * The MySQL and MariaDB client programs: finds one, determines its family, and writes the option file for it.
 * The programs are rows of model/kinds.def. The two families speak the same protocol but have different
 * options; no other module may depend on these.
 */
#ifndef OUTPUT_CLIENT_H
#define OUTPUT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <base/proc.h>
#include <output/connection.h>

enum flavour { FLAVOUR_UNKNOWN, FLAVOUR_MYSQL, FLAVOUR_MARIADB };
const char *flavour_name(enum flavour f); /* returns "mysql" or "mariadb" */

struct client {
    char *path;
    enum flavour flavour;
};
void client_release(struct client *c);

/*
 * Finds the program `name` on PATH (NULL: mysql, else mariadb) and its family: by its resolved name if that
 * is enough, else with --version. The answer is cached in $XDG_CACHE_HOME/broker/clients by path, inode, size
 * and mtime. ERR_NOT_FOUND, ERR_NOT_RUNNABLE; ERR_CONFIG if the program is of neither family.
 */
int client_find(const char *name, int64_t deadline, struct client *out, struct err *e);
/* Returns true if the base name of the path is a row of the client table. */
bool client_is_known(const char *path);

/* Returns true for an argument that a client accepts only as its first one, which is where ours must be. */
bool client_arg_must_be_first(const char *arg);

/*
 * Makes the option file's text. For MariaDB, a password whose escaped line would exceed 4,000 bytes is left
 * out and *by_env is set: the caller must pass it as MYSQL_PWD. The includes are then left out too. ERR_DATA:
 * a password with NUL, or over 60,000 bytes of options.
 */
int client_option_file(const struct connection *c, enum flavour f, struct secret **out, bool *by_env,
                       struct err *e);

/*
 * Makes an option file for a program that is not a MySQL client; a driver, or a script that runs a client,
 * may read it. `c` has host and port, and also a socket if MySQL clients should use that. It sets no TLS
 * level, except that it turns off MariaDB's default: at `required` and stricter the keeper does TLS.
 */
int client_plain_file(const struct connection *c, struct secret **out, bool *by_env, struct err *e);

/* Makes the option file that `params` prints, which users may save. ERR_DATA for a value for which this
 * family has no option. `masked`: the password is written as a comment. */
int client_params_file(const struct connection *c, enum flavour f, bool masked, struct buf *out,
                       struct err *e);
/* Makes the option file of `params` for drivers and scripts, which read only [client]. */
int client_params_plain(const struct connection *c, bool masked, struct buf *out, struct err *e);
/* ERR_DATA, naming the format, if MariaDB's clients have no options for the TLS level. */
int client_check_mariadb(const char *format, const struct connection *c, struct err *e);

/* Unsets the variables that would override our parameters in the client's environment, and sets MYSQL_PWD if
 * `by_env`. */
void client_environment(const struct connection *c, enum flavour f, bool by_env, struct env_changes *env);

#endif
