/* SPDX-License-Identifier: MIT */
/*
 * Changes the user's config file: lock, read, check, write. The new text is parsed as a run would parse it
 * before it is written, so that broker can always read what it wrote. The changes are made in
 * config_edit_add.c and config_edit_set.c.
 */
#include <model/config_edit.h>

#include <stdlib.h>
#include <string.h>

#include <base/clock.h>
#include <base/mem.h>
#include <model/config_file.h>

/* long enough for two hundred processes that wait for each other */
#define LOCK_MS 120000

void config_edit_release(struct config_edit *edit)
{
    file_unlock(&edit->lock);
    config_free(edit->config);
    free(edit->path);
    buf_release(&edit->old);
    buf_release(&edit->text);
}

int config_edit_begin(struct config_edit *edit, struct err *e)
{
    static const char waiting_for[] = "another broker process that changes the config file";

    edit->path = config_user_path();
    if (!edit->path) {
        (void)err_set(e, ERR_CONFIG, "no home folder for the config file");
        return err_hint(e, "set HOME, XDG_CONFIG_HOME or BROKER_CONFIG");
    }
    if (file_folder(edit->path, e) < 0 ||
        file_lock_beside(edit->path, waiting_for, clock_deadline(LOCK_MS, CLOCK_NEVER), &edit->lock, e) < 0 ||
        config_load(&edit->config, e) < 0 || file_read(edit->path, FILE_TRUSTED, &edit->old, e) < 0)
        return -1;
    buf_add(&edit->text, buf_str(&edit->old), edit->old.len);
    return 0;
}

const char *config_edit_line_end(const struct config_edit *edit, size_t at)
{
    const char *text = buf_str(&edit->text);
    const char *lf = at > 0 && text[at - 1] == '\n' ? text + at - 1 : strchr(text, '\n');

    return lf && lf > text && lf[-1] == '\r' ? "\r\n" : "\n";
}

int config_edit_load(const struct config_edit *edit, struct config **out, struct err *e)
{
    return config_load_text(out, &edit->text, e);
}

int config_edit_save(const struct config_edit *edit, struct err *e)
{
    AUTO_CONFIG(after);

    if (edit->text.len > CONFIG_FILE_BYTES) {
        (void)err_set(e, ERR_CONFIG, "the config file would be too large");
        return err_hint(e, "split it into several files with include");
    }
    if (config_edit_load(edit, &after, e) < 0 || section_lex_all(after, e) < 0)
        return -1;
    return file_write(edit->path, edit->text.data, edit->text.len, 0600, e);
}
