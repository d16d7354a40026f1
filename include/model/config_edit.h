/* SPDX-License-Identifier: MIT */
/*
 * Changing the user's config file: under a lock, and on its text, so that comments, order, mode and symbolic
 * links stay, and two changes at once are both kept. Nothing is written before config_edit_save().
 */
#ifndef MODEL_CONFIG_EDIT_H
#define MODEL_CONFIG_EDIT_H

#include <base/buf.h>
#include <base/err.h>
#include <base/file.h>
#include <model/config.h>

struct config_edit {
    struct file_lock lock;
    struct config *config; /* as it is, read under the lock */
    char *path;            /* of the user's file */
    struct buf old, text;  /* that file as it is, and as it is to be */
};
/* The most that a file may have. */
#define CONFIG_FILE_BYTES (1024 * 1024)
void config_edit_release(struct config_edit *edit);
#define AUTO_EDIT(name)                                                                                      \
    __attribute__((cleanup(config_edit_release))) struct config_edit name = {                                \
        .lock = {.fd = -1}, .old = BUF_INIT(CONFIG_FILE_BYTES), .text = BUF_INIT(2 * CONFIG_FILE_BYTES)}

/* Locks and reads. ERR_CONFIG: no home folder, a folder that others may change; ERR_TRY_LATER: another one
 * holds it for too long; and what config_load() says. */
int config_edit_begin(struct config_edit *edit, struct err *e);

/*
 * Appends a section [profile NAME] with these settings (keys in the order given). Settings `tunnel.KEY` make
 * a [tunnel NAME] too, and via = NAME. Refuses an existing name and a bad key or value (e->what is the flag,
 * or the key where that is NULL). Values are quoted where needed.
 */
int config_edit_add(struct config_edit *edit, const char *name, const struct override *settings, size_t count,
                    struct err *e);
/* Sets keys of a section that need not be in this file: then it is appended. A value "" is written as such;
 * NULL takes the line away. Keys and values are not checked. */
int config_edit_set(struct config_edit *edit, const char *name, const struct override *settings, size_t count,
                    struct err *e);
/* Takes the section of a profile out, its comments too, but not those above its header and below its last
 * key. */
int config_edit_remove(struct config_edit *edit, const char *name, struct err *e);
/* Gives a section another name, in the header and in the `inherits` of this file. */
int config_edit_rename(struct config_edit *edit, const char *from, const char *to, struct err *e);

/* What a run would read after the change: for checking it. */
int config_edit_load(const struct config_edit *edit, struct config **out, struct err *e);
/* Writes the text, which a run can read. */
int config_edit_save(const struct config_edit *edit, struct err *e);

/* Begins, adds one profile and saves. */
int config_add_profile(const char *name, const struct override *settings, size_t count, struct err *e);

/* Whether a profile may have that name and be added to this file. ERR_USAGE, ERR_CONFIG. */
int config_edit_check_name(const struct config *c, const char *name, bool with_tunnel, struct err *e);
/* One line KEY = VALUE, quoted where needed, without the line's end. */
void config_edit_value(struct buf *out, const char *value);

#endif
