/* SPDX-License-Identifier: MIT */
/*
 * The config files in memory, for config*.c only. Everything points into the files' texts, which are wiped
 * when the config is freed. Files are kept strongest first: the user's, what it includes, the system's, what
 * that includes; so of two sections of one name the earlier one wins, key by key.
 */
#ifndef MODEL_CONFIG_FILE_H
#define MODEL_CONFIG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <base/buf.h>
#include <base/err.h>
#include <model/config.h>
#include <model/config_edit.h>
#include <model/ini.h>
#include <model/profile.h>

#define CONFIG_INCLUDES 8                        /* deep */
#define CONFIG_FILES (2 * (CONFIG_INCLUDES + 1)) /* two chains */
#define CONFIG_SECTION_KEYS 256                  /* larger than the number of keys */

enum section_kind { SECTION_DEFAULTS, SECTION_PROFILE, SECTION_TUNNEL };

/* A file may have a thousand of these; their lines are lexed only when they are used. */
struct section {
    const char *name; /* "" for [defaults] */
    uint32_t hash;
    uint32_t header, start, end; /* in the file's text: the header's line, the body */
    unsigned weaker;             /* index + 1 of the next section of the same kind and name */
    unsigned char kind, file;
    bool is_weaker; /* it is not the strongest section of its name */
};

struct config_file {
    char *path;  /* absolute */
    char *label; /* the short path, for messages */
    struct buf text;
};

struct config {
    struct config_file file[CONFIG_FILES];
    unsigned files;
    struct section *section;
    unsigned sections, section_room;
    unsigned *table; /* open hash of strongest sections: index + 1 */
    unsigned table_size;
    const char **names[SECTION_TUNNEL + 1]; /* [defaults] is not in it */
    char *user_file;
    const struct buf *instead; /* while reading: the new text of the user's file; NULL: unchanged */
    bool is_missing;           /* $BROKER_CONFIG names a missing file */
    char *value[FILE_COUNT];
};

/* --- config_section.c --- */

/* Kind and name of a header; -1 with *e, to which the caller adds the place. */
int section_read_header(const char *header, enum section_kind *kind, const char **name, struct err *e);
/* The strongest section of that name, or NULL; and the next weaker one. */
const struct section *section_find(const struct config *c, enum section_kind kind, const char *name);
const struct section *section_weaker(const struct config *c, const struct section *s);
/* Adds a section to the last file. ERR_CONFIG; the caller adds the place. */
int section_add(struct config *c, const struct ini_event *header, struct err *e);
/* Where the body of the last file's last section ends. */
void section_end(struct config *c, size_t end);
/* Reserves room for all sections that `bytes` of text can hold, so that nothing moves while it is read. */
void section_reserve(struct config *c, size_t bytes);
/* Makes the lists of names. */
void section_list_names(struct config *c);
/* The number of the header's line. */
unsigned section_line(const struct config *c, const struct section *s);
/*
 * Lexes the section and calls `each` with every key; strings live until it returns. ERR_CONFIG, *e complete:
 * a syntax error, or a duplicate key.
 */
int section_each(const struct config *c, const struct section *s, ini_handler *each, void *context,
                 struct err *e);
/* Lexes all sections and returns the first error. For a run that does not find a section: a typing error may
 * have hidden it. */
int section_lex_all(const struct config *c, struct err *e);
/* One key's value, malloced, and its line; NULL if the section does not have it or is malformed. */
char *section_value(const struct config *c, const struct section *s, const char *key, unsigned *line);

/* Which key a line sets, and its checked value. */
struct found {
    enum { FOUND_PROFILE, FOUND_TUNNEL, FOUND_FILE } table;
    int key;
    char *value;
};
void found_release(struct found *f);
#define AUTO_FOUND(name) __attribute__((cleanup(found_release))) struct found name = {0}

/* --- config_entry.c --- */

/* Finds the key and checks its value. ERR_CONFIG, *e complete with FILE:LINE. */
int entry_check(const struct config *c, const struct section *s, const struct ini_event *entry,
                struct found *out, struct err *e);
/* "FILE:LINE" into e->what. Returns -1. */
int config_what(const struct config *c, unsigned file, unsigned line, struct err *e);

/* --- config_layer.c: each fills the slots that no stronger layer has set; *e complete --- */

int layer_overrides(struct profile *p, const struct override *overrides, size_t count, struct err *e);
/* This section and all weaker ones of its name; NULL: none. */
int layer_sections(const struct config *c, const struct section *s, enum origin origin, struct profile *p,
                   struct err *e);
int layer_url(const char *url, struct profile *p, struct err *e);
int layer_environment(struct profile *p, struct err *e);
/* Puts the place of a setting into e->what. Returns -1. */
int setting_what(const struct setting *s, struct err *e);

/* --- config_tunnel.c --- */

/* Fills the tunnel's slots from [tunnel NAME] and checks that no key is missing. If there is no such tunnel,
 * e->what stays empty. */
int tunnel_fill(const struct config *c, const char *name, struct profile *p, struct err *e);
/* The tunnel that `via` asks for. *e complete. */
int tunnel_resolve(const struct config *c, struct profile *p, struct err *e);
/* ERR_CONFIG: no such tunnel, with "did you mean". */
int tunnel_missing(const struct config *c, const char *name, struct err *e);

/* --- config_inherits.c --- */

#define INHERITS_CHAIN 900 /* bytes for the names of the chain in a message */

/* The profiles that p inherits from, nearest first. *e complete. */
int inherits_follow(const struct config *c, struct profile *p, struct err *e);
/* The name of a profile's parent from its strongest section that has one, malloced; NULL if there is none. */
char *inherits_find(const struct config *c, const struct section *s, unsigned *file, unsigned *line);
/* ERR_CONFIG; the caller adds the place. */
int inherits_refuse_parent(const struct config *c, const char *name, struct err *e);
int inherits_refuse_circle(const char *chain, struct err *e);

/* --- config_resolve.c --- */

/* ERR_CONFIG: no such profile, with "did you mean". */
int profile_missing(const struct config *c, const char *name, struct err *e);
/* ERR_CONFIG: $BROKER_CONFIG names a missing file. *e complete. */
int config_missing(const struct config *c, struct err *e);
/* After unsetting, built-in values apply again. */
void settle_built_in(struct setting *slots, const struct key_info *infos, size_t count);

#endif
