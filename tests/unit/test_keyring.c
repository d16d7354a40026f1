/* SPDX-License-Identifier: MIT */
/*
 * The real keyring of the kernel: what another session and another user see of an entry, expiry, leftovers,
 * and a kernel that refuses access.
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

/* A UID that no user has, different in each run, so that the quota that one run uses does not make another
 * fail, even one at the same time. It is random and not a PID, because another namespace may have the same
 * PID. */
#define OTHER_UID (20000U + this_run)

static unsigned this_run;
static char test_identity[64];

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

/* Returns the result of get, or STORE_FAILED if the secret is not these bytes. */
static enum store_result get(const char *identity, const char *bytes, size_t n)
{
    AUTO_SECRET(value);
    struct err e = ERR_INIT;

    enum store_result result = store_keyring.get(identity, CLOCK_NEVER, &value, &e);
    if (result != STORE_OK)
        return result;
    return secret_len(value) == n && memcmp(secret_bytes(value), bytes, n) == 0 ? STORE_OK : STORE_FAILED;
}

/* Calls run() in a child process, which may change its UID, session or seccomp filter. Returns its exit
 * status. */
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
    (void)erase(test_identity);
    return 0;
}

static int tear_down(void **state)
{
    return set_up(state);
}

static void need_keyring(void)
{
    if (get(test_identity, "", 0) == STORE_UNAVAILABLE)
        skip();
}

static void entry_is_stored_and_erased(void **state)
{
    char every[255];

    (void)state;
    need_keyring();
    for (size_t i = 0; i < sizeof every; i++)
        every[i] = (char)(i + 1);
    assert_int_equal(get(test_identity, "", 0), STORE_MISSING);
    assert_int_equal(put(test_identity, every, sizeof every, 0), STORE_OK);
    assert_int_equal(get(test_identity, every, sizeof every), STORE_OK);
    assert_int_equal(put(test_identity, "second", 6, 0), STORE_OK);
    assert_int_equal(get(test_identity, "second", 6), STORE_OK);
    assert_int_equal(erase(test_identity), STORE_OK);
    assert_int_equal(get(test_identity, "", 0), STORE_MISSING);
    assert_int_equal(erase(test_identity), STORE_MISSING);
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

static void entry_is_listed_with_label_and_expiry(void **state)
{
    struct listed l = {.identity = test_identity};
    struct err e = ERR_INIT;
    time_t end = time(NULL) + 600;

    (void)state;
    need_keyring();
    assert_int_equal(store_keyring.list("", note_entry, &l, 0, &e), STORE_OK);
    assert_int_equal(l.count, 0);
    assert_int_equal(put(test_identity, "secret", 6, end), STORE_OK);
    assert_int_equal(store_keyring.list("", note_entry, &l, 0, &e), STORE_OK);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.label, "label");
    assert_int_equal(l.expires, end);
    assert_int_equal(erase(test_identity), STORE_OK);
    assert_int_equal(store_keyring.list("", note_entry, &l, 0, &e), STORE_OK);
    assert_int_equal(l.count, 1);
}

static void empty_entry_is_not_missing(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "", 0, 0), STORE_OK);
    assert_int_equal(get(test_identity, "", 0), STORE_OK);
}

