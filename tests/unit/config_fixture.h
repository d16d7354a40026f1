/* SPDX-License-Identifier: MIT */
/*
 * For the tests of the config files: a new home folder for each test, and functions that read and write files
 * in it. HOME is that folder and the config file is ~/.config/broker/config, so messages are the same on
 * every machine.
 */
#ifndef TESTS_CONFIG_FIXTURE_H
#define TESTS_CONFIG_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <base/buf.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>
#include <model/config.h>

static char home[64];
#define MAIN_FILE ".config/broker/config"

static inline char *at_home(const char *name)
{
    return mem_printf("%s/%s", home, name);
}

static inline void write_bytes(const char *name, const void *bytes, size_t n)
{
    AUTO_FREE(char *, path);
    struct err e = ERR_INIT;

    path = at_home(name);
    if (file_write(path, bytes, n, 0600, &e) < 0)
        fail_msg("%s: %s", path, e.msg);
}

static inline void write_text(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static inline void set_mode(const char *name, mode_t mode)
{
    AUTO_FREE(char *, path);

    path = at_home(name);
    assert_int_equal(chmod(path, mode), 0);
}

static inline char *read_text(const char *name)
{
    AUTO_FREE(char *, path);
    AUTO_BUF(text, 4 * 1024 * 1024);
    struct err e = ERR_INIT;

    path = at_home(name);
    assert_int_equal(file_read(path, FILE_ANY, &text, &e), 0);
    return buf_take(&text);
}

static inline void unset_all(void)
{
    extern char **environ;

    for (size_t i = 0; environ[i];) {
        AUTO_FREE(char *, name);
        name = mem_strndup(environ[i], strcspn(environ[i], "="));
        if (text_starts(name, "BROKER_") || text_starts(name, "XDG_"))
            (void)unsetenv(name);
        else
            i++;
    }
}

static inline int new_home(void **state)
{
    (void)state;
    unset_all();
    (void)snprintf(home, sizeof home, "/tmp/broker-config-XXXXXX");
    if (!mkdtemp(home))
        return -1;
    return setenv("HOME", home, 1);
}

static inline int drop_home(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl("/bin/rm", "rm", "-rf", home, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

#endif
