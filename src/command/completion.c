/*
 * Completion. The scripts are thin: they hand the words to `broker __complete`, which answers from the
 * parser's own tables and with the live names, offline, and is silent about errors. completions/ holds what
 * this prints.
 */
#include "command.h"

#include <string.h>

#include <base/mem.h>

static const char bash_script[] = "# bash completion for broker; made by: broker completion bash\n"
                                  "_broker() {\n"
                                  "    local IFS=$'\\n' line words cword\n"
                                  "    COMPREPLY=()\n"
                                  "    words=(\"${COMP_WORDS[@]:1:COMP_CWORD}\")\n"
                                  "    if declare -F _get_comp_words_by_ref >/dev/null; then\n"
                                  "        _get_comp_words_by_ref -n =: -w words -i cword\n"
                                  "        words=(\"${words[@]:1:cword}\")\n"
                                  "    fi\n"
                                  "    while IFS=$'\\t' read -r line _; do\n"
                                  "        COMPREPLY+=(\"$line\")\n"
                                  "    done < <(command broker __complete -- \"${words[@]}\" 2>/dev/null)\n"
                                  "    declare -F __ltrim_colon_completions >/dev/null && "
                                  "__ltrim_colon_completions \"${words[${#words[@]}-1]}\"\n"
                                  "    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
                                  "    return 0\n"
                                  "}\n"
                                  "complete -o default -F _broker broker\n";

static const char zsh_script[] =
    "#compdef broker\n"
    "# zsh completion for broker; made by: broker completion zsh\n"
    "_broker() {\n"
    "    local -a lines names\n"
    "    local line\n"
    "    lines=(\"${(@f)$(command broker __complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
    "    for line in $lines; do\n"
    "        [[ -n $line ]] && names+=(\"${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}\")\n"
    "    done\n"
    "    if (( ${#names} )); then\n"
    "        _describe broker names\n"
    "    else\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] == _broker ]]; then _broker \"$@\"; else compdef _broker broker; fi\n";

static const char fish_script[] =
    "# fish completion for broker; made by: broker completion fish\n"
    "function __broker_complete\n"
    "    set -l words (commandline -opc) (commandline -ct)\n"
    "    command broker __complete -- $words[2..-1] 2>/dev/null\n"
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
    (void)err_set(e, ERR_USAGE, inv->word[0] ? "no completion for '%s'" : "for which shell?", inv->word[0]);
    return err_hint(e, "broker completion bash, zsh or fish");
}

const struct verb verb_completion = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "print completion for bash, zsh or fish",
    .group = GROUP_SET_UP,
    .examples = {"eval \"$(broker completion bash)\"",
                 "broker completion fish > ~/.config/fish/completions/broker.fish"},
    .most_words = 1,
    .words = "bash zsh fish",
    .run = completion_run};
