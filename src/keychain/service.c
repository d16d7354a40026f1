/* SPDX-License-Identifier: MIT */
/*
 * Connects to the Secret Service. Every step has a deadline: libsecret's asynchronous functions are run one
 * at a time on a main loop and cancelled when the time is up. Before libsecret is called, it is checked that
 * the service exists, because GLib would start a bus of its own if there is none, and D-Bus waits long for a
 * service that does not start.
 */
#include <keychain/service.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/buf.h>
#include <base/clock.h>
#include <base/mem.h>
#include <base/text.h>

#define BUS_MS 1000
/* The time in ms for D-Bus to start the service if it is not running. */
#define ACTIVATION_MS 5000
#define SERVICE "org.freedesktop.secrets"

/* The time in ms for a cancelled call to finish. */
#define CANCEL_MS 200

struct wait *wait_new(void)
{
    struct wait *w = mem_alloc(1, sizeof *w);

    w->loop = g_main_loop_new(NULL, FALSE);
    w->cancel = g_cancellable_new();
    return w;
}

static void wait_free(struct wait *w)
{
    g_clear_object(&w->result);
    g_object_unref(w->cancel);
    g_main_loop_unref(w->loop);
    free(w);
}

/* If a call is still running, it may call back later; wait_done() frees the wait then. */
void wait_end(struct wait **w)
{
    if ((*w)->started && !(*w)->result)
        (*w)->abandoned = true;
    else
        wait_free(*w);
    *w = NULL;
}

void wait_done(GObject *source, GAsyncResult *result, gpointer data)
{
    struct wait *w = data;

    (void)source;
    if (w->abandoned) {
        wait_free(w);
        return;
    }
    w->result = g_object_ref(result);
    g_main_loop_quit(w->loop);
}

static gboolean wait_cancel(gpointer data)
{
    struct wait *w = data;

    g_cancellable_cancel(w->cancel);
    return G_SOURCE_CONTINUE;
}

static gboolean wait_abandon(gpointer data)
{
    struct wait *w = data;

    g_main_loop_quit(w->loop);
    return G_SOURCE_CONTINUE;
}

static guint timer_add(int64_t deadline, GSourceFunc what, struct wait *w)
{
    return g_timeout_add((guint)clock_left(deadline) + 1, what, w);
}

GAsyncResult *wait_run(struct wait *w, int64_t deadline)
{
    int64_t last = deadline < CLOCK_NEVER - CANCEL_MS ? deadline + CANCEL_MS : CLOCK_NEVER;
    guint cancel = timer_add(deadline, wait_cancel, w), abandon = timer_add(last, wait_abandon, w);

    w->started = true;
    g_main_loop_run(w->loop);
    (void)g_source_remove(cancel);
    (void)g_source_remove(abandon);
    return w->result;
}

int service_fail_locked(struct err *e, const char *why)
{
    (void)err_set(e, ERR_LOGIN, "the keychain is locked%s%s", *why ? ": " : "", why);
    return err_hint(e, "unlock it in the desktop session, or: gnome-keyring-daemon --replace --unlock "
                       "(reads its password from stdin)");
}

bool service_is_late(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
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
    return service_is_late(error) || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

/* Sets *e from a GError, frees the GError, and returns -1. */
static int fail_as(struct err *e, enum err_code code, const char *prefix, GError *error, const char *step)
{
    AUTO_BUF(words, 1024);

    (void)g_dbus_error_strip_remote_error(error);
    text_sanitise(&words, error->message, strnlen(error->message, words.max));
    (void)err_set(e, code, "%s%s: %s", prefix, step,
                  service_is_late(error) ? "no answer in time" : buf_str(&words));
    g_error_free(error);
    return -1;
}

/* Sets the error for a missing keychain, frees the GError, and returns -1. */
static int fail_absent(struct err *e, GError *error, const char *step)
{
    if (!g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN))
        return fail_as(e, ERR_UNREACHABLE, "", error, step);
    g_error_free(error);
    return err_set(e, ERR_UNREACHABLE, "no Secret Service on the session bus");
}

