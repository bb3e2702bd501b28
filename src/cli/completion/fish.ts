import type { OptionEntry } from '../table/types.js';
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
  way,
  wayOf,
} from './ways.js';

/** The completion script for fish. */
export function fishScript(): string {
  return [
    '# Completion of netkit for fish; printed by `netkit completion fish`.',
    '',
    stateFunctions(),
    names,
    'complete -c netkit -f',
    ...openPaths.flatMap((path) =>
      nextWords(path).map(
        ({ word, about }) => `complete -c netkit -n ${at(path)} -a ${quoted(word)} -d ${described(about)}`,
      ),
    ),
    ...rows.flatMap((row) => [
      ...optionsOf(row).map((option) => optionLine(option, ` -n ${at(row.name)}`)),
      ...row.arguments.map((argument, index) => {
        const condition = `__netkit_argument ${quotedInside(row.name)} ${argument.variadic ? 0 : index + 1}`;
        return `complete -c netkit -n "${condition}"${candidates(way(argument))} -d ${described(argument.about)}`;
      }),
    ]),
    ...commonOptions.map((option) => optionLine(option, '')),
    ...rootOptions.map((option) => optionLine(option, ` -n ${at('')}`)),
    '',
  ].join('\n');
}

function at(path: string): string {
  return `"__netkit_at ${quotedInside(path)}"`;
}

function quotedInside(text: string): string {
  return `'${text}'`;
}

function described(about: string): string {
  return `'${plain(about).replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}

function optionLine(option: OptionEntry, condition: string): string {
  const short = option.short === undefined ? '' : ` -s ${option.short}`;
  const how = wayOf(option);
  // -x: this value and no file, where the candidates are not files themselves.
  const value = how === undefined ? '' : ` ${candidates(how) === ' -F' ? '-r' : '-x'}${candidates(how)}`;
  return `complete -c netkit${condition} -l ${option.long}${short}${value} -d ${described(option.about)}`;
}

function candidates(how: string): string {
  if (how.startsWith('choice ')) return ` -a ${quoted(how.slice('choice '.length))}`;
  switch (how) {
    case 'file':
    case 'pcap':
      return ' -F';
    case 'folder':
      return " -a '(__fish_complete_directories (commandline -ct))'";
    case 'object':
      return " -a '(__fish_complete_suffix .o)'";
    case 'source':
      return " -a '(__fish_complete_suffix .c)'";
    case 'text':
    case 'count':
    case 'seconds':
      return '';
    default:
      return ` -a '(__netkit_names ${how})'`;
  }
}

/** Functions that tell which command and which of its arguments the cursor is at. */
function stateFunctions(): string {
  const taking = [
    ...rows.flatMap((row) =>
      optionsOf(row)
        .filter((option) => option.value !== undefined)
        .flatMap((option) => flags(option).map((flag) => `${row.name} ${flag}`)),
    ),
    ...commonOptions.filter((option) => option.value !== undefined).flatMap(flags),
  ];
  const following = openPaths.flatMap((path) =>
    nextWords(path).map(({ word }) => (path === '' ? word : `${path} ${word}`)),
  );
  return `set -g __netkit_taking ${taking.map(quoted).join(' ')}
set -g __netkit_paths ${following.map(quoted).join(' ')}

function __netkit_state
    set -l path ''
    set -l position 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if string match -qr -- '^-.' $word
            if contains -- "$path $word" $__netkit_taking; or contains -- $word $__netkit_taking
                set skip 1
            end
        else if test "$path" = '' -a "$word" = help
            continue
        else if contains -- (string trim -- "$path $word") $__netkit_paths
            set path (string trim -- "$path $word")
        else
            set position (math $position + 1)
        end
    end
    printf '%s\\n' "$path" $position
end

function __netkit_at
    set -l state (__netkit_state)
    test "$state[1]" = "$argv[1]"
end

function __netkit_argument
    set -l state (__netkit_state)
    test "$state[1]" = "$argv[1]"; and test $argv[2] = 0 -o $argv[2] = (math $state[2] + 1)
end
`;
}

const names = `function __netkit_names
    set -l root /sys/fs/bpf/netkit
    set -q NETKIT_BPFFS; and set root $NETKIT_BPFFS/netkit
    set -l found
    switch $argv[1]
        case function
            set found $root/*
        case program
            set found $root/* $root/*/progs/*
        case map
            set found $root/*/maps/*
        case link
            set found $root/*/links/*
        case interface target
            set found /sys/class/net/*
        case namespace
            set found /run/netns/*
    end
    for entry in $found
        set -l name (string replace -- "$root/" '' $entry)
        string match -qr -- '^/' $name; and set name (path basename -- $entry)
        set name (string replace -r -- '/(progs|maps|links)/' / $name)
        string match -qr -- '^[a-zA-Z0-9_.@/+-]+$' $name; and echo $name
    end
end
`;
