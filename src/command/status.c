/* SPDX-License-Identifier: MIT */
/* broker status: shows the running forwards, and the entries of the kernel's keyring with the time until they
 * expire, without secrets. */
#include "forward.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/mem.h>
#include <base/tty.h>
#include <store/store.h>

#include "command.h"
#include "json.h"

#define LOOK_MS 50

/* The kinds of sessions by the prefix of their identity, in the order in which they are listed. */
static const struct {
    const char *prefix, *kind;
} kinds[] = {{"aws:", "aws_session"},         {"command:", "command"}, {"vault_token:", "vault_token"},
             {"vault_lease:", "vault_lease"}, {"git:", "git"},         {"docker:", "docker"}};

struct entry {
    size_t kind; /* index into the array `kinds` */
    char *name, *detail;
    time_t expires;
};
struct entries {
    struct entry *item;
    size_t count;
    struct forward *forward;
    size_t forwards;
};

static void entries_release(struct entries *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->item[i].name);
        free(list->item[i].detail);
    }
    free(list->item);
    forward_list_free(list->forward, list->forwards);
}

static void take(void *context, const char *identity, const char *label, time_t expires)
{
    struct entries *list = context;
    size_t kind = 0, n = strcspn(label, "\t");

    while (kind < ARRAY_LEN(kinds) && !text_starts(identity, kinds[kind].prefix))
        kind++;
    if (kind == ARRAY_LEN(kinds) || expires <= time(NULL))
        return;
    list->item = mem_grow(list->item, list->count + 1, sizeof *list->item);
    list->item[list->count++] =
        (struct entry){kind, mem_strndup(label, n), label[n] ? mem_strdup(label + n + 1) : NULL, expires};
}

static int compare_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = a->kind != b->kind ? (a->kind > b->kind) - (a->kind < b->kind) : strcmp(a->name, b->name);

    order = order ? order : compare_text(a->detail, b->detail);
    return order ? order : (a->expires > b->expires) - (a->expires < b->expires);
}

static void add_forward(struct table *t, const struct forward *f)
{
    AUTO_BUF(life, 64);
    AUTO_BUF(detail, 1024);

    /* "lost": its tunnel is down and is opened again at the next connection. */
    buf_puts(&life, f->up ? "up " : "lost");
    if (f->up)
        clock_format_duration(&life, (int64_t)(time(NULL) - f->started) * 1000);
    forward_address(f, &detail);
    buf_printf(&detail, ", %u connection%s", f->connections, f->connections == 1 ? "" : "s");
    table_add(t, "forward");
    table_add(t, f->name);
    table_add(t, buf_str(&life));
    table_add(t, buf_str(&detail));
}

static void print_rows(const struct entries *list)
{
    AUTO_TABLE(t, 4);
    static const char *const header[] = {"KIND", "NAME", "LIFE", "DETAIL"};

    for (size_t i = 0; list->count + list->forwards && i < ARRAY_LEN(header); i++)
        table_add(&t, header[i]);
    for (size_t i = 0; i < list->forwards; i++)
        add_forward(&t, &list->forward[i]);
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *at = &list->item[i];
        AUTO_BUF(life, 64);
        buf_puts(&life, "valid for ");
        clock_format_duration(&life, (int64_t)(at->expires - time(NULL)) * 1000);
        table_add(&t, kinds[at->kind].kind);
        table_add(&t, at->name);
        table_add(&t, buf_str(&life));
        table_add(&t, at->detail);
    }
    table_print(&t, stdout);
}

static json_t *running_json(const struct forward *f)
{
    AUTO_BUF(started, 64);
    json_t *root = forward_json(f);

    clock_format_utc(&started, f->started);
    (void)json_object_set_new(root, "state", json_string(f->up ? "up" : "lost"));
    (void)json_object_set_new(root, "connections", json_integer((json_int_t)f->connections));
    (void)json_object_set_new(root, "started_at", json_string(buf_str(&started)));
    return root;
}

/* Prints the list as JSON. `user` is null unless the entry is a temporary database user; `detail` may hold
 * any text. */
