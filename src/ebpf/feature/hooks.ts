/** What this kernel offers, found out by asking it. Only to explain a failure, to choose a hook, and for `doctor`. */
import { existsSync, readFileSync } from 'node:fs';
import { attachTypes, programTypes } from '../../base/kernel-words.js';
import { atLeast } from '../../host/kernel.js';
import type { BtfGraph } from '../../obj/btf/types.js';
import { versionNumbers } from '../../obj/kernel-versions/version.js';
import type { AttachTypeWord } from '../../obj/sections.js';
import { Block } from '../../sys/block.js';
import { bpf, loadInstructions } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { interfaceIndex } from '../../sys/libc.js';
import { attr } from '../../sys/uapi.js';
import { runningBtf } from '../kernel-btf.js';
import { type Availability, answered, no, present, unknown } from './availability.js';
import { twoInstructions } from './code.js';
import { type HookName, type HookProbe, type HookRow, hookTable } from './hook-table.js';

export type { Availability } from './availability.js';
export type { HookName } from './hook-table.js';

/** Whether the kernel has a hook, by its name. */
export interface HookAvailability extends Availability {
  readonly name: HookName;
  /** The Linux version that brought it: `6.6`. */
  readonly since: string;
}

const known = new Map<HookName, Availability>();

/**
 * Whether the kernel has a hook. Probing attaches nothing and leaves nothing; it needs the rights to load programs, and
 * says so where they are missing. Conclusive answers are kept for the life of the process.
 * @throws TypeError for a name that is none of `HookName`
 */
export function hookAvailable(hook: HookName): Availability {
  const kept = known.get(hook);
  if (kept !== undefined) return kept;
  const row = hookTable.find(({ name }) => name === hook);
  if (row === undefined) throw new TypeError(`no hook is called ${hook}`);
  const answer = ask(row);
  if (answer.available !== null) known.set(hook, answer);
  return answer;
}

/** Every hook that netkit knows of, and whether the kernel has it. */
export function allHooks(): HookAvailability[] {
  return hookTable.map(({ name, since }) => ({ name, since, ...hookAvailable(name) }));
}

function ask(row: HookRow): Availability {
  return answered(row.task, () => probe(row, row.probe));
}

function probe(row: HookRow, way: HookProbe): Availability {
  switch (way.way) {
    case 'load':
      return loadable(row, way);
    case 'query':
      return queryable(row, way.attach);
    case 'struct':
      return inKernelBtf(row, (btf) => btf.find(way.name, 'struct') !== undefined);
    case 'enumerator':
      return inKernelBtf(
        row,
        (btf) => btf.find(way.besides, 'struct') !== undefined && hasAttachType(btf, way.name),
      );
  }
}

const there = ({ since }: HookRow): Availability => present(since);

function absent({ name, since }: HookRow): Availability {
  const why = atLeast(...versionNumbers(since)) ? 'it was built without' : `it came with Linux ${since}`;
  return no(`this kernel has no ${name}: ${why}`);
}

function loadable(row: HookRow, way: Extract<HookProbe, { way: 'load' }>): Availability {
  const { type, attach, target, file, needsPartner } = way;
  if (file !== undefined && !existsSync(file)) return absent(row);
  if (type === 'lsm' && isLsmInactive())
    return no("'bpf' is not among the active security modules (boot option lsm=)");
  const values = {
    expected_attach_type: attach === undefined ? 0 : attachTypes.indexOf(attach),
    attach_btf_id: 0,
  };
  if (target !== undefined) {
    const place = findTarget(target);
    if (place === undefined) return runningBtf() === undefined ? no('this kernel has no BTF') : absent(row);
    values.attach_btf_id = place.id;
    if (place.member !== undefined) values.expected_attach_type = place.member;
  }
  try {
    using _program = loadInstructions(programTypes.indexOf(type), twoInstructions, values);
    return there(row);
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    return needsPartner === true ? there(row) : absent(row);
  }
}

/** Asks which programs are on the loopback's hook: a kernel without the hook calls the attach type invalid. */
function queryable(row: HookRow, type: AttachTypeWord): Availability {
  const loopback = interfaceIndex('lo');
  if (loopback === undefined) return unknown('this network namespace has no loopback interface to ask about');
  try {
    const request = new Block(attr.query, {
      target_ifindex: loopback,
      attach_type: attachTypes.indexOf(type),
    });
    bpf('PROG_QUERY', request, `query ${type}`);
    return there(row);
  } catch (error) {
    // ENXIO: the kernel knows the device type, which the loopback is not.
    if (isErrno(error, 'ENOENT', 'ENXIO')) return there(row);
    if (isErrno(error, 'EINVAL')) return absent(row);
    throw error;
  }
}

function inKernelBtf(row: HookRow, has: (btf: BtfGraph) => boolean): Availability {
  const btf = runningBtf();
  if (btf === undefined) return unknown('the kernel has no BTF to look it up in');
  return has(btf) ? there(row) : absent(row);
}

function hasAttachType(btf: BtfGraph, enumerator: string): boolean {
  const type = btf.find('bpf_attach_type', 'enum');
  return type?.kind === 'enum' && type.values.some(({ name }) => name === enumerator);
}

function findTarget(
  target: NonNullable<Extract<HookProbe, { way: 'load' }>['target']>,
): { id: number; member: number | undefined } | undefined {
  const type = runningBtf()?.find(target.name, target.kind);
  if (type === undefined) return undefined;
  if (target.member === undefined || type.kind !== 'struct') return { id: type.id, member: undefined };
  return { id: type.id, member: type.members.findIndex(({ name }) => name === target.member) };
}

/** False where it cannot be told. */
function isLsmInactive(): boolean {
  try {
    return !readFileSync('/sys/kernel/security/lsm', 'utf8').trim().split(',').includes('bpf');
  } catch {
    return false;
  }
}
