/** What a manifest declares for maps of the running kernel, and a model of what has to come of it. */

import type { DeclaredEntries } from '../../../../src/cnf/entries/declared-entries.js';
import { readInline } from '../../../../src/cnf/entries/inline.js';
import { type EntryChanges, type MergeOptions, mergeEntries } from '../../../../src/cnf/entries/merge.js';
import { load } from '../../../../src/ebpf/load.js';
import type { LoadedObject } from '../../../../src/ebpf/loaded-object.js';
import type { BpfMap } from '../../../../src/ebpf/map.js';
import { possibleCpus } from '../../../../src/ebpf/possible-cpus.js';
import type { Value } from '../../../../src/obj/codec/index.js';
import type { ObjectSpec } from '../../../../src/obj/spec.js';
import { declaredSpec } from '../../../unit/cnf/entries/support.js';

/** The object, loaded, with maps of these sizes. */
export function loaded(sizes: Readonly<Record<string, number>> = {}): {
  readonly object: LoadedObject;
  readonly spec: ObjectSpec;
} {
  const spec = declaredSpec();
  for (const [name, size] of Object.entries(sizes)) spec.setMapSize(name, size);
  return { object: load(spec), spec };
}

/** Members by name; the member '' is a value without members. */
export type Members = Readonly<Record<string, number>>;
/** By the text of the key. */
export type State = ReadonlyMap<string, Members>;

/** A kind of map that the model knows. */
export interface Kind {
  readonly map: string;
  readonly keys: readonly string[];
  readonly members: readonly string[];
  readonly isArray?: boolean;
}

const ruleMembers = ['action', 'tag', 'packets', 'bytes'];
const numbers = Array.from({ length: 8 }, (_, index) => String(index));
export const kinds: readonly Kind[] = [
  {
    map: 'blocklist',
    // Each within the one before it, so that asking for one may find another.
    keys: [
      '0.0.0.0/0',
      '10.0.0.0/8',
      '10.0.0.0/9',
      '10.0.0.0/16',
      '10.0.0.0/24',
      '10.0.0.1/32',
      '11.0.0.0/8',
      '128.0.0.0/1',
    ],
    members: ruleMembers,
  },
  { map: 'rules', keys: numbers, members: ruleMembers },
  { map: 'recent', keys: numbers, members: ruleMembers },
  { map: 'settings', keys: numbers, members: ruleMembers, isArray: true },
  { map: 'numbers', keys: numbers, members: [''] },
  { map: 'cpu_rules', keys: numbers, members: ruleMembers },
  { map: 'cpu_recent', keys: numbers, members: ruleMembers },
  { map: 'cpu_settings', keys: numbers, members: [''], isArray: true },
  { map: 'guarded', keys: numbers, members: ['limit', 'hits'] },
  { map: 'devices', keys: numbers, members: ['ifindex'] },
  { map: 'cores', keys: ['0', '1'].slice(0, possibleCpus()), members: ['qsize'] },
];

/** Entries as a manifest has them. */
export function declare(spec: ObjectSpec, { map }: Kind, state: State): DeclaredEntries {
  const entries = Object.fromEntries(
    [...state].map(([key, members]) => [
      key,
      '' in members
        ? String(members[''])
        : Object.fromEntries(Object.entries(members).map(([name, value]) => [name, String(value)])),
    ]),
  );
  return readInline(spec, map, entries);
}

/** Writes an entry as a program would. */
export function put(map: BpfMap, key: string, members: Members): void {
  map.set(key, '' in members ? (members[''] ?? 0) : { ...members });
}

/** All entries, in the order of their keys. Every CPU has the same. */
export function stateOf(map: BpfMap, kind: Kind): State {
  const found = new Map<string, Members>();
  for (const [key, value] of map) {
    const values =
      map.perCpu && Array.isArray(value)
        ? value.map((each) => membersOf(each, kind))
        : [membersOf(value, kind)];
    const [first = {}] = values;
    for (const each of values)
      if (JSON.stringify(each) !== JSON.stringify(first)) throw new Error(`CPUs differ at ${String(key)}`);
    found.set(String(key), first);
  }
  return sorted(found);
}

export function sorted(state: State): State {
  return new Map([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function membersOf(value: Value, { members }: Kind): Members {
  const member = (name: string): Value => {
    if (name === '') return value;
    return typeof value === 'object' && !Array.isArray(value) ? (value[name] ?? 0) : 0;
  };
  return Object.fromEntries(members.map((name) => [name, numberOf(member(name))]));
}

function numberOf(value: Value): number {
  return value === 'PASS' ? 0 : value === 'DROP' ? 1 : Number(value);
}

export function merge(
  map: BpfMap,
  last: DeclaredEntries | undefined,
  declared: DeclaredEntries | undefined,
  options: Partial<MergeOptions> = {},
): Promise<EntryChanges> {
  return mergeEntries({ map, last, declared, exact: false, ...options });
}
