/* SPDX-License-Identifier: MIT */
/*
 * The JSON files of the AWS CLI (SSO token, registration, role keys, `aws login`). Each of them gives keys,
 * or an error with a message. The input is the content of every file that is read; its first byte controls
 * the answers of the services. A file that is written back is a JSON object, and keeps the keys that it had.
 *
 * fuzz wrap: file_read file_write file_lock http_sha1 http_sign_es256 aws_call_run
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <aws/cache_file.h>
#include <aws/call.h>
#include <aws/source.h>
#include <base/clock.h>
#include <base/file.h>
#include <base/mem.h>
#include <base/text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_file_read(const char *path, enum file_guard guard, struct buf *out, struct err *e);
int __wrap_file_write(const char *path, const void *bytes, size_t n, mode_t mode, struct err *e);
int __wrap_file_lock(const char *name, int64_t deadline, int *fd, struct err *e);
int __wrap_http_sha1(const char *text, char out[41], int64_t deadline, struct err *e);
int __wrap_http_sign_es256(const struct secret *pem, const char *text, unsigned char signature[64],
                           unsigned char point[64], int64_t deadline, struct err *e);
int __wrap_aws_call_run(const struct aws_call *c, int64_t deadline, struct http_answer *answer,
                        struct aws_refusal *why, struct err *e);

extern const struct aws_source aws_source_sso, aws_source_login_session;

static const uint8_t *input;
static size_t input_size;
static uint8_t control;
static unsigned calls;

static void check(bool held)
{
    if (!held)
        abort();
}

int __wrap_file_read(const char *path, enum file_guard guard, struct buf *out, struct err *e)
{
    (void)path;
    (void)guard;
    (void)e;
    buf_add(out, input, input_size);
    return 0;
}

int __wrap_file_write(const char *path, const void *bytes, size_t n, mode_t mode, struct err *e)
{
    AUTO_JSON(now);
    AUTO_JSON(before);
    const char *key;
    json_t *value;

    check(text_ends(path, ".json") && mode == 0600);
    now = cache_file_parse(bytes, n);
    before = cache_file_parse((const char *)input, input_size);
    check(now && before);
    json_object_foreach(before, key, value) check(json_object_get(now, key) != NULL);
    return control & 0x80 ? err_set(e, ERR_IO, "Read-only file system") : 0;
}

int __wrap_file_lock(const char *name, int64_t deadline, int *fd, struct err *e)
{
    (void)name;
    (void)deadline;
    (void)fd;
    return err_set(e, control & 0x40 ? ERR_TRY_LATER : ERR_IO, "no lock");
}

int __wrap_http_sha1(const char *text, char out[41], int64_t deadline, struct err *e)
{
    (void)text;
    (void)deadline;
    (void)e;
    memset(out, 'a', 40);
    out[40] = '\0';
    return 0;
}

int __wrap_http_sign_es256(const struct secret *pem, const char *text, unsigned char signature[64],
                           unsigned char point[64], int64_t deadline, struct err *e)
{
    (void)text;
    (void)deadline;
    memset(signature, 1, 64);
    memset(point, 2, 64);
    return pem && secret_len(pem) > 3 ? 0 : err_set(e, ERR_DATA, "no key");
}

int __wrap_aws_call_run(const struct aws_call *c, int64_t deadline, struct http_answer *answer,
                        struct aws_refusal *why, struct err *e)
{
    static const char *const values[] = {"value", "900", "", "x\"\\\n\xc3\xbc", "1893456000000", "\xff"};

    (void)deadline;
    check(c->want_count < HTTP_WANTS_MAX && ++calls < 8);
    for (size_t i = 0; i < c->want_count; i++) {
        const char *v = (control & 3) == 3 ? "900" : values[(i + control) % ARRAY_LEN(values)];
        secret_free(answer->field[i]);
        answer->field[i] = *v ? secret_from(v, strlen(v)) : NULL;
    }
    why->status = (control & 0x0c) == 0 ? 200 : (control & 0x0c) == 4 ? 401 : 503;
    return why->status == 200 ? 0 : err_set(e, why->status == 401 ? ERR_REFUSED : ERR_TRY_LATER, "no");
}

static void try_source(const struct aws_source *source, const struct aws_step *step)
{
    struct aws_login login = {.is_wanted = control & 0x20};
    struct aws_context c = AWS_CONTEXT_INIT;
    struct err e = ERR_INIT;
    AUTO_AWS_KEYS(keys);

    calls = 0;
    c.regions.of[AWS_REGION_WANTED] = "eu-west-1";
    c.login = &login;
    c.chain.profile = "p";
    if (source->get(&c, step, NULL, clock_deadline(1000, CLOCK_NEVER), &keys, &e) == 0)
        check(keys.id && *keys.id && keys.secret && secret_len(keys.secret) > 0 && keys.token);
    else
        check(e.code != ERR_NONE && e.code != ERR_BUG && e.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct aws_step steps[] = {
        {.kind = AWS_KIND_sso,
         .profile = "p",
         .session = "corp",
         .start_url = "https://x.example",
         .sso_region = "eu-west-1",
         .sso_account = "1",
         .sso_role = "r"},
        {.kind = AWS_KIND_sso,
         .profile = "p",
         .start_url = "https://x.example",
         .sso_region = "eu-west-1",
         .sso_account = "1",
         .sso_role = "r"},
        {.kind = AWS_KIND_login_session, .profile = "p", .login_session = "arn:aws:x"},
    };

    if (size < 1)
        return 0;
    control = data[0];
    input = data + 1;
    input_size = size - 1;
    if (input_size > CACHE_FILE_MOST)
        return 0;
    try_source(&aws_source_sso, &steps[0]);
    try_source(&aws_source_sso, &steps[1]);
    try_source(&aws_source_login_session, &steps[2]);
    return 0;
}