static void print_json(const struct entries *list)
{
    AUTO_JSON(root);
    json_t *sessions = json_array(), *forwards = json_array();

    for (size_t i = 0; i < list->forwards; i++)
        (void)json_array_append_new(forwards, running_json(&list->forward[i]));
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *at = &list->item[i];
        AUTO_BUF(end, 64);
        clock_format_utc(&end, at->expires);
        const char *kind = kinds[at->kind].kind;
        const char *user = text_equal(kind, "vault_lease") ? at->detail : NULL;
        (void)json_array_append_new(sessions, json_pack("{s:s,s:s,s:s?,s:s?,s:s}", "kind", kind, "name",
                                                        at->name, "user", user, "detail", at->detail,
                                                        "expires_at", buf_str(&end)));
    }
    root = json_pack("{s:o,s:o}", "forwards", forwards, "sessions", sessions);
    print_json_line(root);
}

/* Looks for a running forward until the deadline. Returns 1 if it runs, 0 if it does not, -1 on error. */
static int look_until(const char *name, int64_t deadline, struct forward *out, struct err *e)
{
    AUTO_FREE(char *, what);
    struct tty_wait wait;
    int found;

    what = mem_printf("the forward %s", name);
    tty_wait_begin(&wait, what, deadline);
    while ((found = forward_find(name, out, e)) == 0 && clock_left(deadline) > 0) {
        int left = tty_wait_left(&wait);
        (void)poll(NULL, 0, left < LOOK_MS ? left : LOOK_MS);
        tty_wait_tick(&wait);
    }
    tty_wait_end(&wait);
    return found;
}

static int take_one(const struct invocation *inv, const char *name, struct entries *list, struct err *e)
{
    int64_t most = inv->timeout_ms ? clock_deadline(inv->timeout_ms, CLOCK_NEVER) : CLOCK_NEVER;
    struct forward *f = mem_alloc(1, sizeof *f);

    *f = (struct forward)FORWARD_INIT;
    list->forward = f;
    list->forwards = 1;
    int found = look_until(name, inv->given[OPT_wait] ? most : clock_ms(), f, e);
    if (found != 0)
        return found < 0 ? -1 : 0;
    (void)err_set(e, ERR_UNREACHABLE, "no forward");
    (void)err_what(e, "%s", name);
    if (profile_name_valid(name))
        return err_hint_sh(e, "broker forward %s --detach", name);
    return err_hint(e, "broker status lists those that are running");
}

/* Collects all entries. If one keeper does not answer, the others are still shown. */
static int take_all(struct entries *list, struct err *e)
{
    struct err of_store = ERR_INIT;
    int result = forward_list(&list->forward, &list->forwards, CLOCK_NEVER, e);

    /* If the machine has no keyring, no sessions are listed. */
    if (store_keyring.list("", take, list, CLOCK_NEVER, &of_store) == STORE_FAILED) {
        err_copy(e, &of_store);
        return -1;
    }
    if (list->count)
        qsort(list->item, list->count, sizeof *list->item, compare);
    return result;
}

static int status_run(struct invocation *inv, struct err *e)
{
    __attribute__((cleanup(entries_release))) struct entries list = {0};
    const char *name = inv->word[0];

    json_use_wiping_memory();

    if (inv->given[OPT_wait] && !name) {
        (void)err_set(e, ERR_USAGE, "--wait: no forward given");
        return err_hint(e, "broker status NAME --wait");
    }
    int result = name ? take_one(inv, name, &list, e) : take_all(&list, e);
    if (result < 0 && name)
        return -1;
    if (inv->given[OPT_json])
        print_json(&list);
    else
        print_rows(&list);
    return result;
}

const struct verb verb_status = {
    .name = "status",
    .usage = "[NAME] [OPTION]...",
    .summary = "show forwards and cached sessions",
    .about = "Show running forwards and cached sessions, with their remaining time.",
    .group = GROUP_MANAGE,
    .examples = {"broker status", "broker status --json", "broker status prod --wait --timeout 30s"},
    .sets = SET_JSON | SET_RUN | SET_WAIT,
    .most_words = 1,
    .words = "forward",
    .run = status_run,
};
