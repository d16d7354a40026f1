/* SPDX-License-Identifier: MIT */
/*
 * auth = helper: a credential helper of git or docker, used through its own protocol. The result is not
 * cached, because a helper is itself a store. A plain name means git-credential-NAME, in PATH or among git's
 * own programs, or else docker-credential-NAME. A path is a docker helper if its file name starts with
 * docker-credential-, otherwise a git helper.
 */
#include <provider/provider.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/proc.h>
#include <base/text.h>
#include <base/tty.h>
#include <protocol/docker.h>
#include <protocol/git.h>

#define MYSQL_PORT 3306
#define GIT_PREFIX "git-credential-"
#define DOCKER_PREFIX "docker-credential-"
#define OUTPUT_MAX 65536
#define REQUEST_MAX (4 * GIT_LINE_MAX)

static int helper_check(const struct profile *p, struct err *e)
{
    const char *url = profile_str(p, KEY_auth_helper_url);

    if (!profile_str(p, KEY_auth_helper)) {
        (void)err_set(e, ERR_CONFIG, "auth = helper needs auth_helper");
        return err_hint(e, "auth_helper = NAME or /PATH of a git or docker credential helper");
    }
    if (url && !strstr(url, "://")) {
        (void)err_set(e, ERR_CONFIG, "auth_helper_url = %s: not a URL", url);
        return err_hint(e, "auth_helper_url = https://db.example.com");
    }
    return 0;
}

/* --- finding the program */

