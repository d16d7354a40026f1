/* SPDX-License-Identifier: MIT */
/* Checks, before a run connects, that the files named by keys can be read. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <base/file.h>
#include <base/mem.h>
#include <model/config_file.h>

int key_check_file(const struct key_info *info, const char *path, struct err *e)
{
    AUTO_FREE(char *, name);
    struct stat st;

    if (info->type != KEY_PATH || !info->limits)
        return 0;
    int failed = stat(path, &st) < 0 || access(path, R_OK) < 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
    if (!failed)
        return 0;
    name = path_short(path);
    (void)err_set(e, ERR_CONFIG, "%s %s: %s", info->name, name, strerror(failed));
    return err_hint(e, "set %s to %s that you can read", info->name, info->limits);
}

static int check_setting(const struct key_info *info, const struct setting *s, struct err *e)
{
    if (!s->value || s->origin < ORIGIN_DEFAULTS || key_check_file(info, s->value, e) == 0)
        return 0;
    return setting_what(s, e);
}

int config_check_files(const struct profile *p, bool tls, struct err *e)
{
    for (size_t i = 0; tls && i < KEY_COUNT; i++) {
        if (check_setting(&key_infos[i], &p->set[i], e) < 0)
            return -1;
    }
    for (size_t i = 0; i < TUNNEL_COUNT; i++) {
        if (check_setting(&tunnel_key_infos[i], &p->tunnel[i], e) < 0)
            return -1;
    }
    return 0;
}
