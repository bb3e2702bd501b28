/**
 * Writes src/sys/uapi.ts and src/base/kernel-words.ts from the running kernel's BTF and, for what headers only #define,
 * from the installed kernel headers.
 *
 *   node scripts/run.mjs scripts/gen-uapi.ts            write
 *   node scripts/run.mjs scripts/gen-uapi.ts --check    compare
 *
 * The kernel's user interface only grows. So a check on the release that made the files wants them byte for byte; on any
 * other release every name that both know must have the same number, offset and size.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as recordedWords from '../src/base/kernel-words.js';
import { readBtf } from '../src/obj/btf/read.js';
import type { BtfComposite, BtfEnum, BtfGraph, BtfMember } from '../src/obj/btf/types.js';
import { ObjectSpec } from '../src/obj/spec.js';
import { attr, bpfCommands, info, uapi } from '../src/sys/uapi.js';

/** Without what a distributor adds to it. */
const kernel = /^[\d.]+/.exec(release())?.[0] ?? release();
const vmlinux = readBtf(readFileSync('/sys/kernel/btf/vmlinux'));

/** Constants that exist as macros or anonymous enumerators only. */
const headerConstants = {
  'linux/if_link.h': [
    'IFLA_IFNAME',
    'XDP_FLAGS_SKB_MODE',
    'XDP_FLAGS_DRV_MODE',
    'XDP_FLAGS_HW_MODE',
    'XDP_FLAGS_UPDATE_IF_NOEXIST',
    'XDP_FLAGS_REPLACE',
  ],
  'linux/bpf.h': [
    'BPF_ANY',
    'BPF_NOEXIST',
    'BPF_EXIST',
    'BPF_F_LOCK',
    'BPF_F_REPLACE',
    'BPF_F_RDONLY',
    'BPF_F_NO_PREALLOC',
    'BPF_F_NO_COMMON_LRU',
    'BPF_F_NUMA_NODE',
    'BPF_F_RDONLY_PROG',
    'BPF_F_WRONLY_PROG',
    'BPF_F_WRONLY',
    'BPF_F_CLONE',
    'BPF_F_MMAPABLE',
    'BPF_F_PRESERVE_ELEMS',
    'BPF_F_INNER_MAP',
    'BPF_F_ZERO_SEED',
    'BPF_STATS_RUN_TIME',
    'BPF_F_SLEEPABLE',
    'BPF_F_TEST_XDP_LIVE_FRAMES',
    'BPF_F_XDP_HAS_FRAGS',
  ],
  'linux/rtnetlink.h': [
    'RTM_NEWQDISC',
    'RTM_GETQDISC',
    'RTM_NEWTFILTER',
    'RTM_DELTFILTER',
    'RTM_GETTFILTER',
    'RTM_NEWROUTE',
    'RTM_DELROUTE',
    'RTM_GETROUTE',
    'RTM_NEWACTION',
    'RTM_NEWLINK',
    'RTM_DELLINK',
    'RTM_GETLINK',
    'RTMGRP_LINK',
    'RT_TABLE_MAIN',
    'RT_SCOPE_UNIVERSE',
    'RT_SCOPE_LINK',
    'RTN_UNICAST',
    'RTPROT_STATIC',
    'RTA_DST',
    'RTA_OIF',
    'RTA_GATEWAY',
    'RTA_TABLE',
    'RTA_PRIORITY',
    'RTA_ENCAP_TYPE',
    'RTA_ENCAP',
    'TCA_KIND',
    'TCA_OPTIONS',
    'TCA_ACT_TAB',
  ],
  'linux/netlink.h': [
    'NLM_F_REQUEST',
    'NLM_F_ACK',
    'NLM_F_CREATE',
    'NLM_F_EXCL',
    'NLM_F_REPLACE',
    'NLM_F_DUMP',
    'NLMSG_ERROR',
    'NLMSG_DONE',
    'NLA_F_NESTED',
    'NLA_TYPE_MASK',
    'NETLINK_GET_STRICT_CHK',
  ],
  'linux/lwtunnel.h': [
    'LWTUNNEL_ENCAP_BPF',
    'LWTUNNEL_ENCAP_SEG6_LOCAL',
    'LWT_BPF_IN',
    'LWT_BPF_OUT',
    'LWT_BPF_XMIT',
    'LWT_BPF_PROG_FD',
    'LWT_BPF_PROG_NAME',
  ],
  'linux/seg6_local.h': [
    'SEG6_LOCAL_ACTION',
    'SEG6_LOCAL_BPF',
    'SEG6_LOCAL_ACTION_END_BPF',
    'SEG6_LOCAL_BPF_PROG',
    'SEG6_LOCAL_BPF_PROG_NAME',
  ],
  'linux/pkt_cls.h': ['TCA_MATCHALL_ACT', 'TCA_ACT_KIND', 'TCA_ACT_OPTIONS'],
  'linux/tc_act/tc_bpf.h': [
    'TCA_ACT_BPF_PARMS',
    'TCA_ACT_BPF_FD',
    'TCA_ACT_BPF_NAME',
    'TCA_ACT_BPF_ID',
    'TC_ACT_PIPE',
  ],
  'linux/perf_event.h': [
    'PERF_TYPE_HARDWARE',
    'PERF_COUNT_HW_CPU_CYCLES',
    'PERF_COUNT_HW_INSTRUCTIONS',
    'PERF_COUNT_HW_CACHE_MISSES',
    'PERF_COUNT_HW_BRANCH_MISSES',
    'PERF_TYPE_SOFTWARE',
    'PERF_TYPE_TRACEPOINT',
    'PERF_COUNT_SW_CPU_CLOCK',
    'PERF_COUNT_SW_TASK_CLOCK',
    'PERF_FLAG_FD_CLOEXEC',
    'PERF_EVENT_IOC_ENABLE',
    'PERF_EVENT_IOC_DISABLE',
    'PERF_EVENT_IOC_SET_BPF',
  ],
  'linux/mount.h': ['FSOPEN_CLOEXEC', 'FSMOUNT_CLOEXEC', 'FSCONFIG_CMD_CREATE'],
  'linux/netfilter.h': [
    'NFPROTO_IPV4',
    'NFPROTO_IPV6',
    'NF_INET_PRE_ROUTING',
    'NF_INET_LOCAL_IN',
    'NF_INET_FORWARD',
    'NF_INET_LOCAL_OUT',
    'NF_INET_POST_ROUTING',
  ],
  'asm/socket.h': [
    'SOL_SOCKET',
    'SO_ATTACH_BPF',
    'SO_DETACH_BPF',
    'SO_GET_FILTER',
    'SO_RCVBUFFORCE',
    'SO_ATTACH_REUSEPORT_EBPF',
    'SO_DETACH_REUSEPORT_BPF',
  ],
  'linux/if_ether.h': ['ETH_P_ALL'],
  'linux/if.h': ['IFF_UP'],
  'linux/genetlink.h': ['GENL_ID_CTRL', 'CTRL_CMD_GETFAMILY', 'CTRL_ATTR_FAMILY_ID', 'CTRL_ATTR_FAMILY_NAME'],
  'linux/sockios.h': ['SIOCETHTOOL', 'SIOCGIFMTU'],
  'linux/ethtool.h': [
    'ETHTOOL_GDRVINFO',
    'ETHTOOL_GCHANNELS',
    'ETHTOOL_GFLAGS',
    'ETH_FLAG_LRO',
    'ETHTOOL_GRXCSUM',
    'ETHTOOL_GTXCSUM',
    'ETHTOOL_GSG',
    'ETHTOOL_GTSO',
    'ETHTOOL_GGSO',
    'ETHTOOL_GGRO',
    'ETHTOOL_SGRO',
    'ETHTOOL_STSO',
  ],
  'linux/pkt_sched.h': ['TC_H_CLSACT', 'TC_H_MIN_INGRESS', 'TC_H_MIN_EGRESS'],
} as const;

