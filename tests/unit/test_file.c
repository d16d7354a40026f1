/* SPDX-License-Identifier: MIT */
/*
 * Files: bounded reads and permission checks with their messages, atomic writes that keep symlinks and modes,
 * locks, and the folders that the environment names.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

static char home[64];

/* Makes a new home folder for each test, which is also the current folder. */
static int new_home(void **state)
{
    (void)state;
    (void)snprintf(home, sizeof home, "/tmp/broker-file-XXXXXX");
    (void)umask(022);
    return mkdtemp(home) && chdir(home) == 0 && setenv("HOME", home, 1) == 0 ? 0 : -1;
}

static void remove_all(const char *path)
{
    DIR *dir = opendir(path);

    for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
        AUTO_FREE(char *, name);
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        name = mem_printf("%s/%s", path, d->d_name);
        if (unlink(name) < 0)
            remove_all(name);
    }
    if (dir)
        (void)closedir(dir);
    (void)rmdir(path);
}

static int drop_home(void **state)
{
    (void)state;
    remove_all(home);
    return chdir("/");
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 && fchmod(fd, mode) == 0);
    (void)close(fd);
}

/* Reads a file. The result is its content, "none" or "CODE WHAT: MSG; HINT". */
static void read_text(const char *name, enum file_guard guard, size_t max, struct buf *out)
{
    AUTO_BUF(text, max);
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;

    path = mem_printf("%s/%s", home, name);
    int got = file_read(path, guard, &text, &e);
    buf_clear(out);
    if (got == 0)
        buf_add(out, buf_str(&text), text.len);
    else if (got == 1)
        buf_puts(out, "none");
    else
        buf_printf(out, "%d %s: %s; %s", (int)e.code, e.what, e.msg, e.hint);
}

static void guards(void **state)
{
    static const struct {
        mode_t mode;
        enum file_guard guard;
        const char *result;
    } cases[] = {
        {0600, FILE_PRIVATE, "text"},
        {0400, FILE_PRIVATE, "text"},
        {0644, FILE_TRUSTED, "text"},
        {0755, FILE_TRUSTED, "text"},
        {0666, FILE_ANY, "text"},
        {0620, FILE_TRUSTED, "78 ~/f: writable by group; chmod go-w ~/f"},
        {0602, FILE_TRUSTED, "78 ~/f: writable by others; chmod go-w ~/f"},
        {0666, FILE_TRUSTED, "78 ~/f: writable by group; chmod go-w ~/f"},
        {0640, FILE_PRIVATE, "78 ~/f: readable by group; chmod 600 ~/f"},
        {0604, FILE_PRIVATE, "78 ~/f: readable by others; chmod 600 ~/f"},
        {0660, FILE_PRIVATE, "78 ~/f: writable by group; chmod 600 ~/f"},
        {0705, FILE_PRIVATE, "78 ~/f: readable by others; chmod 600 ~/f"},
        {0603, FILE_TRUSTED, "78 ~/f: writable by others; chmod go-w ~/f"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_BUF(result, 1024);
        put("f", "text", cases[i].mode);
        read_text("f", cases[i].guard, 100, &result);
        assert_string_equal(buf_str(&result), cases[i].result);
    }
    if (geteuid() == 0) {
        AUTO_BUF(result, 1024);
        AUTO_BUF(foreign, 1024);
        put("f", "text", 0600);
        assert_int_equal(chown("f", 4711, 0), 0);
        read_text("f", FILE_TRUSTED, 100, &result);
        assert_string_equal(buf_str(&result), "78 ~/f: owned by another user; chown 0 ~/f");
        read_text("f", FILE_ANY, 100, &foreign);
        assert_string_equal(buf_str(&foreign), "text");
    }
}

static void bounded_reads(void **state)
{
    AUTO_BUF(result, 1024);

    (void)state;
    put("f", "0123456789", 0600);
    read_text("f", FILE_ANY, 10, &result);
    assert_string_equal(buf_str(&result), "0123456789");
    read_text("f", FILE_ANY, 9, &result);
    assert_string_equal(buf_str(&result), "78 ~/f: over 9 bytes; ");
    put("f", "", 0600);
    read_text("f", FILE_ANY, 9, &result);
    assert_string_equal(buf_str(&result), "");
    read_text("g", FILE_ANY, 9, &result);
    assert_string_equal(buf_str(&result), "none");
    read_text("f/g", FILE_ANY, 9, &result);
    assert_string_equal(buf_str(&result), "none");
    assert_int_equal(mkdir("d", 0700), 0);
    read_text("d", FILE_ANY, 9, &result);
    assert_string_equal(buf_str(&result), "74 ~/d: is a folder; ");
    assert_int_equal(mkfifo("p", 0600), 0);
    read_text("p", FILE_ANY, 9, &result); /* does not wait for a writer */
    assert_string_equal(buf_str(&result), "74 ~/p: not a regular file; ");
    assert_int_equal(symlink("loop", "loop"), 0);
    read_text("loop", FILE_ANY, 9, &result);
    assert_string_equal(buf_str(&result), "74 ~/loop: Too many levels of symbolic links; ");
    /* A file whose size is 0 although it has content. */
    struct err e = ERR_INIT;
    AUTO_BUF(status, 65536);
    assert_int_equal(file_read("/proc/self/status", FILE_ANY, &status, &e), 0);
    assert_non_null(strstr(buf_str(&status), "Pid:"));
}

static mode_t mode_of(const char *name)
{
    struct stat st;

    assert_int_equal(lstat(name, &st), 0);
    return st.st_mode;
}

static size_t count_files(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);

    while (dir && readdir(dir))
        n++;
    (void)closedir(dir);
    return n - 2;
}

