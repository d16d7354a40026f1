/* SPDX-License-Identifier: MIT */
/*
 * Requests to an OpenSSH master, which a child process of the test plays: what the master receives, and what
 * is made of its answers. Also how the prompts of ssh are classified, and which error its stderr becomes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/mem.h>
#include <event/loop.h>
#include <openssh/ask.h>
#include <openssh/mux.h>
#include <openssh/stderr_errors.h>

#define HELLO "\0\0\0\10\0\0\0\1\0\0\0\4"
#define OPENED "\0\0\0\14\200\0\0\6\0\0\0\1\0\0\0\2"
#define PROXY "\0\0\0\10\200\0\0\17\0\0\0\1"
#define OK "\0\0\0\10\200\0\0\1\0\0\0\1"
#define REFUSED "\0\0\0\40\200\0\0\3\0\0\0\1\0\0\0\24Session\nopen refused"
#define BYTES(literal) literal, sizeof literal - 1

static char folder[] = "/tmp/broker-mux-XXXXXX";
static char *path;

/* --- packets -------------------------------------------------------------------------------------------- */

static void packets_match_ssh(void **state)
{
    AUTO_BUF(stream, 4096);
    AUTO_BUF(forward, 4096);
    AUTO_BUF(proxy, 4096);
    AUTO_BUF(end, 4096);

    (void)state;
    mux_put_hello(&stream);
    mux_put_stream(&stream, "db", 3306);
    assert_int_equal(stream.len, 12 + 4 + 22);
    assert_memory_equal(stream.data, HELLO "\0\0\0\26\20\0\0\10\0\0\0\1\0\0\0\0\0\0\0\2db\0\0\14\352",
                        stream.len);
    mux_put_forward(&forward, "/a", "/bc");
    assert_int_equal(forward.len, 4 + 33);
    assert_memory_equal(
        forward.data,
        "\0\0\0\41\20\0\0\6\0\0\0\1\0\0\0\1\0\0\0\2/a\377\377\377\376\0\0\0\3/bc\377\377\377\376",
        forward.len);
    mux_put_bare(&proxy, MUX_PROXY);
    assert_int_equal(proxy.len, 12);
    assert_memory_equal(proxy.data, "\0\0\0\10\20\0\0\17\0\0\0\1", proxy.len);
    buf_clear(&proxy);
    mux_put_bare(&proxy, MUX_ALIVE);
    assert_int_equal(proxy.len, 12);
    assert_memory_equal(proxy.data, "\0\0\0\10\20\0\0\4\0\0\0\1", proxy.len);
    buf_clear(&proxy);
    mux_put_ignore(&proxy);
    assert_int_equal(proxy.len, 10);
    assert_memory_equal(proxy.data, "\0\0\0\6\0\2\0\0\0\0", proxy.len);
    buf_clear(&proxy);
    mux_put_question(&proxy);
    assert_int_equal(proxy.len, 48);
    assert_memory_equal(proxy.data,
                        "\0\0\0\54\0\132\0\0\0\32is-it-there@broker.invalid\0\0\0\0\0\0\0\0\0\0\200\0",
                        proxy.len);
    mux_put_bare(&end, MUX_END);
    assert_int_equal(end.len, 12);
    assert_memory_equal(end.data, "\0\0\0\10\20\0\0\5\0\0\0\1", end.len);
}

static void replies_are_parsed(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        long taken;
        enum mux_says says;
    } replies[] = {
        {BYTES(HELLO), 12, MUX_HELLO},
        {BYTES(OPENED), 16, MUX_GRANTED},
        {BYTES(OK), 12, MUX_GRANTED},
        {BYTES(PROXY), 12, MUX_GRANTED},
        {BYTES("\0\0\0\14\200\0\0\5\0\0\0\1\0\0\0\2"), 16, MUX_GRANTED}, /* alive */
        {BYTES(REFUSED), 36, MUX_REFUSED},
        {BYTES("\0\0\0\14\200\0\0\4\0\0\0\1\0\0\0\0"), 16, MUX_OTHER},
        {BYTES("\0\0\0"), 0, MUX_OTHER},
        {BYTES("\0\0\0\10\0\0\0\1\0\0\0"), 0, MUX_OTHER},
        {BYTES("\0\0\0\3\0\0\0"), -1, MUX_OTHER},                      /* too short to contain a type */
        {BYTES("\0\1\0\1\0\0\0\1"), -1, MUX_OTHER},                    /* too long */
        {BYTES("\0\0\0\10\0\0\0\1\0\0\0\5"), -1, MUX_HELLO},           /* another version */
        {BYTES("\0\0\0\4\200\0\0\1"), -1, MUX_GRANTED},                /* without a request ID */
        {BYTES("\0\0\0\14\200\0\0\3\0\0\0\1\0\0\0\1"), -1, MUX_OTHER}, /* the reason is missing */
        {BYTES("\0\0\0\14\200\0\0\3\0\0\0\0\377\377\377\377"), -1, MUX_OTHER}, /* its length is wrong */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        struct mux_reply reply;
        assert_int_equal(mux_parse(replies[i].bytes, replies[i].n, &reply), replies[i].taken);
        if (replies[i].taken > 0)
            assert_int_equal(reply.says, replies[i].says);
    }
}