static void large_entries(void **state)
{
    static char large[SECRET_MAX];

    (void)state;
    need_keyring();
    memset(large, 'x', sizeof large);
    if (getuid() != 0) /* without big_key, a user's quota is 20,000 bytes */
        assert_int_equal(put(test_identity, large, 10000, 0), STORE_OK);
    else
        assert_int_equal(put(test_identity, large, 32000, 0), STORE_OK);
    assert_int_equal(get(test_identity, large, getuid() ? 10000 : 32000), STORE_OK);
    enum store_result result = put(test_identity, large, sizeof large, 0);
    if (result != STORE_UNAVAILABLE) { /* big_key takes it */
        assert_int_equal(result, STORE_OK);
        assert_int_equal(get(test_identity, large, sizeof large), STORE_OK);
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

/* Finds our key in /proc/keys: its permissions, and its remaining time, for example "23h" or "59m". */
static bool find_line(unsigned *permissions, char unit[16])
{
    FILE *f = fopen("/proc/keys", "re");
    long id = key_of(test_identity);
    char line[4096];
    unsigned serial;
    bool found = false;

    while (f && !found && fgets(line, sizeof line, f))
        found = sscanf(line, "%x %*s %*d %15s %x", &serial, unit, permissions) == 3 && serial == id;
    if (f)
        (void)fclose(f);
    return found;
}

static void key_has_permissions_and_lasts_a_day_at_most(void **state)
{
    unsigned permissions = 0, hours = 0;
    char unit[16];

    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "x", 1, 0), STORE_OK);
    assert_true(find_line(&permissions, unit));
    assert_int_equal(permissions, 0x3f3f0000);
    assert_true(strcmp(unit, "1d") == 0 || (sscanf(unit, "%uh", &hours) == 1 && hours == 23));
    assert_int_equal(put(test_identity, "x", 1, time(NULL) + 7200), STORE_OK);
    assert_true(find_line(&permissions, unit));
    assert_int_equal(permissions, 0x3f3f0000);
    assert_true(strcmp(unit, "1h") == 0 || strcmp(unit, "2h") == 0);
}

static void key_expires(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "x", 1, time(NULL) + 4), STORE_OK);
    assert_int_equal(get(test_identity, "x", 1), STORE_OK);
    int64_t until = clock_ms() + 20000;
    while (get(test_identity, "x", 1) == STORE_OK && clock_left(until))
        (void)poll(NULL, 0, 20);
    assert_int_equal(get(test_identity, "x", 1), STORE_MISSING);
    assert_int_equal(erase(test_identity), STORE_MISSING);
    assert_int_equal(put(test_identity, "again", 5, 0), STORE_OK);
    assert_int_equal(get(test_identity, "again", 5), STORE_OK);
}

static void expired_secret_is_not_stored(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "old", 3, 0), STORE_OK);
    assert_int_equal(put(test_identity, "new", 3, time(NULL) - 1), STORE_OK);
    assert_int_equal(get(test_identity, "", 0), STORE_MISSING);
}

static void distant_expiry_does_not_wrap(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "x", 1, time(NULL) + (INT64_C(1) << 32) + 1), STORE_OK);
    (void)poll(NULL, 0, 1200);
    assert_int_equal(get(test_identity, "x", 1), STORE_OK);
}

static void revoked_key_is_missing(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "x", 1, 0), STORE_OK);
    long id = key_of(test_identity);
    assert_true(id > 0);
    assert_int_equal(keyctl(KEYCTL_REVOKE, id, 0, 0), 0);
    assert_int_equal(get(test_identity, "", 0), STORE_MISSING);
}

static void foreign_key_is_missing(void **state)
{
    char description[128];

    (void)state;
    need_keyring();
    (void)snprintf(description, sizeof description, "broker:%s", test_identity);
    assert_true(syscall(SYS_add_key, "user", description, "foreign", 7, KEY_SPEC_PROCESS_KEYRING) > 0);
    long id = keyctl(KEYCTL_SEARCH, KEY_SPEC_PROCESS_KEYRING, (long)"user", (long)description);
    assert_int_equal(keyctl(KEYCTL_SETPERM, id, 0x3f3f0000, 0), 0);
    assert_int_equal(keyctl(KEYCTL_LINK, id, KEY_SPEC_USER_KEYRING, 0), 0);
    (void)keyctl(KEYCTL_UNLINK, id, KEY_SPEC_PROCESS_KEYRING, 0);
    assert_int_equal(get(test_identity, "", 0), STORE_MISSING);
}

static void nothing_stays_in_the_process_keyring(void **state)
{
    int32_t ids[8];

    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "x", 1, 0), STORE_OK);
    assert_int_equal(keyctl(KEYCTL_READ, KEY_SPEC_PROCESS_KEYRING, (long)ids, sizeof ids), 0);
}

static int read_in_new_session(void)
{
    if (keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) < 0)
        return 1;
    if (get(test_identity, "x", 1) != STORE_OK)
        return 2;
    if (put(test_identity, "from there", 10, 0) != STORE_OK)
        return 3;
    return get(test_identity, "from there", 10) == STORE_OK ? 0 : 4;
}

