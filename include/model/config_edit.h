/* SPDX-License-Identifier: MIT */
/*
 * Changes the user's config file. The file is locked during a change, so that two changes at the same time
 * are both kept. Only the changed lines of its text are replaced, so that comments, order, mode and symbolic
 * links stay. Nothing is written before config_edit_save().
 */
#ifndef MODEL_CONFIG_EDIT_H
#define MODEL_CONFIG_EDIT_H

#include <base/buf.h>
#include <base/err.h>
#include <base/file.h>
#include <model/config.h>

struct config_edit {
    struct file_lock lock;
    struct config *config; /* the config before the change, read under the lock */
    char *path;            /* the path of the user's file */
    struct buf old, text;  /* the file's text before and after the change */
};
/* The size limit of a config file. */
#define CONFIG_FILE_BYTES (1024 * 1024)
void config_edit_release(struct config_edit *edit);
#define AUTO_EDIT(name)                                                                                      \
    __attribute__((cleanup(config_edit_release))) struct config_edit name = {                                \
        .lock = {.fd = -1}, .old = BUF_INIT(CONFIG_FILE_BYTES), .text = BUF_INIT(2 * CONFIG_FILE_BYTES)}

/* Locks and reads the file. ERR_CONFIG: no home directory, or a folder that other users may change;
 * ERR_TRY_LATER: another process holds the lock for too long; and the errors of config_load(). */
int config_edit_begin(struct config_edit *edit, struct err *e);

/*
 * Appends a section [profile NAME] with these settings, in this order. Settings `tunnel.KEY` also make a
 * section [tunnel NAME], and set via = NAME. Refuses a name that exists and an invalid key or value (e->what
 * is the option, or the key if there is no option). Values are quoted if needed.
 */
int config_edit_add(struct config_edit *edit, const char *name, const struct override *settings, size_t count,
                    struct err *e);
/* Sets keys of a profile's section, which is appended if it is not in this file. A value of "" is written as
 * `KEY =`; NULL removes the line. Keys and values are not checked. */
int config_edit_set(struct config_edit *edit, const char *name, const struct override *settings, size_t count,
                    struct err *e);
/* Removes a profile's section and the comments in it, but not those above its header and below its last key.
 */
int config_edit_remove(struct config_edit *edit, const char *name, struct err *e);
/* Renames a profile, in its header and in each `inherits` of this file. */
int config_edit_rename(struct config_edit *edit, const char *from, const char *to, struct err *e);

/* Loads the config as a run would read it after the change, so that the caller can check it. */
int config_edit_load(const struct config_edit *edit, struct config **out, struct err *e);
/* Writes the new text, if a run can read it. */
int config_edit_save(const struct config_edit *edit, struct err *e);

/* Does a whole change: begins, adds one profile and saves. */
int config_add_profile(const char *name, const struct override *settings, size_t count, struct err *e);

/* Checks that a new profile may have this name. With `with_tunnel`, a new tunnel must be able to have it too.
 * ERR_USAGE, ERR_CONFIG. */
int config_edit_check_name(const struct config *c, const char *name, bool with_tunnel, struct err *e);
/* Appends the value as it is written after `KEY = `, quoted if needed, without a line end. */
void config_edit_value(struct buf *out, const char *value);
/* Returns the line end for new text at the offset `at`, LF or CR LF: that of the line before it, or of the
 * first line if the line before it has none. */
const char *config_edit_line_end(const struct config_edit *edit, size_t at);

#endif