/* --- requests ------------------------------------------------------------------------------------------- */

struct master_case {
    const char *says;
    size_t n;
    bool listens, waits; /* waits: stays until the client closes the connection */
    enum mux_answer answer;
    const char *words;
    bool ends; /* the granted stream ends too */
};

static struct {
    bool done, ended;
    enum mux_answer answer;
    char words[256];
    struct mux *mux;
    bool stop; /* call mux_stop() on the answer */
} seen;

static void answered(void *context, enum mux_answer answer, const char *words)
{
    assert_ptr_equal(context, &seen);
    assert_false(seen.done);
    seen.answer = answer;
    (void)snprintf(seen.words, sizeof seen.words, "%s", words);
    seen.done = true;
    if (seen.stop)
        mux_stop(seen.mux);
}

static void has_ended(void *context)
{
    assert_ptr_equal(context, &seen);
    assert_true(seen.done);
    seen.ended = true;
}

static const struct mux_use use = {.answered = answered, .ended = has_ended};

static int listen_here(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    (void)unlink(path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static int take_fd(int from)
{
    char byte, room[CMSG_SPACE(sizeof(int))];
    struct iovec what = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &what, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = -1;

    if (recvmsg(from, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Reads as ssh does: whole packets, then the descriptors. Writes "hi" to the stream's output. */
_Noreturn static void play_master(int listening, const struct master_case *c, size_t request)
{
    char packet[256], byte;
    int fd = accept(listening, NULL, NULL);

    if (recv(fd, packet, 12, MSG_WAITALL) != 12 || recv(fd, packet, request, MSG_WAITALL) != (ssize_t)request)
        _exit(1);
    int in = take_fd(fd), out = take_fd(fd);
    if (in < 0 || out < 0 || write(out, "hi", 2) != 2)
        _exit(2);
    if (send(fd, c->says, c->n, MSG_NOSIGNAL) != (ssize_t)c->n)
        _exit(3);
    if (c->waits)
        (void)!read(fd, &byte, 1);
    _exit(0);
}

static void ask(int *fds, int64_t ms)
{
    struct buf request = BUF_INIT(4096);

    mux_put_stream(&request, "db", 3306);
    memset(&seen, 0, sizeof seen);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    seen.mux = mux_ask(path, &request, (const int[]){fds[0], fds[0]}, 2, clock_deadline(ms, CLOCK_NEVER),
                       &use, &seen);
    assert_false(seen.done);
}

static void answer_of_the_master_is_reported(void **state)
{
    static const struct master_case cases[] = {
        {BYTES(HELLO OPENED), true, false, MUX_YES, "", true},
        /* an unknown message first */
        {BYTES(HELLO "\0\0\0\4\200\0\0\11" OPENED), true, false, MUX_YES, "", true},
        {BYTES(HELLO REFUSED), true, false, MUX_NO, "Session?open refused", false},
        {BYTES(HELLO), true, false, MUX_GONE, "", false},
        {BYTES(""), true, false, MUX_GONE, "", false},
        {BYTES(HELLO), true, true, MUX_SILENT, "", false},
        {BYTES("\0\0\0\10\0\0\0\1\0\0\0\3"), true, true, MUX_NO_SENSE, "", false},
        {BYTES("SSH-2.0-OpenSSH\r\n"), true, true, MUX_NO_SENSE, "", false},
        {BYTES(""), false, false, MUX_GONE, "", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct master_case *c = &cases[i];
        int listening = listen_here(), fds[2], status = 0;
        pid_t pid = c->listens ? fork() : 0;
        char hi[3] = "";
        if (pid == 0 && c->listens)
            play_master(listening, c, 26);
        (void)close(listening);
        if (!c->listens)
            (void)unlink(path);
        ask(fds, c->answer == MUX_SILENT ? 200 : 10000);
        loop_until(&seen.done);
        if (seen.answer != c->answer || strcmp(seen.words, c->words) != 0)
            fail_msg("case %zu: %d '%s'", i, seen.answer, seen.words);
        if (c->ends)
            loop_until(&seen.ended);
        if (pid) {
            (void)waitpid(pid, &status, 0);
            assert_int_equal(status, 0);
            /* fds[0] was passed as input and as output; the master writes only to the output. */
            assert_int_equal(read(fds[1], hi, sizeof hi), 2);
            assert_string_equal(hi, "hi");
        }
        (void)close(fds[0]);
        (void)close(fds[1]);
    }
}

static void no_callback_after_stop(void **state)
{
    static const struct master_case cases[] = {
        {BYTES(HELLO OPENED), true, true, MUX_YES, "", false},
        {BYTES(HELLO OPENED REFUSED OK), true, true, MUX_YES, "", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int listening = listen_here(), fds[2], status;
        pid_t pid = fork();
        if (pid == 0)
            play_master(listening, &cases[i], 26);
        (void)close(listening);
        ask(fds, 10000);
        seen.stop = true;
        loop_until(&seen.done);
        assert_int_equal(seen.answer, MUX_YES);
        (void)waitpid(pid, &status, 0); /* the master has seen the connection close */
        assert_int_equal(status, 0);
        assert_false(seen.ended);
        (void)close(fds[0]);
        (void)close(fds[1]);
    }
}

/* More requests than the master's backlog holds: none is lost. The answers may come in any order. */
#define MANY 200
static struct {
    size_t answered;
    bool done;
} all;

static void count_refusal(void *context, enum mux_answer answer, const char *words)
{
    (void)context;
    (void)words;
    assert_int_equal(answer, MUX_NO);
    all.done = ++all.answered == MANY;
}

static void more_requests_than_the_backlog(void **state)
{
    static const struct mux_use counting = {.answered = count_refusal};
    static const struct master_case c = {BYTES(HELLO REFUSED), true, false, MUX_NO, "", false};
    int listening = listen_here(), null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        for (int i = 0; i < MANY; i++) {
            pid_t one = fork();
            if (one == 0)
                play_master(listening, &c, 26);
            (void)waitpid(one, &status, 0);
            if (status)
                _exit(1);
        }
        _exit(0);
    }
    (void)close(listening);
    for (int i = 0; i < MANY; i++) {
        struct buf request = BUF_INIT(4096);
        mux_put_stream(&request, "db", 3306);
        (void)mux_ask(path, &request, (const int[]){null, null}, 2, clock_deadline(30000, CLOCK_NEVER),
                      &counting, NULL);
    }
    loop_until(&all.done);
    (void)waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    (void)close(null);
}

/* --- prompts and errors --------------------------------------------------------------------------------- */

static char user[] = "me", host[] = "bastion.example.com", alias[] = "bastion";
static const struct target target = {.connect_timeout = 10000};
static const struct ssh_settings settings = {
    .target = &target, .alias = alias, .host = host, .port = 22, .user = user, .connect_timeout = 10000};

static void prompts_are_classified(void **state)
{
    static const struct {
        const char *prompt, *hint;
        enum ask_kind kind;
    } prompts[] = {
        {"me@bastion.example.com's password: ", NULL, ASK_PASSWORD},
        {"(me@bastion.example.com) Password: ", NULL, ASK_PASSWORD},
        {"(me@bastion.example.com) password: ", NULL, ASK_PASSWORD},
        {"me@jump.example.com's password: ", NULL, ASK_KEPT},
        {"you@bastion.example.com's password: ", NULL, ASK_KEPT},
        {"Enter passphrase for key '/home/me/.ssh/id_rsa': ", NULL, ASK_KEPT},
        {"Enter passphrase for /home/me/.ssh/id_rsa: ", NULL, ASK_KEPT},
        {"(me@bastion.example.com) Verification code: ", NULL, ASK_ONCE},
        {"(me@bastion.example.com) One-time password: ", NULL, ASK_ONCE},
        {"(me@jump.example.com) Password: ", NULL, ASK_ONCE},
        {"Enter PIN for ED25519-SK key /home/me/.ssh/id_ed25519_sk: ", NULL, ASK_ONCE},
        {"The authenticity of host 'a (b)' can't be established.\nAre you sure you want to continue "
         "connecting "
         "(yes/no/[fingerprint])? ",
         NULL, ASK_YES},
        {"Please type 'yes', 'no' or the fingerprint: ", NULL, ASK_YES},
        {"Allow use of key x?", "confirm", ASK_YES},
        {"", NULL, ASK_ONCE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(prompts); i++)
        assert_int_equal(ask_classify(prompts[i].prompt, prompts[i].hint, &settings), prompts[i].kind);
}

static void stderr_becomes_an_error(void **state)
{
    static const struct {
        const char *stderr_tail;
        enum err_code code;
        const char *msg;
    } cases[] = {
        {"debug1: x\nme@bastion.example.com: Permission denied (publickey,password).\n", ERR_REFUSED,
         "me@bastion.example.com: Permission denied (publickey,password)"},
        {"Received disconnect from 1.2.3.4 port 22:2: Too many authentication failures\nDisconnected from "
         "1.2.3.4 "
         "port 22\n",
         ERR_REFUSED, "me@bastion.example.com: Too many authentication failures"},
        {"ssh: Could not resolve hostname jump: Name or service not known\n", ERR_UNREACHABLE,
         "jump: no such host"},
        {"ssh: connect to host jump port 2222: Connection refused\n", ERR_UNREACHABLE,
         "jump:2222: connection refused"},
        {"ssh: connect to host 2001:db8::1 port 22: No route to host\n", ERR_UNREACHABLE,
         "[2001:db8::1]:22: no route to host"},
        {"ssh: connect to host bastion.example.com port 22: Connection timed out\n", ERR_UNREACHABLE,
         "bastion.example.com:22: no answer within 10s"},
        {"Connection timed out during banner exchange\nConnection to 1.2.3.4 port 22 timed out\n",
         ERR_UNREACHABLE, "bastion.example.com:22: no answer within 10s"},
        {"Unable to negotiate with 1.2.3.4 port 22: no matching cipher found. Their offer: 3des-cbc\n",
         ERR_REFUSED, "bastion.example.com: no matching cipher found. Their offer: 3des-cbc"},
        {"Timeout, server bastion.example.com not responding.\n", ERR_UNREACHABLE,
         "ssh bastion: Timeout, server bastion.example.com not responding."},
        {"Warning: Permanently added 'x' (ED25519) to the list of known hosts.\nkex_exchange_identification: "
         "read: "
         "Connection reset by peer\n",
         ERR_UNREACHABLE, "ssh bastion: kex_exchange_identification: read: Connection reset by peer"},
        {"", ERR_UNREACHABLE, "ssh bastion: exit status 255"},
        {"No ED25519 host key is known for [h]:2222 and you have requested strict checking.\nHost key "
         "verification "
         "failed.\n",
         ERR_REFUSED, "[h]:2222: No ED25519 host key is known and you have requested strict checking"},
        {"@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nThe fingerprint for the "
         "ED25519 key "
         "sent by the remote host is\nSHA256:abc.\nHost key for [h]:2222 has changed and you have requested "
         "strict "
         "checking.\nHost key verification failed.\n",
         ERR_REFUSED, "[h]:2222: REMOTE HOST IDENTIFICATION HAS CHANGED"},
        {"The RSA host key for h is marked as revoked.\nHost key verification failed.\n", ERR_REFUSED,
         "h: the RSA host key is marked as revoked"},
        /* truncated or malformed: a missing part must not be used */
        {"The fingerprint for the\n REMOTE HOST IDENTIFICATION HAS CHANGED\n", ERR_REFUSED,
         "bastion.example.com: REMOTE HOST IDENTIFICATION HAS CHANGED"},
        {"connect to host \n", ERR_UNREACHABLE, "ssh bastion: connect to host "},
        {"Could not resolve hostname", ERR_UNREACHABLE, "ssh bastion: Could not resolve hostname"},
        {": Permission denied (", ERR_REFUSED, ": Permission denied ("},
        {"Unable to negotiate with ", ERR_UNREACHABLE, "ssh bastion: Unable to negotiate with "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = ERR_INIT;
        assert_int_equal(openssh_explain(&settings, cases[i].stderr_tail, 255 << 8, &e), -1);
        assert_int_equal(e.code, cases[i].code);
        assert_string_equal(e.msg, cases[i].msg);
        assert_true(e.hint[0]);
    }
}

static void last_reason_is_used(void **state)
{
    AUTO_BUF(reason, 256);
    AUTO_BUF(none, 256);

    (void)state;
    openssh_stream_reason(
        "channel 2: open failed: connect failed: Connection refused\nchannel 7: open failed: "
        "administratively prohibited: open failed\nother\n",
        &reason);
    assert_string_equal(buf_str(&reason), "administratively prohibited: open failed");
    openssh_stream_reason("nothing\n", &none);
    assert_string_equal(buf_str(&none), "");
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    path = mem_printf("%s/m", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    free(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_match_ssh),
        cmocka_unit_test(replies_are_parsed),
        cmocka_unit_test(answer_of_the_master_is_reported),
        cmocka_unit_test(no_callback_after_stop),
        cmocka_unit_test(more_requests_than_the_backlog),
        cmocka_unit_test(prompts_are_classified),
        cmocka_unit_test(stderr_becomes_an_error),
        cmocka_unit_test(last_reason_is_used),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
