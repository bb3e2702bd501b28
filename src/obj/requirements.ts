/** What an object needs of a kernel, told from the object alone. */
import { helperFunctions } from '../base/kernel-words.js';
import { sectionsWithCore } from './btf/core-sections.js';
import { readElf } from './elf.js';
import { attachTypeSince } from './kernel-versions/attach-types.js';
import { type HelperWord, helperSince } from './kernel-versions/bpf-functions.js';
import { kfuncSince } from './kernel-versions/kfuncs.js';
import { mapTypeSince } from './kernel-versions/map-types.js';
import { programTypeSince } from './kernel-versions/program-types.js';
import { compareVersions, type LinuxVersion } from './kernel-versions/version.js';
import type { MapTypeWord } from './map-definition.js';
import type { ObjectSignature } from './object-types.js';
import {
  type CodeNeeds,
  codeNeeds,
  type InstructionFeature,
  instructionFeatures,
} from './requirements/code.js';
import type { AttachTypeWord, ProgramTypeWord, SectionTarget } from './sections.js';
import type { ObjectSpec, ProgramSpec } from './spec.js';

export type { InstructionFeature } from './requirements/code.js';

/** Something that a kernel must have. */
export type Need =
  | { readonly kind: 'program-type'; readonly type: ProgramTypeWord }
  /** A way to attach; `section` is the first word of the program's section: `kprobe`, `tcx`, … */
  | {
      readonly kind: 'hook';
      readonly type: ProgramTypeWord;
      readonly attach: AttachTypeWord | undefined;
      readonly section: string;
    }
  /** What a program is attached to, as its section names it: a kernel function, a tracepoint, … */
  | { readonly kind: 'target'; readonly of: SectionTarget; readonly name: string; readonly section: string }
  | { readonly kind: 'map-type'; readonly type: MapTypeWord }
  | {
      readonly kind: 'helper';
      readonly helper: HelperWord;
      readonly type: ProgramTypeWord;
      readonly sleepable: boolean;
    }
  | { readonly kind: 'kfunc'; readonly name: string }
  /** A variable of the kernel. */
  | { readonly kind: 'kernel-variable'; readonly name: string }
  /** A setting of the kernel's build, or one of libbpf's own such as LINUX_KERNEL_VERSION. */
  | { readonly kind: 'kconfig'; readonly name: string }
  /** The kernel's description of its types. */
  | { readonly kind: 'kernel-btf' }
  /** A struct whose members programs can be. */
  | { readonly kind: 'struct-ops'; readonly struct: string }
  /** Kinds of instructions, and how many. */
  | { readonly kind: 'instructions'; readonly feature: InstructionFeature }
  /** XDP for packets in several buffers. */
  | { readonly kind: 'xdp-frags' };

/** A need, who has it, and since when kernels serve it. */
export type Requirement = Need & {
  /** The Linux version that brought it; undefined where no version decides. */
  readonly since: LinuxVersion | undefined;
  /** Names of programs and maps. */
  readonly neededBy: readonly string[];
  /** The object says itself that it does without. */
  readonly optional: boolean;
};

/** What an object asks of a kernel. */
export interface ObjectRequirements {
  /** Each need once, by kind, in the order of the object. Of programs that are not chosen none. */
  readonly requirements: readonly Requirement[];
  /** The Linux version that has all that is needed for sure, by the versions that are known. */
  readonly since: LinuxVersion | undefined;
}

/**
 * What the chosen programs and the maps of an object ask of a kernel. Pure: the same object gives the same answer on every
 * machine. A call that a program avoids on kernels without the function counts all the same.
 * @throws NetkitError `bad-object` for instructions or relocations that are damaged
 */
export function requirementsOf(spec: ObjectSpec<ObjectSignature>): ObjectRequirements {
  const collected = new Collected();
  const core = coreSections(spec);
  for (const program of spec.programs)
    if (spec.chosen.has(program.name)) addProgram(collected, spec, program, core);
  for (const map of spec.maps) {
    collected.add({ kind: 'map-type', type: map.type }, mapTypeSince(map.type), map.name);
    if (map.kind !== 'struct_ops' || map.valueType === undefined || spec.btf === undefined) continue;
    const struct = spec.btf.type(map.valueType).name;
    collected.add({ kind: 'struct-ops', struct }, undefined, map.name);
    collected.add({ kind: 'kernel-btf' }, undefined, map.name);
  }
  for (const { name, kind, weak } of spec.externs)
    if (kind === 'kconfig') collected.add({ kind: 'kconfig', name }, undefined, '', weak);
  const requirements = collected.all();
  const versions = requirements.flatMap((each) =>
    each.since === undefined || each.optional || hasOtherWay(each) ? [] : [each.since],
  );
  return { requirements, since: versions.sort(compareVersions).at(-1) };
}

