/* SPDX-License-Identifier: MIT */
/*
 * The config files in memory, for config*.c only. All pointers are into the files' texts, which are wiped
 * when the config is freed. The files are in order of precedence: the user's, what it includes, the system's,
 * what that includes. Of two sections with the same name the earlier one wins, key by key.
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

#define CONFIG_INCLUDES 8                        /* the longest chain of includes */
#define CONFIG_FILES (2 * (CONFIG_INCLUDES + 1)) /* the user's and the system's chain */
#define CONFIG_SECTION_KEYS 256                  /* must be larger than the number of keys */

enum section_kind { SECTION_DEFAULTS, SECTION_PROFILE, SECTION_TUNNEL };

/* One section. A file may have a thousand of them, so their lines are lexed only when they are used. */
struct section {
    const char *name; /* "" for [defaults] */
    uint32_t hash;
    uint32_t header, start, end; /* offsets in the text: the header's line, the body's start and end */
    unsigned weaker; /* index + 1 of the next section of the same kind and name, which this one overrides; 0:
                        none */
    unsigned char kind, file;
    bool is_weaker; /* an earlier section of the same name overrides it */
};

struct config_file {
    char *path;  /* an absolute path */
    char *label; /* the short path, for messages */
    struct buf text;
};

struct config {
    struct config_file file[CONFIG_FILES];
    unsigned files;
    struct section *section;
    unsigned sections, section_room;
    unsigned *table; /* open-addressed hash table of sections that no other overrides: index + 1 */
    unsigned table_size;
    const char **names[SECTION_TUNNEL + 1]; /* the names of profiles and tunnels, by kind */
    char *user_file;
    const struct buf *instead; /* of config_load_text(): the new text of the user's file; NULL: none */
    bool is_missing;           /* $BROKER_CONFIG names a missing file */
    char *value[FILE_COUNT];
};

/* --- functions of config_section.c --- */

/* Gets the kind and name of a section from its header. Returns -1 with *e, to which the caller adds the
 * place. */
int section_read_header(const char *header, enum section_kind *kind, const char **name, struct err *e);
/* section_find() returns the section with this name that overrides the others, or NULL; section_weaker()
 * returns the next one that it overrides. */
const struct section *section_find(const struct config *c, enum section_kind kind, const char *name);
const struct section *section_weaker(const struct config *c, const struct section *s);
/* Adds a section to the file that is being read. ERR_CONFIG; the caller adds the place. */
int section_add(struct config *c, const struct ini_event *header, struct err *e);
/* Sets where the body of the newest section ends. */
void section_end(struct config *c, size_t end);
/* Reserves room for all sections that `bytes` of text can hold, so that the array does not move while it is
 * read. */
void section_reserve(struct config *c, size_t bytes);
/* Makes the lists of profile and tunnel names. */
void section_list_names(struct config *c);
/* Returns the line number of the section's header. */
unsigned section_line(const struct config *c, const struct section *s);
/* Lexes the section and calls `each` for every key; the strings are valid until it returns. ERR_CONFIG for a
 * syntax error or a duplicate key; *e is complete. */
int section_each(const struct config *c, const struct section *s, ini_handler *each, void *context,
                 struct err *e);
/* Lexes all sections and returns the first error. Used if a run does not find a section, because a typing
 * error may have hidden it. */
int section_lex_all(const struct config *c, struct err *e);
/* Returns the value of one key, malloced, and its line; NULL if the section lacks the key or is malformed. */
char *section_value(const struct config *c, const struct section *s, const char *key, unsigned *line);

/* The key that a line sets, and its checked value. */
struct found {
    enum { FOUND_PROFILE, FOUND_TUNNEL, FOUND_FILE } table;
    int key;
    char *value;
};
void found_release(struct found *f);
#define AUTO_FOUND(name) __attribute__((cleanup(found_release))) struct found name = {0}

/* --- functions of config_entry.c --- */

/* Finds the key of a line and checks its value. ERR_CONFIG; *e is complete, with FILE:LINE. */
int entry_check(const struct config *c, const struct section *s, const struct ini_event *entry,
                struct found *out, struct err *e);
/* Sets e->what to "FILE:LINE". Returns -1. */
int config_what(const struct config *c, unsigned file, unsigned line, struct err *e);

/* --- functions of config_layer.c: each fills in keys that no stronger layer has set; *e is complete --- */

int layer_overrides(struct profile *p, const struct override *overrides, size_t count, struct err *e);
/* Applies this section and all that it overrides; NULL: none. */
int layer_sections(const struct config *c, const struct section *s, enum origin origin, struct profile *p,
                   struct err *e);
int layer_url(const char *url, struct profile *p, struct err *e);
int layer_environment(struct profile *p, struct err *e);
/* Sets e->what to the place where the setting was made. Returns -1. */
int setting_what(const struct setting *s, struct err *e);

/* --- functions of config_tunnel.c --- */

/* Fills in the tunnel's keys from [tunnel NAME] and checks that none is missing. If there is no such tunnel,
 * e->what stays empty. */
int tunnel_fill(const struct config *c, const char *name, struct profile *p, struct err *e);
/* Fills in the keys of the tunnel that `via` names; *e is complete. */
int tunnel_resolve(const struct config *c, struct profile *p, struct err *e);
/* Reports that there is no such tunnel, with "did you mean": ERR_CONFIG. Returns -1. */
int tunnel_missing(const struct config *c, const char *name, struct err *e);

/* --- functions of config_inherits.c --- */

#define INHERITS_CHAIN 900 /* the most bytes of the names in a message about a cycle */

/* Applies the profiles that p inherits from, nearest first; *e is complete. */
int inherits_follow(const struct config *c, struct profile *p, struct err *e);
/* Returns the name of the profile that this one inherits from, malloced; NULL if there is none. */
char *inherits_find(const struct config *c, const struct section *s, unsigned *file, unsigned *line);
/* Report a missing parent, and a cycle: ERR_CONFIG; the caller adds the place. Return -1. */
int inherits_refuse_parent(const struct config *c, const char *name, struct err *e);
int inherits_refuse_circle(const char *chain, struct err *e);

/* --- functions of config_resolve.c --- */

/* Reports that there is no such profile, with "did you mean": ERR_CONFIG. Returns -1. */
int profile_missing(const struct config *c, const char *name, struct err *e);
/* Reports that the file named by $BROKER_CONFIG is missing: ERR_CONFIG; *e is complete. Returns -1. */
int config_missing(const struct config *c, struct err *e);
/* Sets the built-in values of keys that are unset, also of those that an empty value unset. */
void settle_built_in(struct setting *slots, const struct key_info *infos, size_t count);

#endif
