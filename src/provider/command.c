/* SPDX-License-Identifier: MIT */
/*
 * auth = command: runs a program that prints the password, or JSON {user, password, expires_at}. The program
 * is run without a shell. A result with an expiry is cached in the session store. If two processes need it at
 * the same time, one of them runs the program; the other waits and uses the cached result.
 */
#include <provider/provider.h>

#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <model/identity.h>
#include <model/json.h>
#include <store/store.h>

#define OUTPUT_MAX 32768
#define WORDS_MOST 65536
/* Seconds. A cached credential with less time left is not used, because logging in takes time too. */
#define EXPIRY_MARGIN 30

static int command_check(const struct profile *p, struct err *e)
{
    if (profile_str(p, KEY_auth_command))
        return 0;
    (void)err_set(e, ERR_CONFIG, "auth = command needs auth_command");
    return err_hint(e, "auth_command = PROGRAM ARG...");
}

static int too_long(struct err *e)
{
    (void)err_set(e, ERR_CONFIG, "auth_command: over %d bytes with its placeholders filled", WORDS_MOST);
    return err_hint(e, "shorten auth_command");
}

/* Placeholders are replaced after splitting into arguments, so that a value with spaces stays one
 * argument. */
static int command_words(const struct profile *p, struct words *out, struct err *e)
{
    AUTO_FREE(char *, port);
    static const char *const names[] = {"host", "port", "user", "database", NULL};
    AUTO_WORDS(raw);

    port = mem_printf("%u", profile_number(p, KEY_port));
    const char *values[] = {profile_str(p, KEY_host), port, profile_str(p, KEY_user),
                            profile_str(p, KEY_database), NULL};
    if (text_split_words(profile_str(p, KEY_auth_command), &raw, e) < 0)
        return err_prefix(e, "auth_command");
    size_t total = 0;
    for (size_t i = 0; i < raw.count; i++) {
        AUTO_BUF(word, WORDS_MOST);
        text_fill(&word, raw.word[i], names, values);
        total += word.len;
        if (!buf_ok(&word) || total > WORDS_MOST)
            return too_long(e);
        words_take(out, buf_take(&word));
    }
    char *path = proc_find(out->word[0]);
    if (!path) {
        (void)err_set(e, ERR_CONFIG, "auth_command: %s: no such program", out->word[0]);
        return err_hint(e, "install it, or write its full path in auth_command");
    }
    mem_wipe_free(out->word[0]);
    out->word[0] = path;
    return 0;
}

static bool read_expiry(const json_t *value, time_t *out)
{
    if (json_is_integer(value)) {
        *out = (time_t)json_integer_value(value);
        return *out > 0;
    }
    return json_is_string(value) && clock_parse_utc(json_string_value(value), out);
}

/* Reports output that cannot be used. Its text is not shown, because it may be the password. */
static int refuse_output(const char *why, struct err *e)
{
    (void)err_set(e, ERR_DATA, "auth_command printed %s", why);
    return err_hint(e, "run it by hand: it must print the password, or {\"password\": \"...\", \"user\": "
                       "\"...\", \"expires_at\": SECONDS_SINCE_1970}");
}

/* Takes the first line; a password manager may print notes in the lines below. */
static int take_first_line(const struct secret *text, struct credential *out, struct err *e)
{
    out->password = secret_from(secret_bytes(text), secret_len(text));
    secret_keep_line(out->password);
    if (secret_len(out->password) == 0)
        return refuse_output("an empty first line", e);
    if (text_equal(secret_bytes(out->password), "{") && secret_len(text) > 1)
        return refuse_output("malformed JSON", e);
    return 0;
}

static const json_t *json_user(const json_t *root)
{
    const json_t *user = json_object_get(root, "user");

    return user && !json_is_null(user) ? user : json_object_get(root, "username");
}

/* Fills the credential from the output, which is parsed as JSON only if it is an object. */
static int parse_output(const struct secret *text, struct credential *out, struct err *e)
{
    const char *bytes = secret_bytes(text);
    AUTO_JSON(root);

    json_use_wiping_memory();
    root = bytes[0] == '{' ? json_loadb(bytes, secret_len(text), JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!root)
        return take_first_line(text, out, e);
    const json_t *password = json_object_get(root, "password"), *user = json_user(root),
                 *expires = json_object_get(root, "expires_at");
    if (!json_is_string(password))
        return refuse_output("JSON without a \"password\"", e);
    if ((user && !json_is_null(user) && !json_is_string(user)) ||
        (expires && !json_is_null(expires) && !read_expiry(expires, &out->expires_at)))
        return refuse_output(json_is_string(user) || !user ? "JSON with an invalid \"expires_at\""
                                                           : "JSON with an invalid \"user\"",
                             e);
    out->password = secret_from(json_string_value(password), json_string_length(password));
    out->user = mem_strdup(json_string_value(user));
    return 0;
}

