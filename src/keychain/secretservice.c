/*
 * The Secret Service by libsecret. Every step has a deadline: libsecret's asynchronous calls are run one at a
 * time on the main loop and cancelled when time is up. Whether a service is there is found out before
 * libsecret is asked, because it would start buses and prompters by itself. A locked collection is unlocked
 * only where its question can be seen: with a display. It does not ask for the keychain's password itself:
 * that is the desktop's to know.
 */
#include <keychain/secretservice.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>

#include <libsecret/secret.h>

#define BUS_MS 1000
/* Starting a service that D-Bus knows but that does not run. */
#define ACTIVATION_MS 5000
#define SERVICE "org.freedesktop.secrets"

static const SecretSchema schema = {
    .name = "org.broker.Password",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"identity", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* One asynchronous call: give `cancel` and wait_done with it to libsecret, then call wait_run(). */
struct wait {
    GMainLoop *loop;
    GCancellable *cancel;
    GAsyncResult *result;
};

static void wait_release(struct wait *w)
{
    g_clear_object(&w->result);
    g_clear_object(&w->cancel);
    g_main_loop_unref(w->loop);
}

#define AUTO_WAIT(name)                                                                                      \
    __attribute__((cleanup(wait_release))) struct wait name = {g_main_loop_new(NULL, FALSE),                 \
                                                               g_cancellable_new(), NULL}

static void wait_done(GObject *source, GAsyncResult *result, gpointer data)
{
    struct wait *w = data;

    (void)source;
    w->result = g_object_ref(result);
    g_main_loop_quit(w->loop);
}

static gboolean wait_over(gpointer cancellable)
{
    g_cancellable_cancel(cancellable);
    return G_SOURCE_CONTINUE;
}

/* Gives the result, which is there even when time was up: G_IO_ERROR_CANCELLED then. */
static GAsyncResult *wait_run(struct wait *w, int64_t deadline)
{
    guint timer =
        deadline == CLOCK_NEVER ? 0 : g_timeout_add((guint)clock_left(deadline), wait_over, w->cancel);

    g_main_loop_run(w->loop);
    if (timer)
        (void)g_source_remove(timer);
    return w->result;
}

static bool is_display(const char *variable)
{
    const char *value = secure_getenv(variable);

    return value && *value;
}

static bool question_possible(const struct entry *entry)
{
    return !entry->quiet && (is_display("DISPLAY") || is_display("WAYLAND_DISPLAY"));
}

static int fail_locked(struct err *e)
{
    (void)err_set(e, ERR_LOGIN, "the keychain is locked");
    return err_hint(e, "unlock it in the desktop session, or: gnome-keyring-daemon --unlock (reads its "
                       "password from stdin)");
}

static bool is_gone(const GError *error)
{
    static const int gone[] = {G_DBUS_ERROR_SERVICE_UNKNOWN, G_DBUS_ERROR_NAME_HAS_NO_OWNER,
                               G_DBUS_ERROR_NO_REPLY,        G_DBUS_ERROR_TIMEOUT,
                               G_DBUS_ERROR_DISCONNECTED,    G_DBUS_ERROR_NO_SERVER};

    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        if (g_error_matches(error, G_DBUS_ERROR, gone[i]))
            return true;
    }
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* Makes *e of a GError, frees it, and returns -1. */
static int fail(struct err *e, GError *error, const char *step)
{
    AUTO_BUF(words, 512);

    (void)g_dbus_error_strip_remote_error(error);
    text_sanitise(&words, error->message, strnlen(error->message, words.max / 2));
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
        (void)err_set(e, ERR_UNREACHABLE, "no keychain: %s: no answer in time", step);
    else if (g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
        (void)fail_locked(e);
    else if (is_gone(error))
        (void)err_set(e, ERR_UNREACHABLE, "no keychain: %s: %s", step, buf_str(&words));
    else
        (void)err_set(e, ERR_REFUSED, "the keychain: %s: %s", step, buf_str(&words));
    g_error_free(error);
    return -1;
}

/* Without an address GLib would start a bus of its own by dbus-launch. */
static bool bus_has_address(void)
{
    const char *address = secure_getenv("DBUS_SESSION_BUS_ADDRESS"),
               *runtime = secure_getenv("XDG_RUNTIME_DIR");
    AUTO_FREE(char *, path);
    struct stat st;

    if (address && *address)
        return true;
    path = mem_printf("%s/bus", runtime ? runtime : "");
    return runtime && *runtime && stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int bus_open(int64_t deadline, GDBusConnection **bus, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    if (!bus_has_address())
        return err_set(e, ERR_UNREACHABLE, "no keychain: no session bus");
    g_bus_get(G_BUS_TYPE_SESSION, w.cancel, wait_done, &w);
    *bus = g_bus_get_finish(wait_run(&w, clock_deadline(BUS_MS, deadline)), &error);
    if (!*bus)
        return fail(e, error, "session bus");
    g_dbus_connection_set_exit_on_close(*bus, FALSE);
    return 0;
}

/* Calls the bus itself. NULL with *e. */
static GVariant *bus_call(GDBusConnection *bus, const char *method, GVariant *arguments, int64_t deadline,
                          struct err *e)
{
    GError *error = NULL;
    GVariant *answer = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, arguments, NULL,
        G_DBUS_CALL_FLAGS_NONE, clock_left(deadline), NULL, &error);

    if (!answer)
        (void)fail(e, error, strcmp(method, "StartServiceByName") == 0 ? "secret service" : "session bus");
    return answer;
}

/* Whether somebody has the service's name, starting it where D-Bus knows how. */
static int service_present(GDBusConnection *bus, int64_t deadline, struct err *e)
{
    g_autoptr(GVariant) owned =
        bus_call(bus, "NameHasOwner", g_variant_new("(s)", SERVICE), clock_deadline(BUS_MS, deadline), e);
    gboolean present = FALSE;

    if (!owned)
        return -1;
    g_variant_get(owned, "(b)", &present);
    if (present)
        return 0;
    g_autoptr(GVariant) started = bus_call(bus, "StartServiceByName", g_variant_new("(su)", SERVICE, 0U),
                                           clock_deadline(ACTIVATION_MS, deadline), e);
    if (started)
        return 0;
    /* However starting it failed: there is none. */
    e->code = ERR_UNREACHABLE;
    return -1;
}

static SecretService *service_open(const struct entry *entry, struct err *e)
{
    g_autoptr(GDBusConnection) bus = NULL;
    AUTO_WAIT(w);
    GError *error = NULL;

    if (bus_open(entry->deadline, &bus, e) < 0 || service_present(bus, entry->deadline, e) < 0)
        return NULL;
    secret_service_get(SECRET_SERVICE_OPEN_SESSION, w.cancel, wait_done, &w);
    SecretService *service = secret_service_get_finish(wait_run(&w, entry->deadline), &error);
    if (!service)
        (void)fail(e, error, "session");
    return service;
}

static GHashTable *attributes_of(const struct entry *entry)
{
    return secret_attributes_build(&schema, "identity", entry->identity, NULL);
}

static void items_free(GList **items)
{
    g_list_free_full(*items, g_object_unref);
}
#define AUTO_ITEMS(name) __attribute__((cleanup(items_free))) GList *name = NULL

static int items_find(SecretService *service, const struct entry *entry, GList **items, struct err *e)
{
    g_autoptr(GHashTable) attributes = attributes_of(entry);
    AUTO_WAIT(w);
    GError *error = NULL;

    secret_service_search(service, &schema, attributes, SECRET_SEARCH_ALL, w.cancel, wait_done, &w);
    *items = secret_service_search_finish(service, wait_run(&w, entry->deadline), &error);
    return error ? fail(e, error, "search") : 0;
}

/* Unlocks a collection or an item; the service shows its own question. */
static int unlock(SecretService *service, const struct entry *entry, gpointer object, struct err *e)
{
    GList objects = {.data = object};
    AUTO_WAIT(w);
    GError *error = NULL;

    if (!question_possible(entry))
        return fail_locked(e);
    secret_service_unlock(service, &objects, w.cancel, wait_done, &w);
    int count = secret_service_unlock_finish(service, wait_run(&w, entry->deadline), NULL, &error);
    if (count > 0) {
        g_clear_error(&error);
        return 0;
    }
    bool late = error && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    if (error && !late)
        return fail(e, error, "unlock");
    g_clear_error(&error);
    (void)fail_locked(e);
    return late ? err_prefix(e, "nobody answered its question in time")
                : err_prefix(e, "its question was dismissed");
}

/* The newest item that is not locked; where all are, the newest. */
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

    secret_item_load_secret(item, w.cancel, wait_done, &w);
    if (!secret_item_load_secret_finish(item, wait_run(&w, entry->deadline), &error))
        return fail(e, error, "read");
    SecretValue *value = secret_item_get_secret(item);
    if (!value)
        return err_set(e, ERR_REFUSED, "the keychain: it gave an entry without its secret");
    const char *bytes = secret_value_get(value, &n);
    if (n <= SECRET_MAX)
        *out = secret_from(bytes, n);
    secret_value_unref(value);
    return n <= SECRET_MAX ? 1
                           : err_set(e, ERR_DATA, "the entry in the keychain is over %d bytes", SECRET_MAX);
}

int secretservice_get(const struct entry *entry, struct secret **out, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry, e);
    AUTO_ITEMS(items);

    if (!service || items_find(service, entry, &items, e) < 0)
        return -1;
    SecretItem *item = items_best(items);
    if (!item)
        return 0;
    if (secret_item_get_locked(item) && unlock(service, entry, item, e) < 0)
        return -1;
    return item_read(item, entry, out, e);
}

