/* SPDX-License-Identifier: MIT */
/*
 * A socket for broker-askpass. The kind of a prompt is recognised by ssh's text. Only processes of the ssh
 * that broker has started get answers, and only while it logs in, so that other processes cannot get the
 * stored answers.
 */
#include "ask.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <sodium.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <base/peer.h>
#include <event/listen.h>
#include <event/loop.h>
#include <openssh/askpass.h>
#include <tunnel/tell.h>

#define KEPT_MOST 8
#define ANSWER_MS 5000
#define USER_SHOWN 30 /* ssh truncates both in its prompts */
#define HOST_SHOWN 128

/* A pending question. */
struct asker {
    struct watch watch;
    struct buf in;
    LIST_ENTRY(asker) next;
};

static struct {
    const struct ssh_settings *s; /* NULL: no login is in progress */
    pid_t group;
    int64_t *deadline;
    void (*give_up)(void);
    struct words given; /* the prompts that were answered in this login */
    bool failed;
    struct err why;
} asking;

static struct {
    char *prompt;
    struct secret *answer;
} kept[KEPT_MOST];

static struct watch listening = {.fd = -1};
static struct pause listening_pause;
static LIST_HEAD(, asker) askers = LIST_HEAD_INITIALIZER(askers);
static char *path;
static bool needed_user;
static char host_question[2048];

/* --- kinds of prompts
 * ------------------------------------------------------------------------------------ */

static bool is_own_password(const char *prompt, const struct ssh_settings *s)
{
    const char *host = s->host_key_alias ? s->host_key_alias : s->host;
    AUTO_BUF(password, 512);
    AUTO_BUF(interactive, 512);

    buf_printf(&password, "%.*s@%.*s's password: ", USER_SHOWN, s->user, HOST_SHOWN, host);
    buf_printf(&interactive, "(%s@%s) Password: ", s->user, host);
    return text_equal_nocase(prompt, buf_str(&password)) || text_equal_nocase(prompt, buf_str(&interactive));
}

enum ask_kind ask_classify(const char *prompt, const char *hint, const struct ssh_settings *s)
{
    if (text_equal(hint, "confirm") || strstr(prompt, "(yes/no") || text_starts(prompt, "Please type 'yes'"))
        return ASK_YES;
    if (is_own_password(prompt, s))
        return ASK_PASSWORD;
    if (text_starts(prompt, "Enter passphrase for ") || text_ends(prompt, "'s password: "))
        return ASK_KEPT;
    return ASK_ONCE;
}

/* Parses "'NAME (ADDRESS)' ... LABEL key fingerprint is PRINT." */
void ask_host_key(char name[300], char label[32], char print[64])
{
    const char *line = strchr(host_question, '\n'), *from = strchr(host_question, '\'');

    *name = *label = *print = '\0';
    if (line && from)
        (void)sscanf(from, "'%299[^ ']", name);
    if (!line || sscanf(line, "\n%31[^ \n] key fingerprint is %63[^. \n]", label, print) != 2)
        *label = *print = '\0';
}

/* --- answers -------------------------------------------------------------------------------------------- */

static struct secret *from_memory(const char *prompt)
{
    for (size_t i = 0; i < KEPT_MOST; i++) {
        if (kept[i].answer && text_equal(kept[i].prompt, prompt))
            return secret_from(secret_bytes(kept[i].answer), secret_len(kept[i].answer));
    }
    return NULL;
}

static void keep(const char *prompt, const struct secret *answer)
{
    size_t at = 0;

    while (at < KEPT_MOST - 1 && kept[at].prompt && !text_equal(kept[at].prompt, prompt))
        at++;
    free(kept[at].prompt);
    secret_free(kept[at].answer);
    kept[at].prompt = mem_strdup(prompt);
    kept[at].answer = secret_from(secret_bytes(answer), secret_len(answer));
}

static int answer_now(enum ask_kind kind, const char *prompt, struct secret **out, struct err *e)
{
    static const enum keeper_question kinds[] = {[ASK_YES] = KEEPER_ASK_YES,
                                                 [ASK_PASSWORD] = KEEPER_ASK_PASSWORD,
                                                 [ASK_KEPT] = KEEPER_ASK_SECRET,
                                                 [ASK_ONCE] = KEEPER_ASK_SECRET};
    AUTO_BUF(text, ASKPASS_QUESTION_MOST);
    bool again = words_have(&asking.given, prompt);

    text_sanitise(&text, prompt, strlen(prompt));
    if (asking.s->target->ready && !again)
        *out = from_memory(prompt);
    if (!*out && asking.s->target->ask(kinds[kind], buf_str(&text), again, asking.deadline, out, e) < 0)
        return -1;
    secret_chomp(*out);
    if (kind == ASK_PASSWORD || kind == ASK_KEPT)
        keep(prompt, *out);
    needed_user |= kind == ASK_ONCE;
    words_add(&asking.given, prompt);
    return 0;
}

/* Sets the error of a question that cannot be asked any more. */
static int cannot_ask_again(enum ask_kind kind, const char *prompt, struct err *e)
{
    size_t n = strcspn(prompt, "\n");

    while (n && strchr(" :?.", prompt[n - 1]))
        n--;
    AUTO_BUF(text, 1024);
    text_sanitise(&text, prompt, n);
    (void)err_set(e, kind == ASK_YES ? ERR_REFUSED : ERR_LOGIN, "cannot ask without a terminal: %s",
                  buf_str(&text));
    return err_hint(e, "start it again");
}

