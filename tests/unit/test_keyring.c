/* SPDX-License-Identifier: MIT */
/*
 * The kernel keyring, the real one: entries as another session and another user see them, expiry, what is
 * left behind, and what a kernel that refuses is made of.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include <base/clock.h>
#include <base/log.h>
#include <base/mem.h>
#include <store/store.h>

/* Users that nobody has: what one run leaves in its quota cannot fail another, nor can one that runs beside
 * it. By no number of a process: another namespace has the same. */
#define STRANGER (20000U + this_run)

static unsigned this_run;
static char who[64];

static long keyctl(int operation, long a, long b, long c)
{
    return syscall(SYS_keyctl, operation, a, b, c, 0L);
}

static enum store_result put(const char *identity, const char *bytes, size_t n, time_t expires)
{
    AUTO_SECRET(value);
    struct err e = ERR_INIT;

    value = secret_from(bytes, n);
    return store_keyring.put(identity, "label", value, expires, CLOCK_NEVER, &e);
}

static enum store_result erase(const char *identity)
{
    struct err e = ERR_INIT;

    return store_keyring.erase(identity, CLOCK_NEVER, &e);
}

/* What get answers, or STORE_FAILED where it found other bytes than these. */
static enum store_result get(const char *identity, const char *bytes, size_t n)
{
    AUTO_SECRET(value);
    struct err e = ERR_INIT;

    enum store_result result = store_keyring.get(identity, CLOCK_NEVER, &value, &e);
    if (result != STORE_OK)
        return result;
    return secret_len(value) == n && memcmp(secret_bytes(value), bytes, n) == 0 ? STORE_OK : STORE_FAILED;
}

/* Runs in a child, so that its uid, session or filter is its own. Gives its exit status. */
static int in_child(int (*run)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        _exit(run());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int set_up(void **state)
{
    (void)state;
    (void)erase(who);
    return 0;
}

static int tear_down(void **state)
{
    return set_up(state);
}

static void need_keyring(void)
{
    if (get(who, "", 0) == STORE_UNAVAILABLE)
        skip();
}

static void an_entry_comes_back(void **state)
{
    char every[255];

    (void)state;
    need_keyring();
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (char)(i + 1);
    assert_int_equal(get(who, "", 0), STORE_MISSING);
    assert_int_equal(put(who, every, sizeof every, 0), STORE_OK);
    assert_int_equal(get(who, every, sizeof every), STORE_OK);
    assert_int_equal(put(who, "second", 6, 0), STORE_OK);
    assert_int_equal(get(who, "second", 6), STORE_OK);
    assert_int_equal(erase(who), STORE_OK);
    assert_int_equal(get(who, "", 0), STORE_MISSING);
    assert_int_equal(erase(who), STORE_MISSING);
}

struct listed {
    const char *identity;
    unsigned count;
    char label[64];
    time_t expires;
};

static void note_entry(void *context, const char *identity, const char *label, time_t expires)
{
    struct listed *l = context;

    if (strcmp(identity, l->identity) != 0)
        return;
    l->count++;
    l->expires = expires;
    (void)snprintf(l->label, sizeof l->label, "%s", label);
}

static void an_entry_is_listed_with_its_label_and_end(void **state)
{
    struct listed l = {.identity = who};
    struct err e = ERR_INIT;
    time_t end = time(NULL) + 600;

    (void)state;
    need_keyring();
    assert_int_equal(store_keyring.list("", note_entry, &l, 0, &e), STORE_OK);
    assert_int_equal(l.count, 0);
    assert_int_equal(put(who, "secret", 6, end), STORE_OK);
    assert_int_equal(store_keyring.list("", note_entry, &l, 0, &e), STORE_OK);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.label, "label");
    assert_int_equal(l.expires, end);
    assert_int_equal(erase(who), STORE_OK);
    assert_int_equal(store_keyring.list("", note_entry, &l, 0, &e), STORE_OK);
    assert_int_equal(l.count, 1);
}