/* Searches the directories of git's own programs, which are not in PATH. Returns a malloced path, or NULL. */
static char *find_in_git(const char *name)
{
    const char *const folders[] = {secure_getenv("GIT_EXEC_PATH"), "/usr/lib/git-core",
                                   "/usr/libexec/git-core", "/usr/local/libexec/git-core"};

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char *path = folders[i] ? mem_printf("%s/%s", folders[i], name) : NULL;
        if (path && *path == '/' && access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static char *find_with_prefix(const char *prefix, const char *name)
{
    AUTO_FREE(char *, whole);

    whole = mem_printf("%s%s", prefix, name);
    char *path = proc_find(whole);
    return path || text_equal(prefix, DOCKER_PREFIX) ? path : find_in_git(whole);
}

/* Returns a malloced path, or NULL. */
static char *find_helper(const char *name)
{
    char *path;

    if (strchr(name, '/'))
        return proc_find(name);
    if (text_starts(name, GIT_PREFIX) || text_starts(name, DOCKER_PREFIX))
        return find_with_prefix("", name);
    path = find_with_prefix(GIT_PREFIX, name);
    return path ? path : find_with_prefix(DOCKER_PREFIX, name);
}

static int helper_words(const struct profile *p, struct words *argv, struct err *e)
{
    AUTO_FREE(char *, name);

    if (text_split_words(profile_str(p, KEY_auth_helper), argv, e) < 0)
        return err_prefix(e, "auth_helper");
    name = path_expand(argv->word[0]);
    char *path = find_helper(name);
    if (!path) {
        (void)err_set(e, ERR_CONFIG, "auth_helper: %s: no such helper of git or docker", argv->word[0]);
        return err_hint(e, "install it, or write its full path in auth_helper");
    }
    mem_wipe_free(argv->word[0]);
    argv->word[0] = path;
    return 0;
}

static bool speaks_docker(const char *path)
{
    const char *slash = strrchr(path, '/');

    return text_starts(slash ? slash + 1 : path, DOCKER_PREFIX);
}

/* --- the request */

/* Sets the host to HOST, or to HOST:PORT if the port is not MySQL's default; for a socket also sets its
 * path. */
static void add_place(const struct profile *p, struct git_credential *asked)
{
    const char *host = profile_str(p, KEY_host), *path = profile_str(p, KEY_socket);
    unsigned port = profile_number(p, KEY_port);
    AUTO_BUF(place, 1024);

    text_address(&place, host ? host : "localhost", host && port && port != MYSQL_PORT ? (long)port : -1);
    asked->protocol = mem_strdup("mysql");
    asked->host = buf_take(&place);
    if (!host && path)
        asked->path = mem_strdup(path + (*path == '/'));
}

static int make_git_request(const struct profile *p, struct buf *out, struct err *e)
{
    const char *url = profile_str(p, KEY_auth_helper_url);
    AUTO_GIT(asked);
    AUTO_BUF(line, GIT_LINE_MAX);

    if (url) {
        buf_printf(&line, "url=%s\n", url);
        if (git_parse(buf_str(&line), line.len, &asked, e) < 0)
            return err_prefix(e, "auth_helper_url");
    } else {
        add_place(p, &asked);
    }
    if (!asked.username)
        asked.username = mem_strdup(profile_str(p, KEY_user));
    if (git_print(&asked, out, e) < 0)
        return -1;
    buf_putc(out, '\n');
    return 0;
}

static void make_docker_request(const struct profile *p, struct buf *out)
{
    const char *url = profile_str(p, KEY_auth_helper_url);
    AUTO_GIT(asked);

    if (url) {
        buf_puts(out, url);
        return;
    }
    add_place(p, &asked);
    buf_printf(out, "%s://%s%s%s", asked.protocol, asked.host, asked.path ? "/" : "",
               asked.path ? asked.path : "");
}

/* --- the answer */

struct answer {
    char *username;
    struct secret *password;
    time_t expires;
    bool quit;
};

static void answer_release(struct answer *a)
{
    free(a->username);
    secret_free(a->password);
}

static int read_git_answer(const struct secret *text, struct answer *out, struct err *e)
{
    AUTO_GIT(found);

    if (git_parse(secret_bytes(text), secret_len(text), &found, e) < 0)
        return -1;
    out->quit = found.quit;
    out->expires = found.expires;
    if (found.expires && found.expires <= time(NULL))
        return 0;
    out->username = found.username;
    out->password = found.password;
    found.username = NULL;
    found.password = NULL;
    return 0;
}

static int read_docker_answer(const struct secret *text, struct answer *out, struct err *e)
{
    AUTO_DOCKER(found);

    if (docker_parse(secret_bytes(text), secret_len(text), &found, e) < 0)
        return -1;
    out->username = found.username;
    out->password = found.secret;
    found.username = NULL;
    found.secret = NULL;
    return 0;
}

static int answered_nothing(const struct profile *p, const char *program, const struct proc_result *result,
                            struct err *e)
{
    const char *name = strrchr(program, '/') + 1;

    (void)err_set(e, ERR_LOGIN, "%s has no password", name);
    (void)err_detail_lines(e, buf_str(&result->err));
    if (profile_str(p, KEY_auth_helper_url))
        return err_hint(e, "store a password for auth_helper_url in it");
    return err_hint(e, "store one for mysql://HOST in it; a helper that only supports web servers needs "
                       "auth_helper_url = https://HOST");
}

/* Parses the helper's output. As in git, the exit status of a git helper is ignored. A docker helper fails if
 * it has no entry. */
static int read_answer(const struct profile *p, const char *program, const struct proc_result *result,
                       struct answer *out, struct err *e)
{
    bool docker = speaks_docker(program);

    if (docker && result->status != 0)
        return answered_nothing(p, program, result, e);
    int read = docker ? read_docker_answer(result->out, out, e) : read_git_answer(result->out, out, e);
    if (read < 0) {
        e->code = ERR_PROTOCOL;
        e->what[0] = '\0';
        (void)err_prefix(e, "%s printed an invalid answer", strrchr(program, '/') + 1);
        return err_hint(e, "check that auth_helper is a credential helper of git or docker");
    }
    if (out->quit) {
        (void)err_set(e, ERR_REFUSED, "%s answered quit=1", strrchr(program, '/') + 1);
        (void)err_detail_lines(e, buf_str(&result->err));
        return proc_hint_by_hand("it must print a password", e);
    }
    return out->password ? 0 : answered_nothing(p, program, result, e);
}

/* Refuses an entry for another user, because the login would use its password with this user's name. With
 * auth_helper_url the entry may have any user, because the URL is not that of the database. */
static int check_user(const struct profile *p, const char *program, const struct answer *got, struct err *e)
{
    const char *user = profile_str(p, KEY_user);

    if (!user || !got->username || profile_str(p, KEY_auth_helper_url) || text_equal(user, got->username))
        return 0;
    (void)err_set(e, ERR_LOGIN, "%s has the password of another user, not of %s", strrchr(program, '/') + 1,
                  user);
    return err_hint(e, "store one for that user in it, or set auth_helper_url");
}

static int run_helper(const struct profile *p, const struct words *argv, int64_t deadline,
                      struct proc_result *result, struct err *e)
{
    AUTO_BUF(request, REQUEST_MAX);
    AUTO_SECRET(input);
    struct env_changes env = {0};

    if (speaks_docker(argv->word[0]))
        make_docker_request(p, &request);
    else if (make_git_request(p, &request, e) < 0)
        return -1;
    input = secret_from(buf_str(&request), request.len);
    if (tty_input_forbidden()) {
        env_set(&env, "GCM_INTERACTIVE", "never");
        env_set(&env, "GIT_TERMINAL_PROMPT", "0");
    }
    struct proc_run run = {.argv = argv->word,
                           .env = &env,
                           .input = input,
                           .deadline = deadline,
                           .waiting_for = argv->word[0],
                           .max = OUTPUT_MAX,
                           .may_ask = true};
    int ran = proc_capture(&run, result, e);
    env_release(&env);
    return ran < 0 ? err_prefix(e, "auth_helper") : 0;
}

static int helper_get(const struct profile *p, int64_t deadline, struct credential *out, struct err *e)
{
    __attribute__((cleanup(answer_release))) struct answer got = {0};
    AUTO_WORDS(argv);
    AUTO_PROC_RESULT(result);

    if (helper_words(p, &argv, e) < 0)
        return -1;
    words_add(&argv, "get");
    if (run_helper(p, &argv, deadline, &result, e) < 0 ||
        read_answer(p, argv.word[0], &result, &got, e) < 0 || check_user(p, argv.word[0], &got, e) < 0)
        return -1;
    out->password = got.password;
    got.password = NULL;
    out->expires_at = got.expires;
    if (!profile_str(p, KEY_user)) {
        out->user = got.username;
        got.username = NULL;
    }
    return 0;
}

static void helper_refused(const struct profile *p, struct buf *out)
{
    (void)p;
    buf_puts(out, "check user, and the password in that helper");
}

static void helper_describe(const struct profile *p, struct buf *out)
{
    AUTO_WORDS(words);
    struct err ignored = ERR_INIT;

    if (text_split_words(profile_str(p, KEY_auth_helper), &words, &ignored) == 0)
        buf_printf(out, "what the credential helper %s has", words.word[0]);
}

const struct provider provider_helper = {.name = "helper",
                                         .names_user = true,
                                         .check = helper_check,
                                         .get = helper_get,
                                         .refused = helper_refused,
                                         .describe = helper_describe};
