/* SPDX-License-Identifier: MIT */
/*
 * Prints which AWS keys are found, for many files in one process. It reads lines of JSON {"config": PATH,
 * "credentials": PATH, "profile": NAME or null} from stdin. For each it prints a line of JSON with the steps
 * of the chain and the region, or with the error. It is for the comparison with botocore
 * (tests/cli/test_aws_files.py); no keys are fetched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <aws/source.h>
#include <base/text.h>

static void put(json_t *object, const char *key, const char *value)
{
    if (value)
        (void)json_object_set_new(object, key, json_string(value));
}

/* Adds the command as a list of arguments, because the same arguments can be quoted in several ways. */
static void put_words(json_t *object, const char *command)
{
    AUTO_WORDS(words);
    struct err e = ERR_INIT;

    if (!command)
        return;
    json_t *list = json_array();
    (void)text_split_words(command, &words, &e);
    for (size_t i = 0; i < words.count; i++)
        (void)json_array_append_new(list, json_string(words.word[i]));
    (void)json_object_set_new(object, "command", list);
}

static json_t *step_of(const struct aws_step *s)
{
    json_t *o = json_object();

    put(o, "kind", aws_kind_words(s->kind));
    put(o, "id", s->id);
    put(o, "secret", s->secret);
    put(o, "token", s->token);
    put_words(o, s->command);
    put(o, "role_arn", s->role_arn);
    put(o, "session_name", s->session_name);
    put(o, "external_id", s->external_id);
    put(o, "mfa_serial", s->mfa_serial);
    put(o, "duration", s->duration);
    put(o, "token_file", s->token_file);
    put(o, "sso_session", s->session);
    put(o, "start_url", s->start_url);
    put(o, "sso_region", s->sso_region);
    put(o, "sso_account", s->sso_account);
    put(o, "sso_role", s->sso_role);
    put(o, "login_session", s->login_session);
    return o;
}

static json_t *answer(const json_t *question)
{
    const char *profile = json_string_value(json_object_get(question, "profile"));
    json_t *result = json_object(), *steps = json_array();
    struct err e = ERR_INIT;
    AUTO_AWS_CONTEXT(context);

    (void)setenv("AWS_CONFIG_FILE", json_string_value(json_object_get(question, "config")), 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", json_string_value(json_object_get(question, "credentials")),
                 1);
    if (aws_context_load(&context, profile, true, &e) < 0) {
        put(result, "error", e.msg);
        put(result, "what", e.what);
        put(result, "hint", e.hint);
        return result;
    }
    for (size_t i = 0; i < context.chain.count; i++)
        (void)json_array_append_new(steps, step_of(&context.chain.step[i]));
    (void)json_object_set_new(result, "steps", steps);
    put(result, "region", context.regions.of[AWS_REGION_PROFILE]);
    return result;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        json_t *question = json_loads(line, 0, NULL), *reply = answer(question);
        char *text = json_dumps(reply, JSON_COMPACT);
        (void)puts(text);
        (void)fflush(stdout);
        free(text);
        json_decref(reply);
        json_decref(question);
    }
    free(line);
    return 0;
}
