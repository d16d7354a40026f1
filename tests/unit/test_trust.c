/* SPDX-License-Identifier: MIT */
/*
 * Which paths are trusted for a user who is not root, by owner and mode of the folders and the owner of the
 * symbolic links on them; and which files, by their owner and mode. Only root can become several users, so
 * all tests are skipped for other users.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

enum { ROOT = 0, US = 4711, OTHER = 4712 };

static char home[64];

/* Closes a descriptor, so that the next one that is opened gets its number; without stdin that is 0. Returns
 * a duplicate for restore_fd(). */
static int close_fd(int fd)
{
    int kept = dup(fd);

    (void)close(fd);
    return kept;
}

static void restore_fd(int fd, int kept)
{
    if (kept < 0)
        return;
    (void)dup2(kept, fd);
    (void)close(kept);
}

static void become(uid_t uid)
{
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(uid), 0);
    assert_int_equal(seteuid(uid), 0);
}

/* Creates a folder of the user US below /tmp, which is sticky and root's, and changes to it. */
static int new_home(void **state)
{
    (void)state;
    (void)umask(022);
    (void)snprintf(home, sizeof home, "/tmp/broker-trust-XXXXXX");
    if (geteuid() != 0)
        return 0;
    return mkdtemp(home) && chown(home, US, US) == 0 && chdir(home) == 0 && setenv("HOME", "/nowhere", 1) == 0
               ? 0
               : -1;
}

static int remove_home(void **state)
{
    AUTO_FREE(char *, command);

    (void)state;
    if (geteuid() != 0 && seteuid(0) < 0)
        return 0;
    command = mem_printf("rm -rf %s", home);
    return setegid(0) == 0 && chdir("/") == 0 ? system(command) : -1;
}

#define NEEDS_ROOT()                                                                                         \
    if (geteuid() != 0)                                                                                      \
    skip()

static void folder(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, uid, gid), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void file(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, "text", 4), 0);
    assert_int_equal(fchown(fd, uid, gid), 0);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void link_to(const char *target, const char *path, uid_t uid)
{
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(lchown(path, uid, uid), 0);
}

/* Checks path_trust() for the user US. `message` is the error, without the name of the home in front; NULL:
 * the path is trusted, and the descriptor is of the file or folder to which it leads. */
static void expect_trust(const char *path, enum path_group group, const char *message)
{
    struct err e = ERR_INIT;
    struct stat got, want;

    become(US);
    int fd = path_trust(path, group, &e);
    become(ROOT);
    if (message) {
        size_t n = text_starts(e.msg, home) ? strlen(home) : 0;
        assert_int_equal(fd, -1);
        assert_string_equal(e.msg + n, message);
        return;
    }
    if (fd < 0)
        fail_msg("%s: %s", path, e.msg);
    assert_int_equal(fstat(fd, &got), 0);
    assert_int_equal(stat(path, &want), 0);
    assert_true(got.st_dev == want.st_dev && got.st_ino == want.st_ino);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    (void)close(fd);
}

static void folders(void **state)
{
    static const struct {
        uid_t uid;
        gid_t gid;
        mode_t mode;
        const char *own, *none; /* the error with PATH_GROUP_OWN, with PATH_GROUP_NONE */
    } rows[] = {{US, US, 0700, NULL, NULL},
                {US, US, 0755, NULL, NULL},
                {US, US, 0775, NULL, "/d is writable by group"},
                {US, OTHER, 0775, "/d is writable by group", "/d is writable by group"},
                {US, ROOT, 0775, "/d is writable by group", "/d is writable by group"},
                {US, US, 0757, "/d is writable by others", "/d is writable by others"},
                {US, US, 0777, "/d is writable by others", "/d is writable by others"},
                {US, US, 01777, NULL, NULL},
                {US, OTHER, 01775, NULL, NULL},
                {ROOT, ROOT, 0755, NULL, NULL},
                {ROOT, ROOT, 0775, "/d is writable by group", "/d is writable by group"},
                {ROOT, US, 0775, "/d is writable by group", "/d is writable by group"},
                {ROOT, ROOT, 0777, "/d is writable by others", "/d is writable by others"},
                {ROOT, ROOT, 01777, NULL, NULL},
                {OTHER, US, 0755, "/d belongs to another user", "/d belongs to another user"},
                {OTHER, OTHER, 01777, "/d belongs to another user", "/d belongs to another user"}};

    (void)state;
    NEEDS_ROOT();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO_FREE(char *, inside);
        AUTO_FREE(char *, itself);
        inside = mem_printf("%s/d/f", home);
        itself = mem_printf("%s/d", home);
        folder("d", rows[i].uid, rows[i].gid, rows[i].mode);
        file("d/f", US, US, 0600);
        expect_trust(inside, PATH_GROUP_OWN, rows[i].own);
        expect_trust(inside, PATH_GROUP_NONE, rows[i].none);
        expect_trust(itself, PATH_GROUP_OWN, rows[i].own);
        expect_trust("d/f", PATH_GROUP_OWN, rows[i].own); /* relative */
        expect_trust(".//d///f", PATH_GROUP_OWN, rows[i].own);
        expect_trust("d/", PATH_GROUP_OWN, rows[i].own);
        expect_trust("d/../d/./f", PATH_GROUP_OWN, rows[i].own);
        assert_int_equal(unlink("d/f"), 0);
        assert_int_equal(rmdir("d"), 0);
    }
}

