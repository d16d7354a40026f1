/* SPDX-License-Identifier: MIT */
/* A profile: everything needed to reach one database as one user, as settings with their origin, one for each
 * row of model/keys.def. Also the tables that describe the keys, for the parser, help and completion. */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include <base/err.h>

enum key {
#define KEY(id, group, type, limits, built_in, url, help) KEY_##id,
#include <model/keys.def>
    KEY_COUNT
};
enum tunnel_key {
#define TUNNEL_KEY(id, type, limits, built_in, help) TUNNEL_##id,
#include <model/keys.def>
    TUNNEL_COUNT
};
enum file_key {
#define FILE_KEY(id, type, limits, built_in, help) FILE_##id,
#include <model/keys.def>
    FILE_COUNT
};

enum key_type {
    KEY_TEXT,
    KEY_PATH,
    KEY_NUMBER,
    KEY_BOOL,
    KEY_TIME,
    KEY_CHOICE,
    KEY_WORDS,
    KEY_URL,
    KEY_LISTEN,
    KEY_HOSTNAME,
    KEY_SSH_HOST,
    KEY_NAME,
    KEY_VIA,
    KEY_ZONE
};

/* The column `url` of keys.def: whether a URL may set the key. */
enum url_rule {
    URL_PLACE,
    URL_MANNER,
    URL_SIGNS,
    URL_LEVEL,
    URL_AUTH,
    URL_RUNS,
    URL_SENDS,
    URL_OPENS,
    URL_BORROWS,
    URL_UNKNOWN, /* not the name of a key */
};

struct key_info {
    const char *name;
    enum key_type type;
    const char *limits, *built_in, *help;
    enum url_rule url;
};
extern const struct key_info key_infos[KEY_COUNT], tunnel_key_infos[TUNNEL_COUNT], file_key_infos[FILE_COUNT];

/* Returns the index of a key by its name, with `-` read as `_`; -1 if there is none. */
int key_find(const struct key_info *infos, size_t count, const char *name);

/* Returns the key that the user probably meant: what other programs call so, or a similar one; or NULL. */
const char *key_closest(const struct key_info *infos, size_t count, const char *name);
/* Returns true if a name suggests a secret (password, passwd, ssh_password, token, ...). None of our keys has
 * such a name. */
bool key_is_secret(const char *name);

/*
 * Checks one value and normalises it (booleans to yes/no, ~ expanded, https added to vault_addr), malloced
 * into *out. ERR_CONFIG with the reason and, for a CHOICE, "did you mean"; the caller sets e->what. The empty
 * value is always valid: it unsets the key.
 */
int key_check(const struct key_info *info, const char *value, char **out, struct err *e);

/* Checks that the file named by a key can be read, if a run needs the file before it connects (limits of a
 * PATH). Succeeds for other keys. ERR_CONFIG; the caller sets e->what. */
int key_check_file(const struct key_info *info, const char *path, struct err *e);

/* Where a setting comes from. Later origins override earlier ones. */
enum origin {
    ORIGIN_UNSET,
    ORIGIN_BUILT_IN,
    ORIGIN_DERIVED,
    ORIGIN_DEFAULTS,
    ORIGIN_ENV,
    ORIGIN_FILE,
    ORIGIN_URL,
    ORIGIN_FLAG
};

struct setting {
    char *value; /* NULL: unset. If `origin` is set too, an empty value there has unset it */
    enum origin origin;
    char *from;    /* the file's absolute path, the variable, the option, the URL's parameter, or the key from
                      which it was derived */
    unsigned line; /* the line in that file; else 0 */
};

struct secret;

struct profile {
    char *name; /* NULL: made from a URL or options only */
    struct setting set[KEY_COUNT];
    char *tunnel_name;                   /* NULL: `via` is not set, `direct` or inline */
    struct setting tunnel[TUNNEL_COUNT]; /* all unset if !profile_is_tunnelled() */
    bool is_of_url; /* it comes from a URL, which an attacker may have written, including the tunnel */
    /* The passwords in a URL, for this run only; never saved. */
    struct secret *password, *ssh_password;
};
void profile_release(struct profile *p);
#define AUTO_PROFILE(name) __attribute__((cleanup(profile_release))) struct profile name = {0}

/* Sets a key if `origin` is stronger than its present origin; value NULL or "" unsets it. Copies the value.
 * Returns true if it was set. */
bool setting_put(struct setting *s, const char *value, enum origin origin, const char *from, unsigned line);

/* Clears a setting's value and origin. */
void setting_clear(struct setting *s);

/* Return the value of a key; the string is owned by the profile and NULL if unset. */
const char *profile_str(const struct profile *p, enum key k);
bool profile_bool(const struct profile *p, enum key k);
unsigned profile_number(const struct profile *p, enum key k); /* returns 0 if the key is unset */
long profile_ms(const struct profile *p, enum key k); /* returns the value of a TIME key in milliseconds */

/* Returns true if a tunnel is used: `via` is set and not `direct`. */
bool profile_is_tunnelled(const struct profile *p);
/* Like profile_str() and so on, for the tunnel's keys. */
const char *profile_tunnel_str(const struct profile *p, enum tunnel_key k);

/* Returns true if the credential is the password in the URL itself and does not come from this machine. */
bool profile_uses_url_password(const struct profile *p);

/* Returns the profile's name for messages: its name, host or socket, or "local". Malloced. */
char *profile_label(const struct profile *p);

/* Parses "250ms", "10s", "5m", "1h" or a number of seconds. Returns false if it is malformed or longer than a
 * year. */
bool duration_parse(const char *s, long *ms);

/* Returns true for [A-Za-z0-9][A-Za-z0-9._@+-]{0,63}. */
bool profile_name_valid(const char *s);

#endif