static int run_command(const struct words *argv, int64_t deadline, struct secret **text, struct err *e)
{
    AUTO_PROC_RESULT(result);
    const char *program = argv->word[0];

    struct proc_run run = {
        .argv = argv->word, .deadline = deadline, .waiting_for = program, .max = OUTPUT_MAX, .may_ask = true};
    if (proc_capture(&run, &result, e) < 0)
        return err_prefix(e, "auth_command");
    secret_chomp(result.out);
    bool failed = result.status != 0;
    if (failed || secret_len(result.out) == 0) {
        AUTO_BUF(how, 128);
        proc_describe_status(&how, result.status);
        (void)err_set(e, failed ? ERR_REFUSED : ERR_DATA, "auth_command: %s: %s", program,
                      failed ? buf_str(&how) : "printed nothing");
        (void)err_detail_lines(e, buf_str(&result.err));
        return proc_hint_by_hand("it must print the password, or JSON, and exit with status 0", e);
    }
    *text = result.out;
    result.out = NULL;
    return 0;
}

/* Returns 1 if there is a cached result that is still valid. */
static int read_cache(const char *identity, int64_t deadline, struct credential *out)
{
    struct err ignored = ERR_INIT;
    AUTO_SECRET(text);
    AUTO_CREDENTIAL(cached);

    if (out->wants_fresh || store_keyring.get(identity, deadline, &text, &ignored) != STORE_OK ||
        parse_output(text, &cached, &ignored) < 0 || cached.expires_at <= time(NULL) + EXPIRY_MARGIN)
        return 0;
    *out = cached;
    cached = (struct credential){0};
    return 1;
}

/* Caches the result, with a label of the program and the user. */
static void keep_result(const struct profile *p, const char *program, const char *identity,
                        const struct secret *text, time_t expires, int64_t deadline)
{
    struct err ignored = ERR_INIT;
    AUTO_FREE(char *, who);
    AUTO_FREE(char *, label);

    who = identity_label(p);
    label = mem_printf("%s\t%s", strrchr(program, '/') + 1, who);
    (void)store_keyring.put(identity, label, text, expires, deadline, &ignored);
}

/* The lock is taken before running the program, because only its result tells whether it can be cached. */
static int command_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_WORDS(argv);
    AUTO_SECRET(text);
    AUTO_LOCK(lock);
    char hash[33];

    if (command_words(p, &argv, e) < 0)
        return -1;
    identity = identity_command(p, &argv);
    if (read_cache(identity, deadline, out))
        return 0;
    text_hash(identity, strlen(identity), hash);
    if (file_lock_or_none(hash, NULL, deadline, &lock, e) < 0)
        return -1;
    if (read_cache(identity, deadline, out))
        return 0;
    if (run_command(&argv, deadline, &text, e) < 0 || parse_output(text, out, e) < 0)
        return -1;
    if (out->expires_at && out->expires_at <= time(NULL))
        return refuse_output("an expired credential", e);
    if (out->expires_at)
        keep_result(p, argv.word[0], identity, text, out->expires_at, deadline);
    return 0;
}

static int command_logout(const struct profile *p, int64_t deadline, unsigned *forgotten, struct err *e)
{
    AUTO_FREE(char *, identity);
    AUTO_WORDS(argv);

    if (command_words(p, &argv, e) < 0)
        return -1;
    identity = identity_command(p, &argv);
    enum store_result erased = store_keyring.erase(identity, deadline, e);
    *forgotten = erased == STORE_OK;
    return erased == STORE_FAILED ? -1 : 0;
}

static void command_describe(const struct profile *p, struct buf *out)
{
    AUTO_WORDS(words);
    struct err ignored = ERR_INIT;

    /* Shows only the program: arguments may be long, and some users put secrets into them. */
    if (text_split_words(profile_str(p, KEY_auth_command), &words, &ignored) == 0)
        buf_printf(out, "what %s prints", words.word[0]);
}

const struct provider provider_command = {.name = "command",
                                          .names_user = true,
                                          .check = command_check,
                                          .get = command_get,
                                          .logout = command_logout,
                                          .describe = command_describe};
