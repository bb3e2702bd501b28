import {
  commonOptions,
  flags,
  nextWords,
  openPaths,
  optionsOf,
  quoted,
  rootOptions,
  rows,
  way,
  wayOf,
} from './ways.js';

/** Parts that bash and zsh understand alike. */

/** A function that prints the commands that may follow a path. */
export function nextWordsFunction(): string {
  const cases = openPaths.map((path) => {
    const words = nextWords(path).map(({ word }) => word);
    return `    ${quoted(path)}) echo ${quoted(words.join(' '))} ;;`;
  });
  return `_netkit_commands() {\n  case "$1" in\n${cases.join('\n')}\n  esac\n}\n`;
}

/** A function that prints how to complete the value of an option, or an argument by its number; nothing for a switch. */
export function wayFunction(): string {
  const cases: string[] = [];
  for (const row of rows) {
    for (const option of optionsOf(row)) {
      const how = wayOf(option);
      if (how === undefined) continue;
      const patterns = flags(option).map((flag) => quoted(`${row.name} ${flag}`));
      cases.push(`    ${patterns.join(' | ')}) echo ${quoted(how)} ;;`);
    }
    row.arguments.forEach((argument, index) => {
      const pattern = argument.variadic
        ? `${quoted(`${row.name} `)}[0-9]*`
        : quoted(`${row.name} ${index + 1}`);
      cases.push(`    ${pattern}) echo ${quoted(way(argument))} ;;`);
    });
  }
  for (const option of commonOptions) {
    const how = wayOf(option);
    if (how === undefined) continue;
    cases.push(
      `    ${flags(option)
        .map((flag) => `*${quoted(` ${flag}`)}`)
        .join(' | ')}) echo ${quoted(how)} ;;`,
    );
  }
  return `_netkit_way() {\n  case "$1 $2" in\n${cases.join('\n')}\n  esac\n}\n`;
}

/** A function that prints the options of a command. */
export function optionsFunction(): string {
  const cases = rows
    .filter((row) => optionsOf(row).length > 0)
    .map((row) => `    ${quoted(row.name)}) echo ${quoted(optionsOf(row).flatMap(flags).join(' '))} ;;`);
  cases.push(`    '') echo ${quoted(rootOptions.flatMap(flags).join(' '))} ;;`);
  const common = `  echo ${quoted(commonOptions.flatMap(flags).join(' '))}\n`;
  return `_netkit_options() {\n  case "$1" in\n${cases.join('\n')}\n  esac\n${common}}\n`;
}

/**
 * A function that prints names that exist on this machine, one a line. It lists directories and never starts netkit.
 * A name with characters that a shell might take for something else is left out: others may have chosen it.
 */
export const namesFunction = `_netkit_names() {
  local root="\${NETKIT_BPFFS:-/sys/fs/bpf}/netkit" entry name
  case "$1" in
    function) set -- "$root"/* ;;
    program) set -- "$root"/* "$root"/*/progs/* ;;
    map) set -- "$root"/*/maps/* ;;
    link) set -- "$root"/*/links/* ;;
    interface | target) set -- /sys/class/net/* ;;
    namespace) set -- /run/netns/* ;;
    *) return ;;
  esac
  for entry; do
    [ -e "$entry" ] || continue
    name=\${entry#"$root"/}
    case "$name" in
      */progs/*) name=\${name%%/*}/\${name##*/} ;;
      */maps/*) name=\${name%%/*}/\${name##*/} ;;
      */links/*) name=\${name%%/*}/\${name##*/} ;;
      /*) name=\${name##*/} ;;
    esac
    case "$name" in
      *[!a-zA-Z0-9_.@/+-]*) continue ;;
    esac
    printf '%s\\n' "$name"
  done
}
`;