static int write_text(const char *name, const char *text, mode_t mode, struct err *e)
{
    AUTO_FREE(char *, path);

    path = mem_printf("%s/%s", home, name);
    return file_write(path, text, strlen(text), mode, e);
}

static void writing(void **state)
{
    AUTO_BUF(result, 1024);
    struct err e = ERR_INIT;
    struct stat before, after;

    (void)state;
    assert_int_equal(write_text("a/b/new", "one", 0600, &e), 0);
    assert_int_equal(mode_of("a/b/new"), S_IFREG | 0600);
    assert_int_equal(mode_of("a") & 0777, 0700);
    assert_int_equal(mode_of("a/b") & 0777, 0700);
    assert_int_equal(stat("a/b/new", &before), 0);
    assert_int_equal(write_text("a/b/new", "two", 0600, &e), 0);
    assert_int_equal(stat("a/b/new", &after), 0);
    assert_true(before.st_ino != after.st_ino); /* a process that reads the old file is not disturbed */
    read_text("a/b/new", FILE_PRIVATE, 100, &result);
    assert_string_equal(buf_str(&result), "two");
    assert_int_equal(count_files("a/b"), 1);
    /* An existing file keeps its mode. */
    assert_int_equal(chmod("a/b/new", 0640), 0);
    assert_int_equal(write_text("a/b/new", "three", 0600, &e), 0);
    assert_int_equal(mode_of("a/b/new"), S_IFREG | 0640);
}