static void an_empty_entry_is_not_a_missing_one(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(who, "", 0, 0), STORE_OK);
    assert_int_equal(get(who, "", 0), STORE_OK);
}

static void large_entries(void **state)
{
    static char large[SECRET_MAX];

    (void)state;
    need_keyring();
    memset(large, 'x', sizeof large);
    if (getuid() != 0) /* a user's quota is 20,000 bytes where there is no big_key */
        assert_int_equal(put(who, large, 10000, 0), STORE_OK);
    else
        assert_int_equal(put(who, large, 32000, 0), STORE_OK);
    assert_int_equal(get(who, large, getuid() ? 10000 : 32000), STORE_OK);
    enum store_result result = put(who, large, sizeof large, 0);
    if (result != STORE_UNAVAILABLE) { /* big_key takes it */
        assert_int_equal(result, STORE_OK);
        assert_int_equal(get(who, large, sizeof large), STORE_OK);
    }
}

static void long_identities_do_not_mix(void **state)
{
    char one[3000], other[3000];

    (void)state;
    need_keyring();
    memset(one, 'i', sizeof one);
    memset(other, 'i', sizeof other);
    one[sizeof one - 1] = other[sizeof other - 1] = '\0';
    one[sizeof one - 2] = '1';
    assert_int_equal(put(one, "one", 3, 0), STORE_OK);
    assert_int_equal(get(other, "", 0), STORE_MISSING);
    assert_int_equal(put(other, "other", 5, 0), STORE_OK);
    assert_int_equal(get(one, "one", 3), STORE_OK);
    assert_int_equal(erase(one), STORE_OK);
    assert_int_equal(get(other, "other", 5), STORE_OK);
    assert_int_equal(erase(other), STORE_OK);
}

static long key_of(const char *identity)
{
    char description[128];

    (void)snprintf(description, sizeof description, "broker:%s", identity);
    long id = keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"big_key", (long)description);
    return id > 0 ? id : keyctl(KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, (long)"user", (long)description);
}

/* Of our key's line in /proc/keys: its permissions, and its remaining time as "23h" or "59m". */
static bool find_line(unsigned *permissions, char unit[16])
{
    FILE *f = fopen("/proc/keys", "re");
    long id = key_of(who);
    char line[4096];
    unsigned serial;
    bool found = false;

    while (f && !found && fgets(line, sizeof line, f))
        found = sscanf(line, "%x %*s %*d %15s %x", &serial, unit, permissions) == 3 && serial == id;
    if (f)
        (void)fclose(f);
    return found;
}

static void a_key_has_its_permissions_and_a_day_at_most(void **state)
{
    unsigned permissions = 0, hours = 0;
    char unit[16];

    (void)state;
    need_keyring();
    assert_int_equal(put(who, "x", 1, 0), STORE_OK);
    assert_true(find_line(&permissions, unit));
    assert_int_equal(permissions, 0x3f3f0000);
    assert_true(strcmp(unit, "1d") == 0 || (sscanf(unit, "%uh", &hours) == 1 && hours == 23));
    assert_int_equal(put(who, "x", 1, time(NULL) + 7200), STORE_OK);
    assert_true(find_line(&permissions, unit));
    assert_int_equal(permissions, 0x3f3f0000);
    assert_true(strcmp(unit, "1h") == 0 || strcmp(unit, "2h") == 0);
}

static void a_key_ends_at_its_time(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(who, "x", 1, time(NULL) + 4), STORE_OK);
    assert_int_equal(get(who, "x", 1), STORE_OK);
    int64_t until = clock_ms() + 20000;
    while (get(who, "x", 1) == STORE_OK && clock_left(until))
        (void)poll(NULL, 0, 20);
    assert_int_equal(get(who, "x", 1), STORE_MISSING);
    assert_int_equal(erase(who), STORE_MISSING);
    assert_int_equal(put(who, "again", 5, 0), STORE_OK);
    assert_int_equal(get(who, "again", 5), STORE_OK);
}