/** Macros of linux/bpf.h that Debian's headers are too old for (bookworm has 6.1's); newer headers have the word. */
const youngerConstants = {
  BPF_F_BEFORE: '(1U << 3)',
  BPF_F_AFTER: '(1U << 4)',
  BPF_F_ID: '(1U << 5)',
  BPF_F_LINK: '(1U << 13)',
  BPF_STREAM_STDOUT: '1',
  BPF_STREAM_STDERR: '2',
  BPF_F_NETFILTER_IP_DEFRAG: '(1U << 0)',
  BPF_F_KPROBE_MULTI_RETURN: '(1U << 0)',
  BPF_F_UPROBE_MULTI_RETURN: '(1U << 0)',
} as const;

/** Enumerators of linux/netdev.h, which is younger than Debian's headers: from the kernel's BTF. */
const enumerators = [
  'NETDEV_CMD_DEV_GET',
  'NETDEV_A_DEV_IFINDEX',
  'NETDEV_A_DEV_XDP_FEATURES',
  'NETDEV_A_DEV_XDP_ZC_MAX_SEGS',
  'NETDEV_A_DEV_XDP_RX_METADATA_FEATURES',
  'NETDEV_A_DEV_XSK_FEATURES',
  'NETDEV_XDP_ACT_BASIC',
  'NETDEV_XDP_ACT_REDIRECT',
  'NETDEV_XDP_ACT_NDO_XMIT',
  'NETDEV_XDP_ACT_XSK_ZEROCOPY',
  'NETDEV_XDP_ACT_HW_OFFLOAD',
  'NETDEV_XDP_ACT_RX_SG',
  'NETDEV_XDP_ACT_NDO_XMIT_SG',
  'NETDEV_XDP_RX_METADATA_TIMESTAMP',
  'NETDEV_XDP_RX_METADATA_HASH',
  'NETDEV_XDP_RX_METADATA_VLAN_TAG',
  'NETDEV_XSK_FLAGS_TX_TIMESTAMP',
  'NETDEV_XSK_FLAGS_TX_CHECKSUM',
  'NETDEV_XSK_FLAGS_TX_LAUNCH_TIME_FIFO',
] as const;

