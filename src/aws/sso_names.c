/* SPDX-License-Identifier: MIT */
/* Writes JSON exactly as Python does: in ASCII, with sorted keys, and with lower-case escapes. */
#include "sso_names.h"

#include <ctype.h>
#include <string.h>

#include <base/text.h>

const char *sso_name(const struct aws_step *step)
{
    return step->session ? step->session : step->start_url;
}

/* Appends a JSON string, escaped as Python does. Returns false if the text is not UTF-8. */
static bool add_string(struct buf *out, const char *s)
{
    json_t *value = json_string(s);
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    bool is_text = text;

    for (const char *c = text; c && *c; c++) {
        if (c[0] == '\\' && c[1] == 'u') {
            for (int i = 0; i < 6; i++)
                buf_putc(out, (char)tolower((unsigned char)c[i]));
            c += 5;
        } else if (c[0] == '\\') {
            buf_add(out, c++, 2);
        } else if (*c == '\177') {
            buf_puts(out, "\\u007f");
        } else {
            buf_putc(out, *c);
        }
    }
    if (text)
        json_string_free(text);
    json_decref(value);
    return is_text;
}

/* Appends `, "KEY": VALUE`, with the separators `comma` and `colon`. */
static bool add_member(struct buf *out, const char *comma, const char *key, const char *colon,
                       const char *value)
{
    buf_printf(out, "%s\"%s\"%s", out->len ? comma : "{", key, colon);
    return add_string(out, value);
}

bool sso_role_name(const struct aws_step *step, struct buf *out)
{
    json_use_wiping_memory();
    bool ok = add_member(out, ",", "accountId", ":", step->sso_account);
    ok = add_member(out, ",", "roleName", ":", step->sso_role) && ok;
    ok = add_member(out, ",", step->session ? "sessionName" : "startUrl", ":", sso_name(step)) && ok;
    buf_putc(out, '}');
    return ok && buf_ok(out);
}

json_t *sso_scopes(const char *scopes)
{
    json_t *list = NULL;

    json_use_wiping_memory();
    while (scopes && *scopes) {
        size_t n = strcspn(scopes, ",");
        const char *from = scopes + strspn(scopes, " \t"), *end = scopes + n;
        while (end > from && strchr(" \t", end[-1]))
            end--;
        if (end > from) {
            list = list ? list : json_array();
            (void)json_array_append_new(list, json_stringn(from, (size_t)(end - from)));
        }
        scopes += n + (scopes[n] == ',');
    }
    return list;
}

bool sso_registration_name(const struct aws_step *step, struct buf *out)
{
    AUTO_JSON(scopes);
    size_t i;
    json_t *scope;

    scopes = sso_scopes(step->scopes);
    bool ok = add_member(out, "", "region", ": ", step->sso_region);
    buf_printf(out, ", \"scopes\": %s", scopes ? "[" : "null");
    json_array_foreach(scopes, i, scope)
    {
        buf_puts(out, i ? ", " : "");
        ok = add_string(out, json_string_value(scope)) && ok;
    }
    buf_puts(out, scopes ? "]" : "");
    if (step->session)
        ok = add_member(out, ", ", "session_name", ": ", step->session) && ok;
    else
        buf_puts(out, ", \"session_name\": null");
    ok = add_member(out, ", ", "startUrl", ": ", step->start_url) && ok;
    buf_puts(out, ", \"tool\": \"botocore\"}");
    return ok && buf_ok(out);
}