/* Config files are often symlinks into a folder under version control. */
static void symlinks_are_kept(void **state)
{
    AUTO_BUF(result, 1024);
    char target[64];
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(mkdir("repo", 0755), 0);
    put("repo/config", "old", 0600);
    assert_int_equal(symlink("repo/config", "link"), 0);
    assert_int_equal(symlink("link", "second"), 0);
    assert_int_equal(write_text("second", "new", 0600, &e), 0);
    assert_true(S_ISLNK(mode_of("second")) && S_ISLNK(mode_of("link")) && S_ISREG(mode_of("repo/config")));
    ssize_t n = readlink("link", target, sizeof target - 1);
    assert_int_equal(n, sizeof "repo/config" - 1);
    read_text("repo/config", FILE_ANY, 100, &result);
    assert_string_equal(buf_str(&result), "new");
    assert_int_equal(count_files("repo"), 1);
    assert_int_equal(count_files("."), 3);
    /* A symlink to a file that does not exist yet. */
    assert_int_equal(unlink("repo/config"), 0);
    assert_int_equal(write_text("second", "newer", 0600, &e), 0);
    assert_true(S_ISLNK(mode_of("second")) && S_ISLNK(mode_of("link")) && S_ISREG(mode_of("repo/config")));
}

/* If a write fails, the old content stays and no temporary file is left. */
static void failed_writes(void **state)
{
    AUTO_BUF(result, 1024);
    struct err e = ERR_INIT;

    (void)state;
    put("file", "text", 0600);
    assert_int_equal(write_text("file/below", "x", 0600, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(write_text("folder", "x", 0600, &e), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.what, "~/folder");
    assert_string_equal(e.msg, "Is a directory");
    assert_int_equal(count_files("."), 2);
    assert_int_equal(count_files("folder"), 0);
    read_text("file", FILE_ANY, 100, &result);
    assert_string_equal(buf_str(&result), "text");
}

/* --- locks --- */

static void lock_files(void **state)
{
    AUTO_LOCK(first);
    AUTO_LOCK(second);
    AUTO_LOCK(other);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(setenv("XDG_RUNTIME_DIR", home, 1), 0);
    assert_int_equal(file_lock("a", clock_deadline(10000, CLOCK_NEVER), &first, &e), 0);
    assert_int_equal(file_lock("b", clock_deadline(10000, CLOCK_NEVER), &other, &e), 0);
    assert_int_equal(file_lock("a", clock_ms(), &second, &e), -1);
    assert_int_equal(e.code, ERR_TRY_LATER);
    assert_non_null(strstr(e.msg, "/broker/a.lock"));
    file_unlock(&first);
    assert_int_equal(access("broker/a.lock", F_OK), -1);
    assert_int_equal(file_lock("a", clock_ms(), &second, &e), 0);
    assert_int_equal(mode_of("broker") & 0777, 0700);
    assert_int_equal(mode_of("broker/a.lock") & 0777, 0600);
    /* A symlink is not followed, because another user may have made it. */
    AUTO_LOCK(linked);
    assert_int_equal(symlink("/etc/passwd", "broker/c.lock"), 0);
    assert_int_equal(file_lock("c", clock_ms(), &linked, &e), -1);
    assert_int_equal(e.code, ERR_IO);
}

/* The second process waits for the first, here a child that holds the lock for 100 ms. */
static void waits_for_lock(void **state)
{
    AUTO_LOCK(lock);
    struct err e = ERR_INIT;
    int ready[2];
    char byte;

    (void)state;
    assert_int_equal(setenv("XDG_RUNTIME_DIR", home, 1), 0);
    assert_int_equal(fd_pipe(ready, &e), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct file_lock held;
        if (file_lock("a", clock_deadline(10000, CLOCK_NEVER), &held, &e) < 0)
            _exit(1);
        (void)!write(ready[1], "x", 1);
        (void)usleep(100000);
        file_unlock(&held);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(file_lock("a", clock_deadline(20000, CLOCK_NEVER), &lock, &e), 0);
    assert_int_equal(access("broker/a.lock", F_OK), 0); /* ours, not the one that the child has removed */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Adds one to the number in `fd`, `times` times, each time under the lock. */
static void count_up(int fd, int times)
{
    struct err e = ERR_INIT;
    unsigned n = 0;

    for (int i = 0; i < times; i++) {
        AUTO_LOCK(lock);
        if (file_lock("a", clock_deadline(60000, CLOCK_NEVER), &lock, &e) < 0 ||
            pread(fd, &n, sizeof n, 0) < 0)
            _exit(1);
        n++;
        if (pwrite(fd, &n, sizeof n, 0) < 0)
            _exit(1);
    }
    _exit(0);
}

/* Only one process has the lock, although each removes the file that the others wait for. */
static void lock_is_exclusive(void **state)
{
    unsigned n = 0;
    int status;
    AUTO_FD(fd);

    (void)state;
    assert_int_equal(setenv("XDG_RUNTIME_DIR", home, 1), 0);
    fd = open("n", O_RDWR | O_CREAT, 0600);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0)
            count_up(fd, 300);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(pread(fd, &n, sizeof n, 0), sizeof n);
    assert_int_equal(n, 1200);
}

/* --- folders of the environment --- */

static void xdg_folders(void **state)
{
    AUTO_FREE(char *, set);
    AUTO_FREE(char *, relative);
    AUTO_FREE(char *, unset);
    AUTO_FREE(char *, expected);

    (void)state;
    assert_int_equal(setenv("XDG_CONFIG_HOME", "/somewhere", 1), 0);
    set = path_xdg("XDG_CONFIG_HOME", ".config");
    assert_string_equal(set, "/somewhere");
    assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
    relative = path_xdg("XDG_CONFIG_HOME", ".config");
    expected = mem_printf("%s/.config", home);
    assert_string_equal(relative, expected);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    unset = path_xdg("XDG_CONFIG_HOME", ".config");
    assert_string_equal(unset, expected);
}

static void shown_paths(void **state)
{
    static const char *const cases[][2] = {{"~/x", "~/x"}, {"/etc/x", "/etc/x"}, {"~x", "~x"},
                                           {"~", "~"},     {"x/~/y", "x/~/y"},   {"", ""}};
    AUTO_FREE(char *, beside);
    AUTO_FREE(char *, same);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO_FREE(char *, full);
        AUTO_FREE(char *, again);
        full = path_expand(cases[i][0]);
        assert_true(!text_starts(cases[i][0], "~/") || text_starts(full, home));
        again = path_short(full);
        assert_string_equal(again, cases[i][1]);
    }
    beside = mem_printf("%sx/y", home); /* another folder whose name begins like the home's */
    same = path_short(beside);
    assert_string_equal(same, beside);
}

static void runtime_folder(void **state)
{
    AUTO_FREE(char *, made);
    AUTO_FREE(char *, fallback);
    AUTO_FREE(char *, expected);
    AUTO_FREE(char *, none);
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(setenv("XDG_RUNTIME_DIR", home, 1), 0);
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    assert_int_equal(path_runtime(&made, &e), 0);
    assert_int_equal(mode_of("broker") & 07777, 0700);
    assert_int_equal(chmod("broker", 0750), 0);
    assert_int_equal(path_runtime(&none, &e), -1);
    assert_int_equal(e.code, ERR_CONFIG);
    assert_string_equal(e.msg, "other users have access");
    assert_int_equal(rmdir("broker"), 0);
    assert_int_equal(symlink("/tmp", "broker"), 0);
    assert_int_equal(path_runtime(&none, &e), -1);
    assert_string_equal(e.msg, "not a folder that you own");
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_int_equal(setenv("TMPDIR", home, 1), 0);
    assert_int_equal(path_runtime(&fallback, &e), 0);
    expected = mem_printf("%s/broker-%u", home, (unsigned)geteuid());
    assert_string_equal(fallback, expected);
    assert_null(none);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, new_home, drop_home)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(guards),        TEST(bounded_reads), TEST(writing),        TEST(symlinks_are_kept),
        TEST(failed_writes), TEST(lock_files),    TEST(waits_for_lock), TEST(lock_is_exclusive),
        TEST(xdg_folders),   TEST(shown_paths),   TEST(runtime_folder),
    };

    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