static void what_has_expired_already_is_not_kept(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(who, "old", 3, 0), STORE_OK);
    assert_int_equal(put(who, "new", 3, time(NULL) - 1), STORE_OK);
    assert_int_equal(get(who, "", 0), STORE_MISSING);
}

static void an_end_far_away_does_not_wrap(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(who, "x", 1, time(NULL) + (INT64_C(1) << 32) + 1), STORE_OK);
    (void)poll(NULL, 0, 1200);
    assert_int_equal(get(who, "x", 1), STORE_OK);
}

static void a_revoked_key_is_missing(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(who, "x", 1, 0), STORE_OK);
    long id = key_of(who);
    assert_true(id > 0);
    assert_int_equal(keyctl(KEYCTL_REVOKE, id, 0, 0), 0);
    assert_int_equal(get(who, "", 0), STORE_MISSING);
}

static void a_key_that_is_not_ours_is_missing(void **state)
{
    char description[128];

    (void)state;
    need_keyring();
    (void)snprintf(description, sizeof description, "broker:%s", who);
    assert_true(syscall(SYS_add_key, "user", description, "foreign", 7, KEY_SPEC_PROCESS_KEYRING) > 0);
    long id = keyctl(KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, (long)"user", (long)description);
    assert_int_equal(keyctl(KEYCTL_SETPERM, id, 0x3f3f0000, 0), 0);
    assert_int_equal(keyctl(KEYCTL_LINK, id, KEY_SPEC_USER_KEYRING, 0), 0);
    (void)keyctl(KEYCTL_UNLINK, id, KEY_SPEC_PROCESS_KEYRING, 0);
    assert_int_equal(get(who, "", 0), STORE_MISSING);
}

static void nothing_stays_in_the_process_keyring(void **state)
{
    int32_t ids[8];

    (void)state;
    need_keyring();
    assert_int_equal(put(who, "x", 1, 0), STORE_OK);
    assert_int_equal(keyctl(KEYCTL_READ, KEY_SPEC_PROCESS_KEYRING, (long)ids, sizeof ids), 0);
}

static int read_in_new_session(void)
{
    if (keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) < 0)
        return 1;
    if (get(who, "x", 1) != STORE_OK)
        return 2;
    if (put(who, "from there", 10, 0) != STORE_OK)
        return 3;
    return get(who, "from there", 10) == STORE_OK ? 0 : 4;
}

static void another_session_of_the_user_shares_it(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(who, "x", 1, 0), STORE_OK);
    assert_int_equal(in_child(read_in_new_session), 0);
    assert_int_equal(get(who, "from there", 10), STORE_OK);
}

static bool become_stranger(void)
{
    uid_t uid = STRANGER;

    return setgid(uid) == 0 && setuid(uid) == 0 && keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) >= 0;
}

static int read_as_stranger(void)
{
    if (!become_stranger())
        return 1;
    if (get(who, "", 0) != STORE_MISSING)
        return 2;
    if (put(who, "stranger", 8, 0) != STORE_OK)
        return 3;
    if (get(who, "stranger", 8) != STORE_OK)
        return 4;
    return erase(who) == STORE_OK ? 0 : 5;
}

static void another_user_has_entries_of_his_own(void **state)
{
    (void)state;
    need_keyring();
    if (getuid() != 0)
        skip();
    assert_int_equal(put(who, "root", 4, 0), STORE_OK);
    assert_int_equal(in_child(read_as_stranger), 0);
    assert_int_equal(get(who, "root", 4), STORE_OK);
}

/* Fills the quota of a user (200 keys, or 20,000 bytes): the put that does not fit is unavailable, what was
 * kept stays. */