/* For a folder of the user's own, the hint is a command. */
static void hints(void **state)
{
    AUTO_FREE(char *, command);
    struct err e = ERR_INIT;

    (void)state;
    NEEDS_ROOT();
    folder("d", US, US, 0777);
    command = mem_printf("chmod go-w %s/d", home);
    become(US);
    assert_int_equal(path_trust("d/f", PATH_GROUP_OWN, &e), -1);
    assert_string_equal(e.hint, command);
    become(OTHER);
    assert_int_equal(path_trust("d/f", PATH_GROUP_OWN, &e), -1);
    assert_string_equal(e.hint, "use a folder that you own, below folders owned by you or root");
    become(ROOT);
}

static void links(void **state)
{
    static const struct {
        mode_t mode; /* of the link's folder, which is ours */
        uid_t uid;   /* of the link */
        const char *message;
    } rows[] = {{0755, US, NULL},    {0755, ROOT, NULL},
                {0755, OTHER, NULL}, {01777, US, NULL},
                {01777, ROOT, NULL}, {01777, OTHER, "the link %s/d/l belongs to another user"}};

    (void)state;
    NEEDS_ROOT();
    file("f", US, US, 0600);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int absolute = 0; absolute < 2; absolute++) {
            AUTO_FREE(char *, target);
            AUTO_FREE(char *, message);
            target = mem_printf("%s/f", absolute ? home : "..");
            message = rows[i].message ? mem_printf("the link %s/d/l belongs to another user", home) : NULL;
            folder("d", US, US, rows[i].mode);
            link_to(target, "d/l", rows[i].uid);
            expect_trust("d/l", PATH_GROUP_OWN, message);
            assert_int_equal(unlink("d/l"), 0);
            assert_int_equal(rmdir("d"), 0);
        }
    }
}

/* A path that is not trusted is not trusted through a link either. */
static void links_to_untrusted_folders(void **state)
{
    (void)state;
    NEEDS_ROOT();
    folder("d", OTHER, OTHER, 0755);
    folder("ours", US, US, 0755);
    file("d/f", US, US, 0600);
    link_to("d", "folder", US);
    link_to("d/f", "file", US);
    link_to("../d/../ours", "ours/round", US);
    expect_trust("folder/f", PATH_GROUP_OWN, "/d belongs to another user");
    expect_trust("file", PATH_GROUP_OWN, "/d belongs to another user");
    expect_trust("ours/round", PATH_GROUP_OWN, "/d belongs to another user");
}

static void chains(void **state)
{
    (void)state;
    NEEDS_ROOT();
    file("l0", US, US, 0600);
    for (int i = 1; i <= 41; i++) {
        AUTO_FREE(char *, from);
        AUTO_FREE(char *, to);
        from = mem_printf("l%d", i);
        to = mem_printf("l%d", i - 1);
        link_to(to, from, US);
    }
    link_to("loop", "loop", US);
    expect_trust("l40", PATH_GROUP_OWN, NULL);
    expect_trust("l41", PATH_GROUP_OWN, strerror(ELOOP));
    expect_trust("loop", PATH_GROUP_OWN, strerror(ELOOP));
}

