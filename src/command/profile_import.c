/* SPDX-License-Identifier: MIT */
/*
 * profile import: adds other programs' connections as profiles. Shows what would be written, and asks all
 * questions, before anything is written. A password is stored only in the keychain, and only if the user
 * agrees.
 */
#include "profile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/tty.h>
#include <import/import.h>
#include <model/config_edit.h>
#include <model/identity.h>
#include <store/store.h>

#include "json.h"

#define STORE_TIMEOUT_MS 30000

/* What is decided about an entry, apart from its keys. */
struct fate {
    char *own_tls; /* the TLS level that broker would use without the key */
    bool is_weaker, is_client;
    const char *password; /* "keychain", "dropped", "workbench" (may have stored one); NULL: none */
};

struct import_run {
    struct import_list list;
    struct fate *fate;
    size_t weaker, passwords, kept;
    bool is_written;
};

static void run_release(struct import_run *r)
{
    for (size_t i = 0; r->fate && i < r->list.count; i++)
        free(r->fate[i].own_tls);
    free(r->fate);
    import_release(&r->list);
}

/* --- reading the file --- */

static int read_text(const char *word, struct buf *out, struct err *e)
{
    if (text_equal(word, "-"))
        return fd_read_all(STDIN_FILENO, out, e) < 0 ? err_what(e, "stdin") : 0;
    int got = file_read(word, FILE_ANY, out, e);
    if (got > 0)
        (void)err_set(e, ERR_IO, "no such file");
    if (got < 0 && e->code == ERR_CONFIG)
        e->code = ERR_DATA;
    return got == 0 ? 0 : err_what(e, "%s", word);
}

/* --- checking the entries --- */

static ptrdiff_t strength(const char *level)
{
    const char *levels = key_infos[KEY_tls].limits, *at = level ? strstr(levels, level) : NULL;

    return at ? at - levels : -1;
}

/* Resolves an entry as a run would, with or without its `tls`. The bastion is replaced by any valid one,
 * because its section does not exist yet. */
static int resolve(const struct config *c, const struct import_entry *entry, bool with_tls, struct profile *p,
                   struct err *e)
{
    struct override all[IMPORT_SETTINGS], o[IMPORT_SETTINGS + 1];
    size_t n = import_settings(entry, all), count = 0;
    bool has_tunnel = false;

    for (size_t i = 0; i < n; i++) {
        bool is_route = text_equal(all[i].key, "via") || text_starts(all[i].key, "tunnel.");
        has_tunnel = has_tunnel || is_route;
        if (!is_route && (with_tls || !text_equal(all[i].key, "tls")))
            o[count++] = all[i];
    }
    if (has_tunnel)
        o[count++] = (struct override){"via", "ssh://bastion", NULL};
    return config_resolve(c, NULL, NULL, o, count, p, e) < 0 ? -1 : plan_derive(p, e);
}

/* Returns false, and notes why, if no run could use the entry. */
static bool judge(struct import_run *r, const struct config *c, size_t i)
{
    struct import_entry *entry = &r->list.entry[i];
    struct err why = ERR_INIT;
    AUTO_PROFILE(whole);
    AUTO_PROFILE(bare);

    if (resolve(c, entry, true, &whole, &why) < 0) {
        import_leave_out(&r->list, i, why.msg);
        return false;
    }
    err_clear(&why);
    if (resolve(c, entry, false, &bare, &why) == 0)
        r->fate[i].own_tls = mem_strdup(profile_str(&bare, KEY_tls));
    r->fate[i].is_weaker =
        r->fate[i].own_tls && strength(profile_str(&whole, KEY_tls)) < strength(r->fate[i].own_tls);
    r->fate[i].is_client = text_equal(profile_str(&whole, KEY_auth), "client");
    r->weaker += r->fate[i].is_weaker;
    r->passwords += entry->p.password != NULL;
    r->kept += entry->kept != NULL;
    r->fate[i].password = entry->p.password ? "dropped" : entry->kept ? "workbench" : NULL;
    return true;
}

/* --- showing the entries --- */

static void show_left(FILE *to, const char *kind, const struct import_left *left, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)fprintf(to, "# %s: %s: %s\n", kind, left[i].what, left[i].why);
}

static void show_entry(const struct import_entry *entry, const struct fate *fate)
{
    struct override o[IMPORT_SETTINGS];
    size_t n = import_settings(entry, o);

    (void)printf("[profile %s]\n", entry->name);
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF(value, 65536);
        config_edit_value(&value, o[i].value);
        (void)printf("%s = %s\n", o[i].key, buf_str(&value));
    }
    if (fate->is_weaker)
        (void)printf("# tls: weaker than broker's own, %s\n", fate->own_tls);
    if (fate->is_client)
        (void)puts("# no user: the client would use the user and password of your option files");
    if (text_equal(fate->password, "workbench"))
        (void)puts("# password: in the keychain, if Workbench has stored one");
    else if (fate->password)
        (void)puts("# password: goes to the keychain, not into this file");
    show_left(stdout, "left out", entry->left, entry->left_count);
}