/** The anonymous structs inside union bpf_attr, recognised by their first member. */
const attrStructs: Record<string, string> = {
  map_type: 'mapCreate',
  map_fd: 'element',
  prog_type: 'progLoad',
  pathname: 'object',
  target_fd: 'progAttach',
  start_id: 'getId',
  btf: 'btfLoad',
};

type Field = readonly [offset: number, size: number];
interface Layout {
  size: number;
  fields: Record<string, Field>;
}

function structType(btf: BtfGraph, id: number): BtfComposite | undefined {
  const type = btf.resolve(id);
  return type.kind === 'struct' || type.kind === 'union' ? type : undefined;
}

/** Flattens nested structs to dotted names; anonymous ones add nothing to the name. */
function collect(
  btf: BtfGraph,
  members: readonly BtfMember[],
  base: number,
  prefix: string,
  into: Layout,
): void {
  for (const member of members) {
    const inner = structType(btf, member.type);
    const offset = base + Math.floor(member.bitOffset / 8);
    if (inner !== undefined) {
      collect(btf, inner.members, offset, member.name === '' ? prefix : `${prefix}${member.name}.`, into);
    } else if (member.name !== '') {
      const size = btf.sizeOf(member.type);
      const unit = member.bitSize === 0 ? offset : base + Math.floor(member.bitOffset / 8 / size) * size;
      into.fields[prefix + member.name] ??= [unit, size];
      into.size = Math.max(into.size, Math.ceil((unit + size) / 8) * 8);
    }
  }
}

function layoutOf(btf: BtfGraph, struct: BtfComposite): Layout {
  const layout: Layout = { size: 0, fields: {} };
  collect(btf, struct.members, 0, '', layout);
  return layout;
}

function composite(name: string, kind: 'struct' | 'union'): BtfComposite {
  const type = vmlinux.find(name, kind);
  if (type?.kind !== 'struct' && type?.kind !== 'union') throw new Error(`the kernel has no ${kind} ${name}`);
  return type;
}

function enumeration(name: string): BtfEnum {
  const type = vmlinux.find(name, 'enum');
  if (type?.kind !== 'enum') throw new Error(`the kernel has no enum ${name}`);
  return type;
}