static void odd_paths(void **state)
{
    char name[NAME_MAX + 2];
    AUTO_FREE(char *, descriptor);

    (void)state;
    NEEDS_ROOT();
    memset(name, 'n', sizeof name - 1);
    name[NAME_MAX + 1] = '\0';
    expect_trust(name, PATH_GROUP_OWN, strerror(ENAMETOOLONG));
    char longer[4000];
    memset(longer, 'n', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    expect_trust(longer, PATH_GROUP_OWN, strerror(ENAMETOOLONG));
    name[NAME_MAX] = '\0';
    file(name, US, US, 0600);
    expect_trust(name, PATH_GROUP_OWN, NULL);
    expect_trust("missing", PATH_GROUP_OWN, strerror(ENOENT));
    char target[PATH_MAX]; /* the longest that a link may have */
    for (size_t i = 0; i < sizeof target - 2; i += 2)
        memcpy(target + i, "./", 2);
    memcpy(target + sizeof target - 2, "f", 2);
    link_to(target, "long", US);
    expect_trust("missing/f", PATH_GROUP_OWN, strerror(ENOENT));
    file("f", US, US, 0600);
    expect_trust("f/g", PATH_GROUP_OWN, strerror(ENOTDIR));
    expect_trust("long", PATH_GROUP_OWN, NULL);
    expect_trust("/", PATH_GROUP_OWN, NULL);
    /* No other user can replace an open descriptor, so its path in /proc is trusted. */
    folder("d", OTHER, OTHER, 0755);
    file("d/f", US, US, 0600);
    int fd = open("d/f", O_RDONLY | O_CLOEXEC);
    descriptor = mem_printf("/proc/self/fd/%d", fd);
    become(US);
    struct err e = ERR_INIT;
    int got = path_trust("/dev/fd/0", PATH_GROUP_OWN, &e);
    (void)close(got);
    got = path_trust(descriptor, PATH_GROUP_OWN, &e);
    become(ROOT);
    assert_true(got >= 0);
    (void)close(got);
    (void)close(fd);
}

/* In a container root may not be mapped, and then looks like any other unmapped user: only the system's own
 * folders count as root's. */
static void root_that_is_not_mapped(void **state)
{
    (void)state;
    NEEDS_ROOT();
    folder("theirs", OTHER, OTHER, 0755);
    folder("ours", US, US, 0755);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e = ERR_INIT;
        FILE *map;
        if (setresgid(US, US, US) < 0 || setresuid(US, US, US) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ||
            unshare(CLONE_NEWUSER) < 0 || !(map = fopen("/proc/self/uid_map", "we")) ||
            fprintf(map, "%d %d 1\n", US, US) < 0 || fclose(map) < 0)
            _exit(77);
        _exit((path_trust("ours", PATH_GROUP_NONE, &e) >= 0 ? 0 : 1) |
              (path_trust("theirs", PATH_GROUP_NONE, &e) < 0 ? 0 : 2));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WEXITSTATUS(status) == 77)
        print_message("no user namespace here\n");
    else
        assert_int_equal(status, 0);
}

/* --- files --- */

static void expect_read(const char *path, enum file_guard guard, const char *message)
{
    AUTO_BUF(text, 100);
    AUTO_BUF(got, 4096);
    struct err e = ERR_INIT;

    become(US);
    int result = file_read(path, guard, &text, &e);
    become(ROOT);
    if (result == 0)
        buf_add(&got, buf_str(&text), text.len);
    else
        buf_printf(&got, "%s; %s", e.msg, e.hint);
    assert_string_equal(buf_str(&got), message);
}

static void owners(void **state)
{
    (void)state;
    NEEDS_ROOT();
    file("ours", US, US, 0600);
    file("roots", ROOT, ROOT, 0644);
    file("one's", 1, 1, 0644);
    file("theirs", OTHER, OTHER, 0644);
    for (enum file_guard guard = FILE_ANY; guard <= FILE_PRIVATE; guard++) {
        const bool any = guard == FILE_ANY;
        expect_read("ours", guard, "text");
        expect_read("one's", guard, any ? "text" : "owned by another user; chown 4711 'one'\\''s'");
        expect_read("theirs", guard, any ? "text" : "owned by another user; chown 4711 theirs");
        expect_read("roots", guard, guard == FILE_PRIVATE ? "readable by group; chmod 600 roots" : "text");
    }
}

