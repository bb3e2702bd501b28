import { namesFunction, nextWordsFunction, wayFunction } from './posix.js';
import {
  commonOptions,
  flags,
  nextWords,
  openPaths,
  optionsOf,
  plain,
  quoted,
  rootOptions,
  rows,
} from './ways.js';

/** The completion script for zsh: to be sourced, or to be put as `_netkit` into a folder of `fpath`. */
export function zshScript(): string {
  return [
    '#compdef netkit',
    '# Completion of netkit for zsh; printed by `netkit completion zsh`.',
    nextWordsFunction(),
    wayFunction(),
    namesFunction,
    describeFunction(),
    main,
    'if [[ $funcstack[1] == _netkit ]]; then\n  _netkit "$@"\nelse\n  compdef _netkit netkit\nfi\n',
  ].join('\n');
}

/** A function that offers, with an explanation each, the commands or the options that fit a path. */
function describeFunction(): string {
  const described = (word: string, about: string) => quoted(`${word.replace(/:/g, '\\:')}:${plain(about)}`);
  const list = (options: readonly Parameters<typeof flags>[0][]) =>
    options
      .flatMap((option) => flags(option).map((flag) => `      ${described(flag, option.about)}`))
      .join('\n');
  const commandCases = openPaths.map((path) => {
    const words = nextWords(path).map(({ word, about }) => `      ${described(word, about)}`);
    return `    ${quoted(`commands ${path}`)}) found=(\n${words.join('\n')}\n    ) ;;`;
  });
  const optionCases = rows
    .filter((row) => optionsOf(row).length > 0)
    .map((row) => `    ${quoted(`options ${row.name}`)}) found=(\n${list(optionsOf(row))}\n    ) ;;`);
  optionCases.push(`    'options ') found=(\n${list(rootOptions)}\n    ) ;;`);
  return `_netkit_describe() {
  local -a found
  case "$1 $2" in
${[...commandCases, ...optionCases].join('\n')}
  esac
  [[ $1 == options ]] && found+=(
${list(commonOptions)}
  )
  if [[ $1 == options ]]; then
    _describe -o option found
  else
    _describe command found
  fi
}
`;
}

const main = `_netkit() {
  emulate -L zsh -o null_glob
  local word option= netkit_path= way
  integer i position=0
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $option ]]; then
      option=
    elif [[ $word == --*=* ]]; then
      continue
    elif [[ $word == -?* ]]; then
      [[ -n $(_netkit_way "$netkit_path" "$word") ]] && option=$word
    elif [[ " $(_netkit_commands "$netkit_path") " == *" $word "* ]]; then
      [[ $word == help ]] || netkit_path="\${netkit_path:+$netkit_path }$word"
    else
      position+=1
    fi
  done
  word=$words[CURRENT]
  if [[ -z $option && $word == --*=* ]]; then
    option=\${word%%=*}
    compset -P '*='
  fi
  if [[ -n $option ]]; then
    way=$(_netkit_way "$netkit_path" "$option")
  elif [[ $word == -* ]]; then
    _netkit_describe options "$netkit_path"
    return
  elif [[ -n $(_netkit_commands "$netkit_path") ]]; then
    _netkit_describe commands "$netkit_path"
    return
  else
    way=$(_netkit_way "$netkit_path" $((position + 1)))
  fi
  case $way in
    choice*) compadd -- \${=way#choice} ;;
    file) _files ;;
    folder) _files -/ ;;
    object) _files -g '*.o' ;;
    source) _files -g '*.c' ;;
    pcap) _files -g '*.pcap*' ;;
    *)
      compadd -- \${(f)"$(_netkit_names "$way")"}
      [[ $word == /* || $way == namespace ]] && _files
      ;;
  esac
}
`;
