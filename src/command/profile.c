/* SPDX-License-Identifier: MIT */
/* broker profile: its subcommands, each in a file of its own. */
#include "profile.h"

#include <base/mem.h>
#include <base/text.h>

static const struct {
    const char *name;
    size_t most_words; /* the most arguments, including the subcommand's name */
    int (*run)(struct invocation *inv, struct err *e);
} subcommands[] = {
    {"list", 1, profile_list},        {"show", 2, profile_show},     {"add", 3, profile_add},
    {"set", WORDS_MOST, profile_set}, {"edit", 1, profile_edit},     {"remove", 2, profile_remove},
    {"rename", 3, profile_rename},    {"import", 2, profile_import}, {"export", WORDS_MOST, profile_export},
    {"check", 1, profile_check},
};

/* Refuses options that belong to another subcommand only. */
static int refuse_option(const struct invocation *inv, int (*run)(struct invocation *inv, struct err *e),
                         struct err *e)
{
    if (inv->given[OPT_test] && run != profile_add)
        (void)err_set(e, ERR_USAGE, "--test is for add");
    else if (inv->given[OPT_dry_run] && run != profile_import && run != profile_add)
        (void)err_set(e, ERR_USAGE, "--dry-run is for import");
    else
        return 0;
    return err_hint(e, "broker help profile");
}

/* Returns the operation that other programs call by this name, or a similar one; NULL if there is none. */
static const char *operation_meant(const char *typed, const char *const *names)
{
    static const char *const others[][2] = {{"ls", "list"},       {"new", "add"},    {"create", "add"},
                                            {"delete", "remove"}, {"del", "remove"}, {"rm", "remove"},
                                            {"mv", "rename"},     {"update", "set"}, {"get", "show"}};

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (text_equal(others[i][0], typed))
            return others[i][1];
    return text_closest(typed, names);
}

static int profile_run(struct invocation *inv, struct err *e)
{
    const char *names[ARRAY_LEN(subcommands) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(subcommands); i++) {
        names[i] = subcommands[i].name;
        if (!text_equal(subcommands[i].name, inv->word[0]))
            continue;
        if (refuse_option(inv, subcommands[i].run, e) < 0)
            return -1;
        if (inv->word_count <= subcommands[i].most_words)
            return subcommands[i].run(inv, e);
        (void)err_set(e, ERR_USAGE, "unexpected argument");
        return err_hint(e, "broker help profile");
    }
    const char *meant = inv->word[0] ? operation_meant(inv->word[0], names) : NULL;
    if (!inv->word[0])
        (void)err_set(e, ERR_USAGE, "no operation given");
    else
        (void)err_set(e, ERR_USAGE, "no such operation '%s'", inv->word[0]);
    return meant ? err_hint(e, "did you mean '%s'?", meant) : err_hint(e, "broker help profile");
}

const struct verb verb_profile = {
    .name = "profile",
    .usage =
        "list|show|add|set|edit|remove|rename|import|export|check [NAME|FILE] [URL|KEY=VALUE...] [OPTION]...",
    .summary = "list, show, add, set, edit, remove, rename, import, export, check",
    .about = "List, show, check and change the profiles in the config file. A change keeps the comments and "
             "the order of the file.",
    .group = GROUP_CONFIGURE,
    .examples = {"broker profile add shop", "broker profile add shop mysql://app@db.example.com/shop",
                 "broker profile add shop --test --host db.example.com --user app",
                 "broker profile show shop --all", "broker profile set shop database=shop2 via=",
                 "broker profile edit", "broker profile import ~/.my.cnf", "broker profile check"},
    .sets = SET_PROFILE | SET_JSON | SET_SHOW | SET_DRY | SET_ADD,
    .most_words = WORDS_MOST,
    .request_word = 1,
    .words = "list show add set edit remove rename import export check",
    .words2 = "profile",
    .words2_after = "show set remove rename export",
    .keys_after = "set",
    .run = profile_run,
};