/* The folder is checked with each guard except FILE_ANY. */
static void files_in_folders_of_others(void **state)
{
    AUTO_FREE(char *, message);

    (void)state;
    NEEDS_ROOT();
    folder("d", OTHER, OTHER, 0755);
    file("d/f", US, US, 0600);
    message = mem_printf(
        "%s/d belongs to another user; use a folder that you own, below folders owned by you or root", home);
    expect_read("d/f", FILE_ANY, "text");
    expect_read("d/f", FILE_TRUSTED, message);
    expect_read("d/f", FILE_PRIVATE, message);
}

static void unreadable(void **state)
{
    AUTO_FREE(char *, denied);
    AUTO_FREE(char *, hint);

    (void)state;
    NEEDS_ROOT();
    file("ours", US, US, 0200);
    file("roots", ROOT, ROOT, 0600);
    folder("d", ROOT, ROOT, 0700);
    file("d/f", US, US, 0600);
    link_to("loop", "loop", US);
    denied = mem_printf("%s; ", strerror(EACCES));
    hint = mem_printf("%s; chmod u+r ours", strerror(EACCES));
    expect_read("ours", FILE_ANY, hint);
    expect_read("roots", FILE_ANY, denied);
    expect_read("d/f", FILE_ANY, denied);
    AUTO_BUF(text, 100);
    struct err e = ERR_INIT;
    /* The first page of this file cannot be read. */
    assert_int_equal(file_read("/proc/self/mem", FILE_ANY, &text, &e), -1);
    assert_string_equal(e.msg, strerror(EIO));
}

/* Descriptor 0 is handled like any other. */
static void without_stdin(void **state)
{
    struct err e = ERR_INIT;
    int kept = dup(STDIN_FILENO);

    (void)state;
    NEEDS_ROOT();
    AUTO_FREE(char *, descriptor);
    AUTO_FREE(char *, other);
    AUTO_FREE(char *, draft);
    file("f", US, US, 0600);
    file("deleted", US, US, 0600);
    file("theirs", OTHER, OTHER, 0666);
    int fd = open("deleted", O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlink("deleted"), 0);
    descriptor = mem_printf("/proc/self/fd/%d", fd);
    other = mem_printf("/proc/./self/fd/%d", fd);
    if (kept >= 0)
        (void)close(STDIN_FILENO);
    errno = ENOENT;
    AUTO_BUF(text, 100);
    become(US);
    int read = file_read("f", FILE_PRIVATE, &text, &e);
    int written = file_write("w", "x", 1, 0600, &e) < 0 ? -1 : file_draft("w", "x", 1, &draft, &e);
    errno = ELOOP;
    int log = file_open_log("log", &e);
    (void)close(log);
    struct err refused = ERR_INIT;
    (void)file_open_log("theirs", &refused);
    int made = file_folder("new/f", &e) < 0 ? -1 : file_folder("new/more/f", &e);
    struct stat of_odd, of_even; /* with one more folder, another descriptor is the last */
    int trusted = path_trust("f", PATH_GROUP_OWN, &e);
    bool is_file = fstat(trusted, &of_odd) == 0 && S_ISREG(of_odd.st_mode);
    (void)close(trusted);
    trusted = path_trust("./f", PATH_GROUP_OWN, &e);
    is_file = is_file && fstat(trusted, &of_even) == 0 && S_ISREG(of_even.st_mode);
    (void)close(trusted);
    become(ROOT);
    int one = path_trust(descriptor, PATH_GROUP_OWN, &e);
    (void)close(one);
    int two = path_trust(other, PATH_GROUP_OWN, &e); /* with one more folder */
    (void)close(two);
    (void)close(fd);
    if (kept >= 0) {
        (void)dup2(kept, STDIN_FILENO);
        (void)close(kept);
    }
    assert_int_equal(read, 0);
    assert_int_equal(made, 0);
    assert_int_equal(written, 0);
    assert_true(log >= 0);
    assert_string_equal(refused.msg, "owned by another user");
    assert_true(is_file);
    assert_true(one >= 0);
    assert_true(two >= 0);
}

