/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the INI lexer with both policies. Apart from memory errors, it checks that events come in order,
 * that their strings lie inside the text, that the strict policy gives no control characters, and that a
 * file that is parsed by sections reads the same as one that is parsed as a whole.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <base/buf.h>
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
    /* A fault is reported at once, before the property that contains it is complete. */
    if (event->fault)
        return event->section && event->fault->why && event->end <= s->n ? 0 : (abort(), -1);
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

static int write_event(void *context, const struct ini_event *event, struct err *e)
{
    (void)e;
    if (event->key)
        buf_printf(context, "%u|%s|%s|%s\n", event->line, event->section, event->key, event->value);
    return 0;
}

struct sections {
    const char *text; /* a copy that the parser has not changed */
    char *name;       /* of the current section */
    size_t start;
    struct buf *out;
};

/* Parses the body of the section that ends here. */
static int close_section(struct sections *s, size_t end, struct err *e)
{
    AUTO_FREE(char *, body);

    if (!s->name)
        return 0;
    body = mem_alloc(end - s->start + 1, 1);
    memcpy(body, s->text + s->start, end - s->start);
    return ini_parse_body("f", s->name, ini_line(s->text, s->start), body, end - s->start, write_event,
                          s->out, e);
}

static int open_section(void *context, const struct ini_event *header, struct err *e)
{
    struct sections *s = context;

    if (close_section(s, header->start, e) < 0)
        return -1;
    free(s->name);
    s->name = mem_strdup(header->section);
    s->start = header->end;
    return 0;
}

static void compare_whole_and_sections(const uint8_t *data, size_t size)
{
    AUTO_FREE(char *, text);
    AUTO_FREE(char *, copy);
    AUTO_BUF(whole, 1 << 24);
    AUTO_BUF(parts, 1 << 24);
    struct err e = ERR_INIT;

    text = mem_alloc(size + 1, 1);
    copy = mem_alloc(size + 1, 1);
    if (size) {
        memcpy(text, data, size);
        memcpy(copy, data, size);
    }
    struct sections s = {.text = text, .out = &parts};
    int at_once = ini_parse("f", copy, size, INI_BROKER, write_event, &whole, &e);
    if (size)
        memcpy(copy, data, size);
    int in_parts = ini_index("f", copy, size, open_section, &s, &e);
    if (in_parts == 0)
        in_parts = close_section(&s, size, &e);
    free(s.name);
    if (at_once != in_parts || (at_once == 0 && strcmp(buf_str(&whole), buf_str(&parts)) != 0))
        abort();
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
    compare_whole_and_sections(data, size);
    return 0;
}