int service_fail_late(struct err *e, const char *step)
{
    return err_set(e, ERR_UNREACHABLE, "%s: no answer in time", step);
}

int service_fail(struct err *e, GError *error, const char *step)
{
    if (is_gone(error))
        return fail_absent(e, error, step);
    if (!g_error_matches(error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED))
        return fail_as(e, ERR_REFUSED, "the keychain: ", error, step);
    g_error_free(error);
    return service_fail_locked(e, "");
}

/* Returns whether there is a session bus. Without one, GLib would start its own with dbus-launch. */
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

/* Returns whether the bus runs as this user or root. `su` without "-" keeps the environment, so that another
 * user's bus would get our passwords. */
static bool bus_is_ours(GDBusConnection *bus)
{
    GIOStream *stream = g_dbus_connection_get_stream(bus);
    g_autoptr(GCredentials) peer = NULL;

    if (G_IS_SOCKET_CONNECTION(stream))
        peer = g_socket_get_credentials(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream)), NULL);
    uid_t uid = peer ? g_credentials_get_unix_user(peer, NULL) : (uid_t)-1;
    return uid == geteuid() || uid == 0;
}

static int bus_open(int64_t deadline, GDBusConnection **bus, struct err *e)
{
    AUTO_WAIT(w);
    GError *error = NULL;

    if (!bus_has_address())
        return err_set(e, ERR_UNREACHABLE, "no session bus");
    g_bus_get(G_BUS_TYPE_SESSION, w->cancel, wait_done, w);
    if (!wait_run(w, clock_deadline(BUS_MS, deadline)))
        return service_fail_late(e, "session bus");
    *bus = g_bus_get_finish(w->result, &error);
    if (!*bus)
        return fail_absent(e, error, "session bus");
    g_dbus_connection_set_exit_on_close(*bus, FALSE);
    return bus_is_ours(*bus) ? 0 : err_set(e, ERR_UNREACHABLE, "the session bus belongs to another user");
}

/* Calls a method of the bus itself. Returns NULL and sets *e on error. */
static GVariant *bus_call(GDBusConnection *bus, const char *method, GVariant *arguments, const char *step,
                          int64_t deadline, struct err *e)
{
    GError *error = NULL;
    GVariant *answer = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, arguments, NULL,
        G_DBUS_CALL_FLAGS_NONE, clock_left(deadline), NULL, &error);

    if (!answer)
        (void)fail_absent(e, error, step);
    return answer;
}

/* Checks that the service is running; starts it through D-Bus if possible. */
static int service_present(GDBusConnection *bus, int64_t deadline, struct err *e)
{
    g_autoptr(GVariant) owned = bus_call(bus, "NameHasOwner", g_variant_new("(s)", SERVICE), "session bus",
                                         clock_deadline(BUS_MS, deadline), e);
    gboolean present = FALSE;

    if (!owned)
        return -1;
    g_variant_get(owned, "(b)", &present);
    if (present)
        return 0;
    g_autoptr(GVariant) started =
        bus_call(bus, "StartServiceByName", g_variant_new("(su)", SERVICE, 0U), "starting the Secret Service",
                 clock_deadline(ACTIVATION_MS, deadline), e);
    return started ? 0 : -1;
}

SecretService *service_open(int64_t deadline, struct err *e)
{
    g_autoptr(GDBusConnection) bus = NULL;
    AUTO_WAIT(w);
    GError *error = NULL;

    if (bus_open(deadline, &bus, e) < 0 || service_present(bus, deadline, e) < 0)
        return NULL;
    secret_service_get(SECRET_SERVICE_OPEN_SESSION, w->cancel, wait_done, w);
    if (!wait_run(w, deadline)) {
        (void)service_fail_late(e, "session");
        return NULL;
    }
    SecretService *service = secret_service_get_finish(w->result, &error);
    if (!service)
        (void)service_fail(e, error, "session");
    return service;
}