/* A write that fails halfway leaves the old file unchanged, and no temporary file. */
static void a_write_that_fails_halfway(void **state)
{
    struct rlimit was, little;
    struct err e = ERR_INIT;
    AUTO_BUF(text, 100);

    (void)state;
    NEEDS_ROOT();
    file("f", ROOT, ROOT, 0600);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    little = (struct rlimit){.rlim_cur = 2, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    int kept = close_fd(STDIN_FILENO);
    int result = file_write("f", "longer", 6, 0600, &e);
    restore_fd(STDIN_FILENO, kept);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    (void)signal(SIGXFSZ, before);
    assert_int_equal(result, -1);
    assert_string_equal(e.msg, strerror(EFBIG));
    assert_int_equal(file_read("f", FILE_ANY, &text, &e), 0);
    assert_string_equal(buf_str(&text), "text");
    assert_int_equal(unlink("f"), 0);
    assert_int_equal(rmdir(home), 0); /* nothing else is in it */
}

static void drafts_and_folders(void **state)
{
    struct err e = ERR_INIT;
    AUTO_FREE(char *, draft);
    AUTO_FREE(char *, below);
    AUTO_BUF(text, 100);

    (void)state;
    NEEDS_ROOT();
    assert_int_equal(file_draft("f", "draft", 5, &draft, &e), 0);
    assert_non_null(strstr(draft, "f.edit."));
    assert_int_equal(file_read(draft, FILE_ANY, &text, &e), 0);
    assert_string_equal(buf_str(&text), "draft");
    below = mem_printf("%s/x/y", draft);
    assert_int_equal(file_write(below, "x", 1, 0600, &e), -1);
    assert_true(text_starts(e.msg, "cannot create the folder: "));
    assert_int_equal(file_folder(below, &e), -1);
    assert_int_equal(file_folder("none", &e), 0);
    assert_int_equal(access("n", F_OK), -1);
    assert_int_equal(file_mkdirs("a/b", &e), 0);
    assert_int_equal(rmdir("a/b"), 0);
}

static void a_draft_that_fails_halfway(void **state)
{
    struct rlimit was, little;
    struct err e = ERR_INIT;
    AUTO_FREE(char *, draft);

    (void)state;
    NEEDS_ROOT();
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    little = (struct rlimit){.rlim_cur = 2, .rlim_max = was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    int kept = close_fd(STDIN_FILENO);
    int result = file_draft("f", "longer", 6, &draft, &e);
    restore_fd(STDIN_FILENO, kept);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    (void)signal(SIGXFSZ, before);
    assert_int_equal(result, -1);
    assert_null(draft);
    assert_int_equal(rmdir(home), 0); /* nothing is in it */
}

/* Another user could read a log in a file of their own, and a link could lead anywhere. */
static void logs(void **state)
{
    static const struct {
        const char *path, *msg, *hint; /* msg NULL: the file is opened */
    } rows[] = {
        {"new", NULL, NULL},
        {"ours", NULL, NULL},
        {"roots", NULL, NULL},
        {"theirs", "owned by another user", "name a file that you may write, in a folder that exists"},
        {"one's", "owned by another user", "name a file that you may write, in a folder that exists"},
        {"link", "is a symbolic link, which is not followed", "give the path of the file itself"},
        {"none/f", "No such file or directory", "name a file that you may write, in a folder that exists"}};

    (void)state;
    NEEDS_ROOT();
    file("ours", US, US, 0600);
    file("roots", ROOT, ROOT, 0666);
    file("theirs", OTHER, OTHER, 0666);
    file("one's", 1, 1, 0666);
    link_to("ours", "link", US);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = ERR_INIT;
        become(US);
        int fd = file_open_log(rows[i].path, &e);
        become(ROOT);
        assert_int_equal(fd >= 0, !rows[i].msg);
        assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
        assert_string_equal(e.hint, rows[i].hint ? rows[i].hint : "");
        if (fd < 0)
            continue;
        assert_int_equal(fd_write_all(fd, "+", 1), 0); /* after the old content */
        assert_int_equal(lseek(fd, 0, SEEK_CUR), i == 0 ? 1 : 5);
        struct stat st;
        assert_int_equal(fstat(fd, &st), 0);
        assert_true(i > 0 || (st.st_mode & 07777) == 0600);
        (void)close(fd);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, new_home, remove_home)
    const struct CMUnitTest tests[] = {
        TEST(folders),
        TEST(hints),
        TEST(links),
        TEST(links_to_untrusted_folders),
        TEST(chains),
        TEST(odd_paths),
        TEST(root_that_is_not_mapped),
        TEST(owners),
        TEST(files_in_folders_of_others),
        TEST(unreadable),
        TEST(without_stdin),
        TEST(a_write_that_fails_halfway),
        TEST(a_draft_that_fails_halfway),
        TEST(drafts_and_folders),
        TEST(logs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