static void show(const struct import_run *r)
{
    for (size_t i = 0; i < r->list.count; i++) {
        (void)printf(i ? "\n" : "");
        show_entry(&r->list.entry[i], &r->fate[i]);
    }
    if (r->list.skipped_count)
        (void)puts("");
    show_left(stdout, "not imported", r->list.skipped, r->list.skipped_count);
    (void)fflush(stdout);
}

static json_t *left_json(const char *name, const struct import_left *left, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:o,s:o}", name, json_text(left[i].what), "why", json_text(left[i].why)));
    return list;
}

static json_t *entry_json(const struct import_entry *entry, const struct fate *fate)
{
    struct override o[IMPORT_SETTINGS];
    size_t n = import_settings(entry, o);
    json_t *keys = json_object();

    for (size_t i = 0; i < n; i++)
        (void)json_object_set_new(keys, o[i].key, json_text(o[i].value));
    return json_pack("{s:s,s:o,s:o,s:b,s:b,s:s?,s:s?,s:o}", "name", entry->name, "from",
                     json_text(entry->label), "keys", keys, "is_of_option_files", fate->is_client,
                     "tls_is_weaker", fate->is_weaker, "tls_of_broker", fate->own_tls, "password",
                     fate->password, "left_out", left_json("what", entry->left, entry->left_count));
}

static void show_json(const struct import_run *r)
{
    AUTO_JSON(root);
    json_t *profiles = json_array();

    for (size_t i = 0; i < r->list.count; i++)
        (void)json_array_append_new(profiles, entry_json(&r->list.entry[i], &r->fate[i]));
    root = json_pack("{s:s,s:b,s:o,s:o}", "format", r->list.format, "written", r->is_written, "profiles",
                     profiles, "not_imported", left_json("from", r->list.skipped, r->list.skipped_count));
    print_json_line(root);
}

/* --- asking the user --- */

static bool ask(const char *act, size_t n, const char *what, const char *place)
{
    AUTO_FREE(char *, question);

    question = mem_printf("%s %zu %s%s%s? [y/N] ", act, n, what, n == 1 ? "" : "s", place);
    return tty_ask_yes(question);
}

/* Asks whether to keep TLS levels that are weaker than broker's default. If not, the default is written. */
static void settle_tls(struct import_run *r)
{
    if (!r->weaker || ask("keep the weaker TLS of", r->weaker, "profile", ""))
        return;
    for (size_t i = 0; i < r->list.count; i++)
        if (r->fate[i].is_weaker) {
            import_set_tls(&r->list.entry[i], r->fate[i].own_tls);
            r->fate[i].is_weaker = false;
        }
}

static void store_those(struct import_run *r, const char *fate)
{
    for (size_t i = 0; i < r->list.count; i++)
        if (text_equal(r->fate[i].password, fate))
            r->fate[i].password = "keychain";
}

static void settle_passwords(struct import_run *r)
{
    struct err why = ERR_INIT;

    if (!r->passwords && !r->kept)
        return;
    if (!profile_has_keychain("mysql://import", &why)) {
        log_warn(why.hint, "the passwords are dropped: no keychain here: %s", why.msg);
        return;
    }
    if (r->passwords && ask("store", r->passwords, "password", " in the keychain"))
        store_those(r, "dropped");
    if (r->kept && ask("copy what Workbench has stored for", r->kept, "profile", ""))
        store_those(r, "workbench");
}

/* Asks all questions. Returns 1 if the user answers no to the last. */
static int ask_all(struct import_run *r, struct err *e)
{
    if (!tty_can_ask() || !tty_present()) {
        (void)err_set(e, ERR_LOGIN, "nothing written: %s", tty_why_not());
        return err_hint(e, "--dry-run shows what would be written");
    }
    settle_tls(r);
    settle_passwords(r);
    return ask("add", r->list.count, "profile", "") ? 0 : 1;
}

/* --- writing the config --- */

/* Fetches the password that Workbench has stored; returns false if there is none. */
static bool fetch_kept(struct import_entry *entry, struct err *failed)
{
    if (entry->p.password || !entry->kept)
        return entry->p.password;
    return store_workbench(entry->kept, profile_str(&entry->p, KEY_user),
                           clock_deadline(STORE_TIMEOUT_MS, CLOCK_NEVER), &entry->p.password,
                           failed) == STORE_OK;
}

