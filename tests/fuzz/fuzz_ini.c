/*
 * Fuzzes the INI lexer with both policies. Beside memory errors it looks for broken promises: events in
 * order, strings inside the text, and clean text from the strict policy.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/mem.h>
#include <model/ini.h>

struct seen {
    const char *text;
    size_t n, end;
    unsigned line;
    enum ini_policy policy;
};

static void check_string(const struct seen *s, const char *string)
{
    size_t len = strlen(string);

    if (string < s->text || string + len > s->text + s->n)
        abort();
    for (size_t i = 0; s->policy == INI_BROKER && i < len; i++)
        if ((unsigned char)string[i] < 0x20 && string[i] != '\t')
            abort();
}

static int check_event(void *context, const struct ini_event *event, struct err *e)
{
    struct seen *s = context;

    (void)e;
    if (event->line <= s->line || event->start < s->end || event->end <= event->start || event->end > s->n)
        abort();
    s->line = event->line;
    s->end = event->end;
    check_string(s, event->section);
    if (!event->key)
        return 0;
    check_string(s, event->key);
    check_string(s, event->value);
    return *event->key ? 0 : (abort(), -1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (enum ini_policy policy = INI_BROKER; policy <= INI_AWS; policy++) {
        AUTO_FREE(char *, text);
        struct err e = ERR_INIT;
        text = mem_alloc(size + 1, 1);
        if (size)
            memcpy(text, data, size);
        struct seen seen = {.text = text, .n = size, .policy = policy};
        if (ini_parse("f", text, size, policy, check_event, &seen, &e) < 0 &&
            (!e.what[0] || !e.msg[0] || !e.hint[0]))
            abort();
    }
    return 0;
}
