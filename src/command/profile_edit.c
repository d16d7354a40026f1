/* SPDX-License-Identifier: MIT */
/*
 * profile edit: opens the user's config file in an editor. The user edits a copy in the same folder. The copy
 * replaces the file only if it has no errors and the file has not changed in the meantime. A copy that cannot
 * be used is kept, and its name is printed.
 */
#include "profile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/tty.h>
#include <model/config_edit.h>

/* Finds the editor's command; its program becomes a path. */
static int find_editor(struct words *out, struct err *e)
{
    static const char *const names[] = {"editor", "vi", "nano"};
    static const char *const variables[] = {"VISUAL", "EDITOR"};
    AUTO_FREE(char *, path);

    for (size_t i = 0; i < ARRAY_LEN(variables) && !out->count; i++) {
        const char *value = secure_getenv(variables[i]);
        if (value && *value && text_split_words(value, out, e) < 0)
            return err_what(e, "%s", variables[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(names) && !out->count; i++) {
        path = proc_find(names[i]);
        if (path)
            words_add(out, names[i]);
        free(path);
        path = NULL;
    }
    if (!out->count) {
        (void)err_set(e, ERR_NOT_FOUND, "no editor");
        return err_hint(e, "set VISUAL");
    }
    path = proc_find(out->word[0]);
    if (!path)
        return proc_explain_missing(out->word[0], e);
    free(out->word[0]);
    out->word[0] = path;
    path = NULL;
    return 0;
}

static int run_editor(const char *draft, struct err *e)
{
    AUTO_WORDS(words);
    AUTO_BUF(how, 64);
    AUTO_FREE(char **, argv);
    int status = 0;

    if (find_editor(&words, e) < 0)
        return -1;
    words_add(&words, draft);
    argv = mem_alloc(words.count + 1, sizeof *argv);
    memcpy(argv, words.word, words.count * sizeof *argv);
    if (proc_foreground(argv, &status, e) < 0)
        return -1;
    if (status == 0)
        return 0;
    proc_describe_status(&how, status);
    (void)err_set(e, ERR_IO, "the editor ended: %s", buf_str(&how));
    return err_hint(e, "nothing was changed");
}

/* Prints one error of the file, as profile check does. */
static void print_fault(void *context, const struct err *e)
{
    (void)context;
    print_error(e);
}

static int check_text(const struct config_edit *edit, struct err *e)
{
    AUTO_CONFIG(after);

    if (config_edit_load(edit, &after, e) < 0) {
        print_error(e);
        return -1;
    }
    return config_check(after, print_fault, NULL) ? -1 : 0;
}

/* Reads what the user has changed. Returns 1 if nothing was changed. */
static int take_draft(const char *draft, const struct buf *shown, struct config_edit *edit, struct err *e)
{
    buf_clear(&edit->text);
    int got = file_read(draft, FILE_ANY, &edit->text, e);
    if (got > 0)
        return err_set(e, ERR_IO, "the editor deleted the file");
    if (got < 0)
        return -1;
    return edit->text.len == shown->len && memcmp(buf_str(&edit->text), buf_str(shown), shown->len) == 0;
}

/* Runs the editor until the copy has no errors. Returns 0 if it is good, 1 if it is unchanged. */
static int edit_until_good(const char *draft, const struct buf *shown, struct config_edit *edit,
                           struct err *e)
{
    for (;;) {
        struct err wrong = ERR_INIT;
        int got = run_editor(draft, e) < 0 ? -1 : take_draft(draft, shown, edit, e);
        if (got != 0 || check_text(edit, &wrong) == 0)
            return got;
        if (!tty_ask_yes("edit it again? [y/N] ")) {
            (void)err_set(e, ERR_CONFIG, "not saved: it has errors");
            return err_hint_sh(e, "your changes are in %s", draft);
        }
    }
}

/* Replaces the file under its lock, if it is still the text that the user was shown. */
static int save(const struct buf *shown, const struct config_edit *edited, const char *draft, struct err *e)
{
    AUTO_EDIT(edit);

    if (config_edit_begin(&edit, e) < 0)
        return -1;
    if (edit.old.len != shown->len || memcmp(buf_str(&edit.old), buf_str(shown), shown->len) != 0) {
        (void)err_set(e, ERR_TRY_LATER, "not saved: the file was changed in the meantime");
        return err_hint_sh(e, "your changes are in %s", draft);
    }
    buf_clear(&edit.text);
    buf_add(&edit.text, buf_str(&edited->text), edited->text.len);
    return config_edit_save(&edit, e);
}

int profile_edit(struct invocation *inv, struct err *e)
{
    AUTO_EDIT(edited);
    AUTO_BUF(shown, CONFIG_FILE_BYTES);
    AUTO_FREE(char *, draft);
    AUTO_FREE(char *, path);

    (void)inv;
    edited.path = config_user_path();
    if (tty_input_forbidden()) {
        (void)err_set(e, ERR_LOGIN, "cannot start an editor: %s", tty_why_not());
        return err_hint(e, "broker profile set NAME KEY=VALUE");
    }
    if (!edited.path)
        return err_set(e, ERR_CONFIG, "no home folder for the config file");
    if (file_folder(edited.path, e) < 0 || file_read(edited.path, FILE_TRUSTED, &shown, e) < 0 ||
        file_draft(edited.path, buf_str(&shown), shown.len, &draft, e) < 0)
        return -1;
    int got = edit_until_good(draft, &shown, &edited, e);
    if (got == 0)
        got = save(&shown, &edited, draft, e);
    if (got >= 0 || !strstr(e->hint, "your changes are in"))
        (void)unlink(draft);
    if (got < 0)
        return -1;
    path = path_short(edited.path);
    log_note(got > 0 ? "nothing changed in %s" : "changed %s", path);
    return 0;
}