static void other_session_of_the_user_shares_entry(void **state)
{
    (void)state;
    need_keyring();
    assert_int_equal(put(test_identity, "x", 1, 0), STORE_OK);
    assert_int_equal(in_child(read_in_new_session), 0);
    assert_int_equal(get(test_identity, "from there", 10), STORE_OK);
}

static bool become_other_user(void)
{
    uid_t uid = OTHER_UID;

    return setgid(uid) == 0 && setuid(uid) == 0 && keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) >= 0;
}

static int read_as_other_user(void)
{
    if (!become_other_user())
        return 1;
    if (get(test_identity, "", 0) != STORE_MISSING)
        return 2;
    if (put(test_identity, "stranger", 8, 0) != STORE_OK)
        return 3;
    if (get(test_identity, "stranger", 8) != STORE_OK)
        return 4;
    return erase(test_identity) == STORE_OK ? 0 : 5;
}

static void other_user_has_separate_entries(void **state)
{
    (void)state;
    need_keyring();
    if (getuid() != 0)
        skip();
    assert_int_equal(put(test_identity, "root", 4, 0), STORE_OK);
    assert_int_equal(in_child(read_as_other_user), 0);
    assert_int_equal(get(test_identity, "root", 4), STORE_OK);
}

/* Fills the quota of a user (200 keys, or 20,000 bytes): the put that does not fit is STORE_UNAVAILABLE, and
 * what was stored before is still there. */
static int fill_quota(void)
{
    static char bytes[4000];
    char name[32];
    int kept = 0;
    enum store_result last = STORE_OK;

    if (!become_other_user())
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

static void full_quota_is_unavailable(void **state)
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

/* From now on the system call fails with the error `failed` in this process. */
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

/* get, put and erase are STORE_UNAVAILABLE; get sets an error, put logs one line for --verbose. */
static int refused_everything(void)
{
    AUTO_SECRET(value);
    struct err e = ERR_INIT;

    log_set_sink(count_lines, LOG_STEP);
    if (!forbid(SYS_keyctl, (unsigned)refusals[refusal]) || !forbid(SYS_add_key, (unsigned)refusals[refusal]))
        return 1;
    if (store_keyring.get(test_identity, CLOCK_NEVER, &value, &e) != STORE_UNAVAILABLE || value || !e.msg[0])
        return 2;
    lines = 0;
    if (put(test_identity, "x", 1, 0) != STORE_UNAVAILABLE || lines != 1)
        return 3;
    return erase(test_identity) == STORE_UNAVAILABLE ? 0 : 4;
}

static int refused_add(void)
{
    if (!forbid(SYS_add_key, (unsigned)refusals[refusal]))
        return 1;
    if (put(test_identity, "new", 3, 0) != STORE_UNAVAILABLE)
        return 2;
    return get(test_identity, "old", 3) == STORE_OK ? 0 : 3;
}

static void refusing_kernel_is_unavailable(void **state)
{
    (void)state;
    for (refusal = 0; refusal < ARRAY_LEN(refusals); refusal++)
        assert_int_equal(in_child(refused_everything), 0);
    need_keyring();
    assert_int_equal(put(test_identity, "old", 3, 0), STORE_OK);
    for (refusal = 0; refusal < ARRAY_LEN(refusals); refusal++)
        assert_int_equal(in_child(refused_add), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    this_run = randombytes_uniform(40000);
    (void)snprintf(test_identity, sizeof test_identity, "mysql://test-keyring@db%u.example.com:3306",
                   this_run);

    const struct CMUnitTest tests[] = {
        TEST(entry_is_stored_and_erased),
        TEST(entry_is_listed_with_label_and_expiry),
        TEST(empty_entry_is_not_missing),
        TEST(large_entries),
        TEST(long_identities_do_not_mix),
        TEST(key_has_permissions_and_lasts_a_day_at_most),
        TEST(key_expires),
        TEST(expired_secret_is_not_stored),
        TEST(distant_expiry_does_not_wrap),
        TEST(revoked_key_is_missing),
        TEST(foreign_key_is_missing),
        TEST(nothing_stays_in_the_process_keyring),
        TEST(other_session_of_the_user_shares_entry),
        TEST(other_user_has_separate_entries),
        TEST(full_quota_is_unavailable),
        TEST(refusing_kernel_is_unavailable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
