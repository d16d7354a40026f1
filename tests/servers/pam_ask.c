/* SPDX-License-Identifier: MIT */
/*
 * A PAM module that asks the questions of a file, for a test's sshd: pam_ask.so FILE. Each line of FILE is a question,
 * a tab, its right answer, a tab, "echo" or "hide". All questions are asked, then all answers must be right; there is
 * no delay.
 *
 * It takes the place of the passwords and one-time codes of a real stack, so that no account of the machine is needed.
 * PAM's interface is declared here, because its headers are in a package that nothing else needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAM_SUCCESS = 0, PAM_SERVICE_ERR = 3, PAM_AUTH_ERR = 7, PAM_PROMPT_ECHO_OFF = 1, PAM_PROMPT_ECHO_ON = 2 };
typedef struct pam_handle pam_handle_t;
int pam_prompt(pam_handle_t *pam, int style, char **response, const char *format, ...);
int pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv);
int pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv);

static int ask(pam_handle_t *pam, char *line)
{
    char *answer = NULL, *rest = line;
    const char *question = strsep(&rest, "\t"), *right = strsep(&rest, "\t");
    int style = rest && strcmp(rest, "echo") == 0 ? PAM_PROMPT_ECHO_ON : PAM_PROMPT_ECHO_OFF;
    int good = right && pam_prompt(pam, style, &answer, "%s", question) == PAM_SUCCESS && answer && !strcmp(answer, right);
    free(answer);
    return good;
}

int pam_sm_authenticate(pam_handle_t *pam, int flags, int argc, const char **argv)
{
    char line[512];
    int good = 1;
    FILE *questions = argc == 1 ? fopen(argv[0], "r") : NULL;
    (void)flags;
    if (!questions)
        return PAM_SERVICE_ERR;
    while (fgets(line, sizeof line, questions)) {
        line[strcspn(line, "\n")] = '\0';
        good &= ask(pam, line);
    }
    fclose(questions);
    return good ? PAM_SUCCESS : PAM_AUTH_ERR;
}

int pam_sm_setcred(pam_handle_t *pam, int flags, int argc, const char **argv)
{
    (void)pam, (void)flags, (void)argc, (void)argv;
    return PAM_SUCCESS;
}
