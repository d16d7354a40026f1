# fish completion for broker; made by: broker completion fish
function __broker_complete
    set -l words (commandline -opc) (commandline -ct)
    printf '%s\n' $words[2..-1] | command broker __complete 2>/dev/null
end
complete -c broker -f -n 'count (__broker_complete) >/dev/null' -a '(__broker_complete)'
