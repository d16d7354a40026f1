/* SPDX-License-Identifier: MIT */
/*
 * Entries of the Secret Service: one secret per identity, in the default collection. A locked collection is
 * unlocked only if there is a display for the prompt. The desktop asks for the keychain's password; broker
 * never does.
 */
#include <keychain/secretservice.h>

#include <base/tty.h>
#include <keychain/service.h>

static const SecretSchema schema = {
    .name = "org.broker.Password",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"identity", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* The schema of MySQL Workbench's entries, for `profile import`. */
static const SecretSchema workbench = {
    .name = "org.mysql.Workbench.Password",
    .flags = SECRET_SCHEMA_DONT_MATCH_NAME,
    .attributes = {{"service", SECRET_SCHEMA_ATTRIBUTE_STRING}, {"account", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

#define UNANSWERED "its prompt was not answered in time"
#define DISMISSED "its prompt was dismissed"

static bool question_possible(const struct entry *entry)
{
    return !entry->quiet && tty_has_display();
}

static int fail_question(struct err *e, const char *why)
{
    return err_set(e, ERR_LOGIN, "the keychain: %s", why);
}

static GHashTable *attributes_of(const struct entry *entry)
{
    if (entry->account)
        return secret_attributes_build(&workbench, "service", entry->identity, "account", entry->account,
                                       NULL);
    return secret_attributes_build(&schema, "identity", entry->identity, NULL);
}

static void items_free(GList **items)
{
    g_list_free_full(*items, g_object_unref);
}
#define AUTO_ITEMS(name) __attribute__((cleanup(items_free))) GList *name = NULL

static int items_find(SecretService *service, const struct entry *entry, GHashTable *attributes,
                      GList **items, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    secret_service_search(service, entry->account ? &workbench : &schema, attributes, SECRET_SEARCH_ALL,
                          w->cancel, wait_done, w);
    if (!wait_run(w, entry->deadline))
        return service_fail_late(e, "search");
    *items = secret_service_search_finish(service, w->result, &error);
    return error ? service_fail(e, error, "search") : 0;
}

/* Unlocks a collection or an item; the service shows the prompt. */
static int unlock(SecretService *service, const struct entry *entry, gpointer object, struct err *e)
{
    GList objects = {.data = object};
    AUTO_WAIT(w);
    GError *error = NULL;

    if (!question_possible(entry))
        return service_fail_locked(e, "");
    secret_service_unlock(service, &objects, w->cancel, wait_done, w);
    if (!wait_run(w, entry->deadline))
        return service_fail_locked(e, UNANSWERED);
    int count = secret_service_unlock_finish(service, w->result, NULL, &error);
    if (error)
        return service_is_late(error) ? (g_error_free(error), service_fail_locked(e, UNANSWERED))
                                      : service_fail(e, error, "unlock");
    return count > 0 ? 0 : service_fail_locked(e, DISMISSED);
}

/* Returns the newest unlocked item; if all are locked, the newest one. */
static SecretItem *items_best(GList *items)
{
    SecretItem *best = NULL;

    for (GList *at = items; at; at = at->next) {
        SecretItem *item = at->data;
        bool better = !best || secret_item_get_locked(best) > secret_item_get_locked(item);
        if (better || (secret_item_get_locked(best) == secret_item_get_locked(item) &&
                       secret_item_get_modified(item) > secret_item_get_modified(best)))
            best = item;
    }
    return best;
}

static int item_read(SecretItem *item, const struct entry *entry, struct secret **out, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;
    gsize n = 0;

    secret_item_load_secret(item, w->cancel, wait_done, w);
    if (!wait_run(w, entry->deadline))
        return service_fail_late(e, "read");
    if (!secret_item_load_secret_finish(item, w->result, &error))
        return service_fail(e, error, "read");
    SecretValue *value = secret_item_get_secret(item);
    if (!value)
        return err_set(e, ERR_REFUSED, "the keychain returned an entry without a secret");
    const char *bytes = secret_value_get(value, &n);
    if (n <= SECRET_MAX)
        *out = secret_from(bytes, n);
    secret_value_unref(value);
    return n <= SECRET_MAX ? 1
                           : err_set(e, ERR_DATA, "the entry in the keychain is over %d bytes", SECRET_MAX);
}

int secretservice_get(const struct entry *entry, struct secret **out, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry->deadline, e);
    g_autoptr(GHashTable) attributes = attributes_of(entry);
    AUTO_ITEMS(items);

    if (!service || items_find(service, entry, attributes, &items, e) < 0)
        return -1;
    SecretItem *item = items_best(items);
    if (!item)
        return 0;
    if (secret_item_get_locked(item) && unlock(service, entry, item, e) < 0)
        return -1;
    return item_read(item, entry, out, e);
}

/* Checks that the default collection can store an entry, and unlocks it if needed. If it does not exist,
 * libsecret creates it, and the service shows a prompt. */
static int collection_ready(SecretService *service, const struct entry *entry, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    secret_collection_for_alias(service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, w->cancel,
                                wait_done, w);
    if (!wait_run(w, entry->deadline))
        return service_fail_late(e, "default collection");
    g_autoptr(SecretCollection) collection = secret_collection_for_alias_finish(w->result, &error);
    if (error)
        return service_fail(e, error, "default collection");
    if (collection)
        return secret_collection_get_locked(collection) ? unlock(service, entry, collection, e) : 0;
    if (question_possible(entry))
        return 0;
    (void)err_set(e, ERR_LOGIN, "the keychain has no default collection yet");
    return err_hint(e, "log in to the desktop once, or: gnome-keyring-daemon --replace --unlock (reads its "
                       "new password from stdin)");
}

int secretservice_put(const struct entry *entry, const struct secret *value, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry->deadline, e);
    g_autoptr(GHashTable) attributes = attributes_of(entry);
    AUTO_WAIT(w);
    GError *error = NULL;

    if (!service || collection_ready(service, entry, e) < 0)
        return -1;
    bool text = g_utf8_validate(secret_bytes(value), (gssize)secret_len(value), NULL);
    SecretValue *copy = secret_value_new(secret_bytes(value), (gssize)secret_len(value),
                                         text ? "text/plain" : "application/octet-stream");
    secret_service_store(service, &schema, attributes, SECRET_COLLECTION_DEFAULT, entry->label, copy,
                         w->cancel, wait_done, w);
    secret_value_unref(copy);
    if (!wait_run(w, entry->deadline))
        return fail_question(e, UNANSWERED);
    if (secret_service_store_finish(service, w->result, &error))
        return 0;
    return error ? service_fail(e, error, "store") : fail_question(e, DISMISSED);
}

static int item_erase(SecretItem *item, const struct entry *entry, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    secret_item_delete(item, w->cancel, wait_done, w);
    if (!wait_run(w, entry->deadline))
        return fail_question(e, UNANSWERED);
    if (secret_item_delete_finish(item, w->result, &error))
        return 0;
    return error ? service_fail(e, error, "erase") : fail_question(e, DISMISSED);
}

int secretservice_erase(const struct entry *entry, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry->deadline, e);
    g_autoptr(GHashTable) attributes = attributes_of(entry);
    AUTO_ITEMS(items);
    int count = 0;

    if (!service || items_find(service, entry, attributes, &items, e) < 0)
        return -1;
    for (GList *at = items; at; at = at->next) {
        SecretItem *item = at->data;
        if (secret_item_get_locked(item) && unlock(service, entry, item, e) < 0)
            return -1;
        if (item_erase(item, entry, e) < 0)
            return -1;
        count++;
    }
    return count;
}

static gint compare_age(gconstpointer left, gconstpointer right)
{
    guint64 a = secret_item_get_modified((SecretItem *)(uintptr_t)left),
            b = secret_item_get_modified((SecretItem *)(uintptr_t)right);

    return (a < b) - (a > b);
}

int secretservice_list(const struct entry *entry, secretservice_visit *visit, void *context, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry->deadline, e);
    g_autoptr(GHashTable) attributes = secret_attributes_build(&schema, NULL);
    AUTO_ITEMS(items);

    if (!service || items_find(service, entry, attributes, &items, e) < 0)
        return -1;
    items = g_list_sort(items, compare_age);
    for (GList *at = items; at; at = at->next) {
        g_autoptr(GHashTable) of_item = secret_item_get_attributes(at->data);
        g_autofree char *label = secret_item_get_label(at->data);
        const char *identity = g_hash_table_lookup(of_item, "identity");
        if (identity && g_str_has_prefix(identity, entry->identity))
            visit(context, identity, label ? label : "");
    }
    return 0;
}