/** tc programs run on kernels without tcx as well, as filters of a clsact qdisc. */
export function hasOtherWay(need: Need): boolean {
  return need.kind === 'hook' && (need.attach === 'tcx_ingress' || need.attach === 'tcx_egress');
}

function addProgram(
  collected: Collected,
  spec: ObjectSpec<ObjectSignature>,
  program: ProgramSpec,
  core: ReadonlySet<string>,
): void {
  const { name, type, attachType, section, target, sleepable } = program;
  const [first = section] = section.split('/');
  const add = (need: Need, since: LinuxVersion | undefined, optional = false) =>
    collected.add(need, since, name, optional);
  if (type !== 'unspec') {
    add({ kind: 'program-type', type }, programTypeSince(type));
    const since = attachType === undefined ? undefined : attachTypeSince(attachType);
    add({ kind: 'hook', type, attach: attachType, section: first }, since);
  }
  if (target !== undefined)
    add({ kind: 'target', of: target.kind, name: target.text, section: first }, undefined);
  const needsBtf = type === 'tracing' || type === 'lsm' || type === 'struct_ops' || type === 'ext';
  if (needsBtf || core.has(section) || core.has(`?${section}`)) add({ kind: 'kernel-btf' }, undefined);
  if (program.frags) add({ kind: 'xdp-frags' }, '5.18');
  const code = codeNeeds(spec.listing(name));
  addCalls(spec, code, add, { type, sleepable });
  for (const feature of code.features) add({ kind: 'instructions', feature }, instructionFeatures[feature]);
}

type Add = (need: Need, since: LinuxVersion | undefined, optional?: boolean) => void;

function addCalls(
  { btf, externs }: ObjectSpec<ObjectSignature>,
  { helpers, names }: CodeNeeds,
  add: Add,
  { type, sleepable }: Pick<ProgramSpec, 'type' | 'sleepable'>,
): void {
  for (const number of helpers) {
    const helper = helperFunctions[number];
    if (helper !== undefined && number > 0)
      add({ kind: 'helper', helper, type, sleepable }, helperSince(helper));
  }
  for (const { name, kind, weak, type: id } of externs) {
    if (kind !== 'ksym' || !names.has(name)) continue;
    const isFunction = btf?.type(id).kind === 'func';
    if (isFunction) add({ kind: 'kfunc', name }, kfuncSince(name), weak);
    else add({ kind: 'kernel-variable', name }, undefined, weak);
    if (isFunction) add({ kind: 'kernel-btf' }, undefined, weak);
  }
}

function coreSections({ bytes }: ObjectSpec<ObjectSignature>): ReadonlySet<string> {
  const elf = readElf(bytes);
  const [ext, btf] = [elf.section('.BTF.ext'), elf.section('.BTF')];
  return ext === undefined || btf === undefined ? new Set() : sectionsWithCore(ext.data, btf.data);
}

interface Entry {
  readonly need: Need;
  readonly since: LinuxVersion | undefined;
  readonly neededBy: string[];
  optional: boolean;
}

const kinds: readonly Need['kind'][] = [
  'program-type',
  'hook',
  'target',
  'struct-ops',
  'map-type',
  'helper',
  'kfunc',
  'kernel-variable',
  'kernel-btf',
  'kconfig',
  'instructions',
  'xdp-frags',
];

/** Needs, each once with everyone who has it. */
class Collected {
  readonly #entries = new Map<string, Entry>();

  add(need: Need, since: LinuxVersion | undefined, by: string, optional = false): void {
    const key = JSON.stringify(need);
    const entry = this.#entries.get(key) ?? { need, since, neededBy: [], optional };
    this.#entries.set(key, entry);
    if (by !== '' && !entry.neededBy.includes(by)) entry.neededBy.push(by);
    // Who cannot do without decides.
    entry.optional &&= optional;
  }

  all(): Requirement[] {
    return [...this.#entries.values()]
      .sort((one, other) => kinds.indexOf(one.need.kind) - kinds.indexOf(other.need.kind))
      .map(({ need, since, neededBy, optional }) => ({ ...need, since, neededBy, optional }));
  }
}