/* Sees to it that the default collection takes an entry. libsecret makes a missing one, with the service's
 * question. */
static int collection_ready(SecretService *service, const struct entry *entry, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    secret_collection_for_alias(service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE, w.cancel,
                                wait_done, &w);
    g_autoptr(SecretCollection) collection =
        secret_collection_for_alias_finish(wait_run(&w, entry->deadline), &error);
    if (error)
        return fail(e, error, "default collection");
    if (collection)
        return secret_collection_get_locked(collection) ? unlock(service, entry, collection, e) : 0;
    if (question_possible(entry))
        return 0;
    (void)err_set(e, ERR_LOGIN, "the keychain has no default collection yet");
    return err_hint(
        e,
        "log in to the desktop once, or: gnome-keyring-daemon --unlock (reads its new password from stdin)");
}

int secretservice_put(const struct entry *entry, const struct secret *value, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry, e);
    g_autoptr(GHashTable) attributes = attributes_of(entry);
    AUTO_WAIT(w);
    GError *error = NULL;

    if (!service || collection_ready(service, entry, e) < 0)
        return -1;
    bool text = g_utf8_validate(secret_bytes(value), (gssize)secret_len(value), NULL);
    SecretValue *copy = secret_value_new(secret_bytes(value), (gssize)secret_len(value),
                                         text ? "text/plain" : "application/octet-stream");
    secret_service_store(service, &schema, attributes, SECRET_COLLECTION_DEFAULT, entry->label, copy,
                         w.cancel, wait_done, &w);
    bool stored = secret_service_store_finish(service, wait_run(&w, entry->deadline), &error);
    secret_value_unref(copy);
    if (stored)
        return 0;
    return error ? fail(e, error, "store")
                 : err_set(e, ERR_LOGIN, "the keychain: its question was dismissed");
}

static int item_erase(SecretItem *item, const struct entry *entry, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    secret_item_delete(item, w.cancel, wait_done, &w);
    if (secret_item_delete_finish(item, wait_run(&w, entry->deadline), &error))
        return 0;
    return error ? fail(e, error, "erase")
                 : err_set(e, ERR_LOGIN, "the keychain: its question was dismissed");
}

int secretservice_erase(const struct entry *entry, struct err *e)
{
    g_autoptr(SecretService) service = service_open(entry, e);
    AUTO_ITEMS(items);
    int count = 0;

    if (!service || items_find(service, entry, &items, e) < 0)
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
