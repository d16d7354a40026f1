/* What is kept between runs, with its remaining life: the entries of the kernel's keyring, without their
 * secrets. */
#include "command.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <base/clock.h>
#include <base/mem.h>
#include <store/store.h>

#include "json.h"

/* Which kind of session an identity is one of, by what it starts with; the order of the list. */
static const struct {
    const char *prefix, *kind;
} kinds[] = {{"aws:", "aws_session"}, {"command:", "command"}};

struct entry {
    size_t kind; /* index into kinds */
    char *name, *detail;
    time_t expires;
};
struct entries {
    struct entry *item;
    size_t count;
};

static void entries_release(struct entries *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->item[i].name);
        free(list->item[i].detail);
    }
    free(list->item);
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

static void print_rows(const struct entries *list)
{
    AUTO_TABLE(t, 4);
    static const char *const header[] = {"KIND", "NAME", "LIFE", "DETAIL"};

    for (size_t i = 0; list->count && i < ARRAY_LEN(header); i++)
        table_add(&t, header[i]);
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

/* `user` is that of a lease, which is none of these; `detail` may be anything. */
static void print_json(const struct entries *list)
{
    AUTO_JSON(root);
    json_t *sessions = json_array();

    for (size_t i = 0; i < list->count; i++) {
        const struct entry *at = &list->item[i];
        AUTO_BUF(end, 64);
        clock_format_utc(&end, at->expires);
        (void)json_array_append_new(sessions, json_pack("{s:s,s:s,s:n,s:s?,s:s}", "kind",
                                                        kinds[at->kind].kind, "name", at->name, "user",
                                                        "detail", at->detail, "expires_at", buf_str(&end)));
    }
    root = json_pack("{s:[],s:o}", "forwards", "sessions", sessions);
    print_json_line(root);
}

static int status_run(struct invocation *inv, struct err *e)
{
    __attribute__((cleanup(entries_release))) struct entries list = {0};

    /* A machine without a keyring has no sessions. */
    if (store_keyring.list(take, &list, e) == STORE_FAILED)
        return -1;
    err_clear(e);
    if (list.count)
        qsort(list.item, list.count, sizeof *list.item, compare);
    if (inv->given[OPT_json])
        print_json(&list);
    else
        print_rows(&list);
    return 0;
}

const struct verb verb_status = {
    .name = "status",
    .usage = "[OPTION]...",
    .summary = "cached sessions, with their remaining life",
    .group = GROUP_LOOK_AFTER,
    .examples = {"broker status", "broker status --json"},
    .sets = SET_JSON,
    .run = status_run,
};
