/* SPDX-License-Identifier: MIT */
/* Builds the changed environment for a program that we run or exec. Our own environment is never modified. */
#include <base/proc.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <base/mem.h>

static struct env_change *env_slot(struct env_changes *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++) {
        if (text_equal(c->item[i].name, name)) {
            mem_wipe_free(c->item[i].value);
            c->item[i].value = NULL;
            return &c->item[i];
        }
    }
    c->item = mem_grow(c->item, c->count + 1, sizeof *c->item);
    c->item[c->count] = (struct env_change){.name = mem_strdup(name)};
    return &c->item[c->count++];
}

void env_set(struct env_changes *c, const char *name, const char *value)
{
    env_slot(c, name)->value = mem_strdup(value);
}

void env_set_secret(struct env_changes *c, const char *name, const struct secret *value)
{
    struct env_change *slot = env_slot(c, name);

    slot->value = mem_strdup(secret_bytes(value));
    slot->secret = true;
}

void env_unset(struct env_changes *c, const char *name)
{
    (void)env_slot(c, name);
}

void env_release(struct env_changes *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free(c->item[i].name);
        mem_wipe_free(c->item[i].value);
    }
    free(c->item);
    *c = (struct env_changes){0};
}

static bool is_changed(const struct env_changes *c, const char *entry)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t n = strlen(c->item[i].name);
        if (strncmp(entry, c->item[i].name, n) == 0 && entry[n] == '=')
            return true;
    }
    return false;
}

char **env_build(const struct env_changes *c)
{
    size_t n = 0, have = 0;

    while (environ && environ[have])
        have++;
    char **env = mem_alloc(have + (c ? c->count : 0) + 1, sizeof *env);
    for (size_t i = 0; i < have; i++) {
        if (!c || !is_changed(c, environ[i]))
            env[n++] = mem_strdup(environ[i]);
    }
    for (size_t i = 0; c && i < c->count; i++) {
        if (c->item[i].value)
            env[n++] = mem_printf("%s=%s", c->item[i].name, c->item[i].value);
    }
    return env;
}

void env_free(char **env)
{
    for (size_t i = 0; env && env[i]; i++)
        mem_wipe_free(env[i]);
    free(env);
}
