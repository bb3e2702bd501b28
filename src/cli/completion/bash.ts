import { namesFunction, nextWordsFunction, optionsFunction, wayFunction } from './posix.js';

/** The completion script for bash, which needs no other package. */
export function bashScript(): string {
  return [
    '# Completion of netkit for bash; printed by `netkit completion bash`.',
    nextWordsFunction(),
    optionsFunction(),
    wayFunction(),
    namesFunction,
    main,
    'complete -F _netkit netkit\n',
  ].join('\n');
}

// bash cuts words at = and :, so that --mode=native arrives as three of them.
// SC2046, SC2086: lists of words are meant to be split, and by the usual separators whatever the session has.
const main = `# shellcheck disable=SC2046,SC2086
_netkit() {
  local IFS=$' \\t\\n'
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' option='' position=0 word i way
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == [=:] ]]; then
      [[ -n $option ]] || ((i++))
    elif [[ -n $option ]]; then
      option=''
    elif [[ $word == -?* ]]; then
      [[ -n $(_netkit_way "$path" "$word") ]] && option=$word
    elif [[ " $(_netkit_commands "$path") " == *" $word "* ]]; then
      [[ $word == help ]] || path="\${path:+$path }$word"
    else
      ((position++))
    fi
  done
  [[ $cur == = ]] && cur=''
  if [[ -n $option ]]; then
    way=$(_netkit_way "$path" "$option")
  elif [[ $cur == -* ]]; then
    _netkit_choose $(_netkit_options "$path")
    return
  elif [[ -n $(_netkit_commands "$path") ]]; then
    _netkit_choose $(_netkit_commands "$path")
    return
  else
    way=$(_netkit_way "$path" "$((position + 1))")
  fi
  case $way in
    choice*) _netkit_choose \${way#choice} ;;
    file) _netkit_files -f ;;
    folder) _netkit_files -d ;;
    object) _netkit_files -f -X '!*.o' ;;
    source) _netkit_files -f -X '!*.c' ;;
    pcap) _netkit_files -f -X '!*.pcap*' ;;
    *)
      _netkit_choose $(_netkit_names "$way")
      [[ $cur == /* || $way == namespace ]] && _netkit_files -f
      ;;
  esac
}

_netkit_choose() {
  local name
  for name; do
    [[ $name == "$cur"* ]] && COMPREPLY+=("$name")
  done
}

_netkit_files() {
  local name
  compopt -o filenames 2>/dev/null
  while IFS= read -r name; do
    COMPREPLY+=("$name")
  done < <(
    compgen "$@" -- "$cur"
    [[ $1 == -d || $# -eq 1 ]] || compgen -d -- "$cur"
  )
}
`;
