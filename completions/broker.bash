# bash completion for broker; made by: broker completion bash
_broker() {
    local IFS=$'\n' line=${COMP_LINE:0:COMP_POINT} last=${COMP_WORDS[COMP_CWORD]} word reply i
    local -a words=()
    # bash splits words at = : and @, which may be part of broker's words.
    # Parts without a space between them are joined again.
    line=${line#*"${COMP_WORDS[0]}"}
    for ((i = 1; i <= COMP_CWORD; i++)); do
        if [[ ${#words[@]} -gt 0 && $line != [[:blank:]]* ]]; then
            words[${#words[@]} - 1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
        [[ -n ${COMP_WORDS[i]} ]] && line=${line#*"${COMP_WORDS[i]}"}
    done
    # bash replaces only what follows the last split; after an @, also the @ itself.
    [[ $last == [=:] ]] && last=
    word=${words[${#words[@]} - 1]}
    i=$((${#word} - ${#last}))
    ((i > 0)) && [[ $last != @* && ${word:i-1:1} == @ ]] && ((i--))
    COMPREPLY=()
    while IFS=$'\t' read -r reply _; do
        COMPREPLY+=("${reply:i}")
    done < <(builtin printf '%s\n' "${words[@]}" | command broker __complete 2>/dev/null)
    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -F _broker broker
