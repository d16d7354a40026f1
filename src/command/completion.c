/* SPDX-License-Identifier: MIT */
/* Prints the shell completion scripts. They only pass the arguments to `broker __complete`, through a pipe
 * because a URL may contain a password. completions/ holds this output. */
#include "command.h"

#include <string.h>

#include <base/mem.h>

static const char bash_script[] =
    "# bash completion for broker; made by: broker completion bash\n"
    "_broker() {\n"
    "    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} last=${COMP_WORDS[COMP_CWORD]} word reply i\n"
    "    local -a words=()\n"
    "    # bash splits words at = : and @, which may be part of broker's words.\n"
    "    # Parts without a space between them are joined again.\n"
    "    line=${line#*\"${COMP_WORDS[0]}\"}\n"
    "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "        if [[ ${#words[@]} -gt 0 && $line != [[:blank:]]* ]]; then\n"
    "            words[${#words[@]} - 1]+=${COMP_WORDS[i]}\n"
    "        else\n"
    "            words+=(\"${COMP_WORDS[i]}\")\n"
    "        fi\n"
    "        [[ -n ${COMP_WORDS[i]} ]] && line=${line#*\"${COMP_WORDS[i]}\"}\n"
    "    done\n"
    "    # bash replaces only what follows the last split; after an @, also the @ itself.\n"
    "    [[ $last == [=:] ]] && last=\n"
    "    word=${words[${#words[@]} - 1]}\n"
    "    i=$((${#word} - ${#last}))\n"
    "    ((i > 0)) && [[ $last != @* && ${word:i-1:1} == @ ]] && ((i--))\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r reply _; do\n"
    "        COMPREPLY+=(\"${reply:i}\")\n"
    "    done < <(builtin printf '%s\\n' \"${words[@]}\" | command broker __complete 2>/dev/null)\n"
    "    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null\n"
    "    return 0\n"
    "}\n"
    "complete -o default -F _broker broker\n";

static const char zsh_script[] =
    "#compdef broker\n"
    "# zsh completion for broker; made by: broker completion zsh\n"
    "_broker() {\n"
    "    local -a lines whole open\n"
    "    local line word\n"
    "    lines=(\"${(@f)$(print -rl -- \"${(@)words[2,CURRENT]}\" | command broker __complete "
    "2>/dev/null)}\")\n"
    "    for line in $lines; do\n"
    "        [[ -z $line ]] && continue\n"
    "        word=${line%%$'\\t'*}\n"
    "        line=${word//:/\\\\:}:${line#*$'\\t'}\n"
    "        if [[ $word == *= ]]; then open+=($line); else whole+=($line); fi\n"
    "    done\n"
    "    (( ${#whole} )) && _describe broker whole\n"
    "    (( ${#open} )) && _describe broker open -S ''\n"
    "    (( ${#whole} + ${#open} )) && return\n"
    "    compset -P '*='\n"
    "    _files\n"
    "}\n"
    "if [[ $funcstack[1] == _broker ]]; then _broker \"$@\"; else compdef _broker broker; fi\n";

static const char fish_script[] =
    "# fish completion for broker; made by: broker completion fish\n"
    "function __broker_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    printf '%s\\n' $words[2..-1] | command broker __complete 2>/dev/null\n"
    "end\n"
    "complete -c broker -f -n 'count (__broker_complete) >/dev/null' -a '(__broker_complete)'\n";

static int completion_run(struct invocation *inv, struct err *e)
{
    static const struct {
        const char *shell, *script;
    } scripts[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        if (text_equal(scripts[i].shell, inv->word[0])) {
            (void)fputs(scripts[i].script, stdout);
            return 0;
        }
    }
    (void)err_set(e, ERR_USAGE, inv->word[0] ? "no completion for '%s'" : "no shell given", inv->word[0]);
    return err_hint(e, "broker completion bash, zsh or fish");
}

const struct verb verb_completion = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "print shell completion for bash, zsh or fish",
    .about = "Print the completion script of a shell. The script calls broker for the possible words, so it "
             "stays up to date.",
    .group = GROUP_CONFIGURE,
    .examples = {"eval \"$(broker completion bash)\"",
                 "broker completion fish > ~/.config/fish/completions/broker.fish"},
    .most_words = 1,
    .words = "bash zsh fish",
    .run = completion_run};