static int fill_quota(void)
{
    static char bytes[4000];
    char name[32];
    int kept = 0;
    enum store_result last = STORE_OK;

    if (!become_stranger())
        return 1;
    for (; kept < 1000 && last == STORE_OK; kept += last == STORE_OK) {
        (void)snprintf(name, sizeof name, "test-quota-%d", kept);
        last = put(name, bytes, sizeof bytes, 0);
    }
    enum store_result first = get("test-quota-0", bytes, sizeof bytes);
    for (int i = 0; i < kept; i++) {
        (void)snprintf(name, sizeof name, "test-quota-%d", i);
        (void)erase(name);
    }
    return last != STORE_UNAVAILABLE ? 2 : first != STORE_OK ? 3 : 0;
}

static void a_full_quota_is_no_failure(void **state)
{
    (void)state;
    need_keyring();
    if (getuid() != 0)
        skip();
    assert_int_equal(in_child(fill_quota), 0);
}

static unsigned lines;

static void count_lines(enum log_level level, const char *label, const char *text)
{
    lines += level == LOG_STEP && strcmp(label, "keyring") == 0 && *text;
}

/* From here on this process gets `failed` from the system call. */
static bool forbid(unsigned call, unsigned failed)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | failed),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = ARRAY_LEN(filter), .filter = filter};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static const int refusals[] = {EDQUOT, EPERM, EACCES, ENOSYS};
static size_t refusal;

/* get, put and erase: each unavailable, says why, and one line of --verbose. */
static int refused_everything(void)
{
    AUTO_SECRET(value);
    struct err e = ERR_INIT;

    log_set_sink(count_lines, LOG_STEP);
    if (!forbid(SYS_keyctl, (unsigned)refusals[refusal]) || !forbid(SYS_add_key, (unsigned)refusals[refusal]))
        return 1;
    if (store_keyring.get(who, CLOCK_NEVER, &value, &e) != STORE_UNAVAILABLE || value || !e.msg[0])
        return 2;
    lines = 0;
    if (put(who, "x", 1, 0) != STORE_UNAVAILABLE || lines != 1)
        return 3;
    return erase(who) == STORE_UNAVAILABLE ? 0 : 4;
}

static int refused_add(void)
{
    if (!forbid(SYS_add_key, (unsigned)refusals[refusal]))
        return 1;
    if (put(who, "new", 3, 0) != STORE_UNAVAILABLE)
        return 2;
    return get(who, "old", 3) == STORE_OK ? 0 : 3;
}

static void a_kernel_that_refuses_is_no_failure(void **state)
{
    (void)state;
    for (refusal = 0; refusal < ARRAY_LEN(refusals); refusal++)
        assert_int_equal(in_child(refused_everything), 0);
    need_keyring();
    assert_int_equal(put(who, "old", 3, 0), STORE_OK);
    for (refusal = 0; refusal < ARRAY_LEN(refusals); refusal++)
        assert_int_equal(in_child(refused_add), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    this_run = randombytes_uniform(40000);
    (void)snprintf(who, sizeof who, "mysql://test-keyring@db%u.example.com:3306", this_run);

    const struct CMUnitTest tests[] = {
        TEST(an_entry_comes_back),
        TEST(an_entry_is_listed_with_its_label_and_end),
        TEST(an_empty_entry_is_not_a_missing_one),
        TEST(large_entries),
        TEST(long_identities_do_not_mix),
        TEST(a_key_has_its_permissions_and_a_day_at_most),
        TEST(a_key_ends_at_its_time),
        TEST(what_has_expired_already_is_not_kept),
        TEST(an_end_far_away_does_not_wrap),
        TEST(a_revoked_key_is_missing),
        TEST(a_key_that_is_not_ours_is_missing),
        TEST(nothing_stays_in_the_process_keyring),
        TEST(another_session_of_the_user_shares_it),
        TEST(another_user_has_entries_of_his_own),
        TEST(a_full_quota_is_no_failure),
        TEST(a_kernel_that_refuses_is_no_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