function attrLayouts(): Record<string, Layout> {
  const layouts: Record<string, Layout> = {};
  for (const member of composite('bpf_attr', 'union').members) {
    const struct = structType(vmlinux, member.type);
    const first = struct?.members[0];
    if (struct === undefined || first === undefined) continue;
    const firstName = first.name || (structType(vmlinux, first.type)?.members[0]?.name ?? '');
    const name = member.name || attrStructs[firstName];
    if (name === undefined) throw new Error(`an unknown part of union bpf_attr begins with ${firstName}`);
    layouts[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())] = layoutOf(vmlinux, struct);
  }
  return layouts;
}

/** Evaluates macros by compiling an enum of them and reading it back from the object's BTF. */
function evaluateHeaders(): Record<string, bigint> {
  const folder = mkdtempSync(join(tmpdir(), 'netkit-uapi-'));
  try {
    const source = join(folder, 'constants.c');
    const object = join(folder, 'constants.o');
    const names = [...Object.values(headerConstants).flat(), ...Object.keys(youngerConstants)];
    const includes = ['linux/types.h', ...Object.keys(headerConstants)].map((file) => `#include <${file}>`);
    const younger = Object.entries(youngerConstants).map(
      ([name, value]) => `#ifndef ${name}\n#define ${name} ${value}\n#endif`,
    );
    const members = names.map((name) => `  VALUE_${name} = ${name},`);
    writeFileSync(
      source,
      `${[...includes, ...younger].join('\n')}\nenum constants {\n${members.join('\n')}\n};\nenum constants keep;\n`,
    );
    const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
    const headers = ['-I', `/usr/include/${machine}-linux-gnu`, `-D__${machine}__`];
    execFileSync('clang', ['-target', 'bpf', '-g', '-O2', ...headers, '-c', source, '-o', object]);
    const type = ObjectSpec.parse(readFileSync(object), { path: object, requireBpf: false }).btf?.find(
      'constants',
      'enum',
    );
    if (type?.kind !== 'enum') throw new Error('the compiled constants have no BTF');
    return Object.fromEntries(type.values.map(({ name, value }) => [name.replace('VALUE_', ''), value]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The values of {@link enumerators} in whichever enum they are, those that this kernel has. */
function evaluateEnumerators(): Record<string, bigint> {
  const wanted = new Set<string>(enumerators);
  const found = new Map<string, bigint>();
  for (let id = 1; id < vmlinux.count; id++) {
    const type = vmlinux.type(id);
    if (type.kind !== 'enum') continue;
    for (const { name, value } of type.values) if (wanted.has(name)) found.set(name, value);
  }
  return Object.fromEntries(
    enumerators.flatMap((name) => {
      const value = found.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function words(enumName: string, prefix: string): string[] {
  const found: string[] = [];
  for (const { name, value } of enumeration(enumName).values) {
    const word = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    if (word.startsWith('__') || word.startsWith('MAX')) continue;
    // A deprecated name and its successor share a number: the first one wins, without the mark.
    found[Number(value)] ??= word.replace(/_DEPRECATED$/, '').toLowerCase();
  }
  return found;
}

const wordTables = [
  ['mapTypes', 'map type', 'bpf_map_type', 'BPF_MAP_TYPE_'],
  ['programTypes', 'program type', 'bpf_prog_type', 'BPF_PROG_TYPE_'],
  ['attachTypes', 'attach type', 'bpf_attach_type', 'BPF_'],
  ['linkTypes', 'link type', 'bpf_link_type', 'BPF_LINK_TYPE_'],
  ['helperFunctions', 'helper function', 'bpf_func_id', 'BPF_FUNC_'],
] as const;

const infoStructs = {
  progInfo: 'bpf_prog_info',
  mapInfo: 'bpf_map_info',
  btfInfo: 'bpf_btf_info',
  linkInfo: 'bpf_link_info',
};

interface Facts {
  commands: Record<string, bigint>;
  constants: Record<string, bigint>;
  attr: Record<string, Layout>;
  info: Record<string, Layout>;
  words: Record<string, string[]>;
}

function gather(): Facts {
  const named = (name: string, prefix: string) =>
    Object.fromEntries(
      enumeration(name)
        .values.filter((entry) => !entry.name.startsWith('__'))
        .map((entry) => [entry.name.slice(prefix.length), entry.value]),
    );
  return {
    commands: named('bpf_cmd', 'BPF_'),
    constants: { ...evaluateHeaders(), ...evaluateEnumerators() },
    attr: attrLayouts(),
    info: Object.fromEntries(
      Object.entries(infoStructs).map(([name, struct]) => [
        name,
        layoutOf(vmlinux, composite(struct, 'struct')),
      ]),
    ),
    words: Object.fromEntries(
      wordTables.map(([name, , enumName, prefix]) => [name, words(enumName, prefix)]),
    ),
  };
}

const banner = (by: string) =>
  `// Generated by scripts/gen-uapi.ts from ${by}. Do not edit.\n// Kernel: ${kernel}\n\n`;

function numbers(name: string, about: string, values: Record<string, bigint>): string {
  const lines = Object.entries(values).map(([key, value]) => `  ${key}: ${value},\n`);
  return `/** ${about} */\nexport const ${name} = {\n${lines.join('')}} as const;\n\n`;
}

function layouts(name: string, about: string, all: Record<string, Layout>): string {
  const quote = (key: string) => (/^\w+$/.test(key) ? key : `'${key}'`);
  const blocks = Object.entries(all).map(([key, { size, fields }]) => {
    const lines = Object.entries(fields).map(
      ([field, [at, bytes]]) => `      ${quote(field)}: [${at}, ${bytes}],\n`,
    );
    return `  ${key}: {\n    size: ${size},\n    fields: {\n${lines.join('')}    },\n  },\n`;
  });
  return `/** ${about} */\nexport const ${name} = {\n${blocks.join('')}} as const;\n\n`;
}

function uapiText(facts: Facts): string {
  return `${(
    banner("the kernel's BTF and headers") +
      numbers('bpfCommands', 'Commands of bpf(2) (`enum bpf_cmd`).', facts.commands) +
      numbers(
        'uapi',
        'Flags and constants of linux/bpf.h, linux/if_link.h and the netlink headers.',
        facts.constants,
      ) +
      layouts('attr', 'The parts of `union bpf_attr`: [offset, size] in bytes by member.', facts.attr) +
      layouts('info', 'What `BPF_OBJ_GET_INFO_BY_FD` fills in, by kind of object.', facts.info)
  ).trimEnd()}\n`;
}

function wordsText(facts: Facts): string {
  const tables = wordTables.map(([name, title, enumName]) => {
    const lines = (facts.words[name] ?? []).map((word) => `  '${word}',\n`);
    return `/** The kernel's word for each ${title}, by its number (\`enum ${enumName}\`). */\nexport const ${name} = [\n${lines.join('')}] as const;\n`;
  });
  return banner("the kernel's BTF") + tables.join('\n');
}

/** Differences between what the files say and what this kernel says, over the names that both know. */
function contradictions(recorded: unknown, present: unknown, path: string): string[] {
  if (typeof recorded === 'object' && recorded !== null && typeof present === 'object' && present !== null) {
    const now = new Map<string, unknown>(Object.entries(present));
    return Object.entries(recorded).flatMap(([key, value]) => {
      // A struct may have grown since.
      if (key === 'size' || !now.has(key)) return [];
      return contradictions(value, now.get(key), `${path}.${key}`);
    });
  }
  return String(recorded) === String(present)
    ? []
    : [`${path}: recorded ${recorded}, this kernel ${present}`];
}

const files = { 'src/sys/uapi.ts': uapiText, 'src/base/kernel-words.ts': wordsText };
const facts = gather();
const check = process.argv.includes('--check');
let problems: string[] = [];
for (const [file, text] of Object.entries(files)) {
  const wanted = text(facts);
  if (!check) {
    writeFileSync(file, wanted);
    continue;
  }
  const present = readFileSync(file, 'utf8');
  const sameKernel = present.includes(`// Kernel: ${kernel}\n`);
  if (sameKernel && present !== wanted)
    problems.push(`${file} is not what scripts/gen-uapi.ts makes of this kernel`);
}
if (check) {
  const recorded = {
    commands: bpfCommands,
    constants: uapi,
    attr,
    info,
    words: { ...recordedWords },
  };
  problems = [...problems, ...contradictions(recorded, facts, 'uapi')];
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
