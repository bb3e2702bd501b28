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
  'linux/if_link.h': ['XDP_FLAGS_SKB_MODE', 'XDP_FLAGS_DRV_MODE', 'XDP_FLAGS_HW_MODE'],
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
  ],
  'linux/rtnetlink.h': ['RTM_NEWQDISC', 'RTM_GETQDISC', 'RTM_NEWTFILTER', 'RTM_GETTFILTER'],
  'linux/pkt_sched.h': ['TC_H_CLSACT', 'TC_H_MIN_INGRESS', 'TC_H_MIN_EGRESS'],
} as const;

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
    const names = Object.values(headerConstants).flat();
    const includes = ['linux/types.h', ...Object.keys(headerConstants)].map((file) => `#include <${file}>`);
    const members = names.map((name) => `  VALUE_${name} = ${name},`);
    writeFileSync(
      source,
      `${includes.join('\n')}\nenum constants {\n${members.join('\n')}\n};\nenum constants keep;\n`,
    );
    const multiarch = `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
    execFileSync('clang', ['-target', 'bpf', '-g', '-O2', '-I', multiarch, '-c', source, '-o', object]);
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
    constants: evaluateHeaders(),
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