/* Answers a question with RECORD_OK and the answer, or with an error record. */
static void question(const char *prompt, const char *hint, struct record *answer)
{
    enum ask_kind kind = ask_classify(prompt, hint, asking.s);
    AUTO_SECRET(value);
    struct err e = ERR_INIT;

    if (text_starts(prompt, "The authenticity of host "))
        (void)snprintf(host_question, sizeof host_question, "%s", prompt);
    if (kind == ASK_ONCE)
        tell_now();
    if (answer_now(kind, prompt, &value, &e) == 0) {
        answer->kind = RECORD_OK;
        record_put_secret(answer, ASKPASS_TAG_ANSWER, value);
        return;
    }
    if (asking.s->target->ready)
        (void)cannot_ask_again(kind, prompt, &e);
    record_put_error(answer, &e);
    asking.failed = true;
    err_copy(&asking.why, &e);
    /* Without an answer ssh would send an empty password; without a passphrase it tries the next key. */
    if (!text_starts(prompt, "Enter passphrase for "))
        asking.give_up();
}

/* --- the socket ----------------------------------------------------------------------------------------- */

static void asker_end(struct asker *a)
{
    LIST_REMOVE(a, next);
    loop_close(&a->watch);
    buf_release(&a->in);
    free(a);
}

/* Returns whether the prompt is a notice: it stays until ssh ends the program, after a touch of a security
 * key. */
static bool is_notice(const char *prompt, const char *hint)
{
    AUTO_BUF(text, ASKPASS_QUESTION_MOST);

    if (!text_equal(hint, "none"))
        return false;
    text_sanitise(&text, prompt, strlen(prompt));
    log_say("%s", buf_str(&text));
    return true;
}

static void serve(struct asker *a, const struct record *asked)
{
    AUTO_RECORD(answer);
    AUTO_FREE(char *, prompt);
    AUTO_FREE(char *, hint);
    struct err ignored = ERR_INIT;

    prompt = record_str(asked, ASKPASS_TAG_PROMPT);
    hint = record_str(asked, ASKPASS_TAG_HINT);
    if (!asking.s || !prompt || asked->kind != ASKPASS_ASK) {
        asker_end(a);
        return;
    }
    if (is_notice(prompt, hint))
        return;
    question(prompt, hint, &answer);
    (void)record_write(a->watch.fd, &answer, clock_deadline(ANSWER_MS, CLOCK_NEVER), &ignored);
    asker_end(a);
}

static void asker_ready(struct watch *w, unsigned events)
{
    struct asker *a = OWNER_OF(w, struct asker, watch);
    AUTO_RECORD(asked);
    int got = record_receive(w->fd, &a->in, &asked);

    (void)events;
    if (got > 0)
        serve(a, &asked);
    else if (got < 0)
        asker_end(a);
}

static void listening_ready(struct watch *w, unsigned events)
{
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    uid_t uid;
    pid_t pid;

    (void)events;
    if (fd < 0) {
        listen_pause(&listening_pause, w);
        return;
    }
    if (!asking.s || peer_of_socket(fd, &uid, &pid) < 0 || uid != geteuid() || getpgid(pid) != asking.group) {
        (void)close(fd);
        return;
    }
    struct asker *a = mem_alloc(1, sizeof *a);
    *a = (struct asker){.watch.fd = -1, .in = BUF_INIT(ASKPASS_QUESTION_MOST)};
    LIST_INSERT_HEAD(&askers, a, next);
    loop_watch(&a->watch, fd, LOOP_READ, asker_ready);
}

int ask_open(const char *folder, struct err *e)
{
    int fd;

    if (listening.fd >= 0)
        return 0;
    free(path);
    path = mem_printf("%s/%08x.ask", folder, randombytes_random());
    fd = listen_unix(path, e);
    if (fd < 0)
        return -1;
    loop_watch(&listening, fd, LOOP_READ, listening_ready);
    return 0;
}

void ask_environment(struct env_changes *env)
{
    AUTO_FREE(char *, folder);
    AUTO_FREE(char *, program);

    folder = proc_self_dir();
    program = mem_printf("%s/broker-askpass", folder);
    env_set(env, "SSH_ASKPASS", program);
    env_set(env, "SSH_ASKPASS_REQUIRE", "force");
    env_set(env, ASKPASS_VARIABLE, path);
}

void ask_begin(const struct ssh_settings *s, int64_t *deadline, void (*give_up)(void))
{
    words_release(&asking.given);
    asking.s = s;
    asking.group = -1;
    asking.deadline = deadline;
    asking.give_up = give_up;
    asking.failed = false;
}

void ask_add_wrong(const struct ssh_settings *s, struct err *e)
{
    static const char begins[] = "Enter passphrase for key '";

    for (size_t i = 0; i < asking.given.count; i++) {
        const char *prompt = asking.given.word[i];
        unsigned times = 0;
        for (size_t j = 0; j <= i; j++)
            times += text_equal(asking.given.word[j], prompt);
        if (text_starts(prompt, begins) && times == s->password_prompts)
            ssh_add_wrong(prompt + sizeof begins - 1, strcspn(prompt + sizeof begins - 1, "'"), times, e);
    }
}

void ask_for_group(pid_t group)
{
    asking.group = group;
}

bool ask_end(struct err *e)
{
    asking.s = NULL;
    while (!LIST_EMPTY(&askers))
        asker_end(LIST_FIRST(&askers));
    if (asking.failed)
        err_copy(e, &asking.why);
    return asking.failed;
}

bool ask_needed_user(void)
{
    return needed_user;
}

void ask_close(void)
{
    asking.s = NULL;
    while (!LIST_EMPTY(&askers))
        asker_end(LIST_FIRST(&askers));
    timer_clear(&listening_pause.timer);
    loop_close(&listening);
    for (size_t i = 0; i < KEPT_MOST; i++) {
        secret_free(kept[i].answer);
        free(kept[i].prompt);
        kept[i].answer = NULL;
        kept[i].prompt = NULL;
    }
    words_release(&asking.given);
}