static void store_password(const struct import_run *r, const struct profile *p, size_t i)
{
    AUTO_FREE(char *, identity);
    AUTO_FREE(char *, label);
    AUTO_FREE(char *, hint);
    struct err failed = ERR_INIT;

    if (!fetch_kept(&r->list.entry[i], &failed)) {
        r->fate[i].password = NULL;
        if (failed.code)
            log_warn(failed.hint, "%s: the password was not copied: %s", r->list.entry[i].name, failed.msg);
        return;
    }
    identity = identity_password(p);
    label = identity_label(p);
    if (store_keychain.put(identity, label, r->list.entry[i].p.password, 0,
                           clock_deadline(STORE_TIMEOUT_MS, CLOCK_NEVER), &failed) == STORE_OK)
        return;
    hint = mem_printf("broker password set %s", r->list.entry[i].name);
    log_warn(hint, "%s: the password was not stored: %s", r->list.entry[i].name, failed.msg);
    r->fate[i].password = "dropped";
}

/* Checks that a run can use every imported profile of the new text. */
static int check_all(const struct import_run *r, const struct config *after, struct err *e)
{
    for (size_t i = 0; i < r->list.count; i++) {
        AUTO_PROFILE(p);
        if (config_resolve(after, r->list.entry[i].name, NULL, NULL, 0, &p, e) < 0 || plan_derive(&p, e) < 0)
            return -1;
    }
    return 0;
}

static int write_all(struct import_run *r, struct err *e)
{
    AUTO_EDIT(edit);
    AUTO_CONFIG(after);
    AUTO_FREE(char *, path);

    if (config_edit_begin(&edit, e) < 0)
        return -1;
    for (size_t i = 0; i < r->list.count; i++) {
        struct override o[IMPORT_SETTINGS];
        size_t n = import_settings(&r->list.entry[i], o);
        if (config_edit_add(&edit, r->list.entry[i].name, o, n, e) < 0)
            return -1;
    }
    if (config_edit_load(&edit, &after, e) < 0 || check_all(r, after, e) < 0 ||
        config_edit_save(&edit, e) < 0)
        return -1;
    r->is_written = true;
    for (size_t i = 0; i < r->list.count; i++) {
        AUTO_PROFILE(p);
        if (text_equal(r->fate[i].password, "keychain") &&
            config_resolve(after, r->list.entry[i].name, NULL, NULL, 0, &p, e) == 0 &&
            plan_derive(&p, e) == 0)
            store_password(r, &p, i);
    }
    path = path_short(edit.path);
    log_note("added %zu profile%s to %s", r->list.count, r->list.count == 1 ? "" : "s", path);
    return 0;
}

static int refuse_empty(const struct import_run *r, struct err *e)
{
    (void)err_set(e, ERR_DATA, "it has no connection that can be imported");
    for (size_t i = 0; i < r->list.skipped_count; i++)
        (void)err_detail(e, "%s: %s", r->list.skipped[i].what, r->list.skipped[i].why);
    return err_hint(e, "broker help profile");
}

static int import_text(struct invocation *inv, struct import_run *r, struct buf *text, struct err *e)
{
    AUTO_CONFIG(config);
    bool is_json = inv->given[OPT_json];
    int answer = 0;

    if (config_load(&config, e) < 0)
        return -1;
    config_may_be_new(config);
    if (import_read(text_equal(inv->word[1], "-") ? NULL : inv->word[1], text, &r->list, e) < 0)
        return err_what(e, "%s", text_equal(inv->word[1], "-") ? "stdin" : inv->word[1]);
    import_name_all(&r->list, config);
    r->fate = mem_alloc(r->list.count + 1, sizeof *r->fate);
    for (size_t i = 0; i < r->list.count;)
        i += judge(r, config, i);
    if (!r->list.count && !is_json)
        return refuse_empty(r, e);
    if (!is_json)
        show(r);
    if (!inv->given[OPT_dry_run] && r->list.count)
        answer = ask_all(r, e);
    if (!inv->given[OPT_dry_run] && r->list.count && answer == 0)
        answer = write_all(r, e);
    if (is_json)
        show_json(r);
    return answer < 0 ? -1 : r->list.count ? 0 : refuse_empty(r, e);
}

int profile_import(struct invocation *inv, struct err *e)
{
    __attribute__((cleanup(run_release))) struct import_run r = {0};
    AUTO_BUF(text, IMPORT_BYTES);

    if (!inv->word[1]) {
        (void)err_set(e, ERR_USAGE, "which file?");
        return err_hint(e, "broker profile import FILE");
    }
    json_use_wiping_memory();
    if (read_text(inv->word[1], &text, e) < 0)
        return -1;
    return import_text(inv, &r, &text, e);
}
