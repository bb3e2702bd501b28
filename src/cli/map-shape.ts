/** The sizes that a map of each type can have, and what follows from the type alone. */
import { counted } from '../base/counted.js';
import { NetkitError } from '../base/errors.js';
import type { MapFlagWord } from '../ebpf/map-flags.js';
import { type MapPlan, mapPlan } from '../ebpf/map-plans.js';
import type { MapTypeWord } from '../obj/map-definition.js';

/** A map as it was asked for; undefined for what was left out. */
export interface AskedShape {
  readonly type: MapTypeWord;
  /** Bytes. */
  readonly keySize: number | undefined;
  /** Bytes. */
  readonly valueSize: number | undefined;
  readonly maxEntries: number | undefined;
  /** The kernel's words. */
  readonly flags: readonly MapFlagWord[];
  readonly inner: boolean;
  /** Bytes. */
  readonly pageSize: number;
  readonly possibleCpus: number;
}

export interface MapShape {
  /** Bytes. */
  readonly keySize: number;
  /** Bytes. */
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: readonly MapFlagWord[];
}

interface Range {
  /** The smallest size in bytes; 1 when left out. */
  readonly least?: number;
  readonly most?: number;
  readonly multipleOf?: number;
}

/** Sizes of which the kernel takes more than a few. */
const ranges: Readonly<Record<string, { readonly key?: Range; readonly value?: Range } | undefined>> = {
  lpm_trie: { key: { least: 5, most: 260 } },
  stack_trace: { value: { least: 8, multipleOf: 8 } },
  sockhash: { key: { most: 512 } },
};

const index = 'they are indices';
const reference = 'they refer to other objects';
const socket = '8 bytes show the cookies of the sockets';
const program = '8 bytes leave room for a program';
const owner = 'they name what an entry belongs to';

/** Why keys, and values, have the sizes that they have. */
const reasons: Readonly<Record<string, { readonly key?: string; readonly value?: string } | undefined>> = {
  array: { key: index },
  percpu_array: { key: index },
  prog_array: { key: index, value: reference },
  perf_event_array: { key: index, value: reference },
  cgroup_array: { key: index, value: reference },
  array_of_maps: { key: index, value: reference },
  hash_of_maps: { value: reference },
  lpm_trie: { key: 'a __u32 length, and 1 to 256 bytes of address' },
  stack_trace: { key: 'they are numbers of stacks', value: 'they are addresses' },
  devmap: { key: index, value: program },
  devmap_hash: { value: program },
  cpumap: { key: index, value: program },
  xskmap: { key: index, value: reference },
  sockmap: { key: index, value: socket },
  sockhash: { value: socket },
  reuseport_sockarray: { key: index, value: socket },
  sk_storage: { key: owner },
  inode_storage: { key: owner },
  task_storage: { key: owner },
  cgrp_storage: { key: owner },
  cgroup_storage: { key: 'a cgroup id, or a struct bpf_cgroup_storage_key' },
  percpu_cgroup_storage: { key: 'a cgroup id, or a struct bpf_cgroup_storage_key' },
};

/** Flags that only some types take; any other flag, and whatever else is wrong, the kernel refuses itself. */
const flagTypes: Readonly<Record<string, RegExp>> = {
  no_prealloc: /^(percpu_)?hash$|^lpm_trie$|^hash_of_maps$|_storage$/,
  no_common_lru: /^lru_/,
  zero_seed: /hash$|^bloom_filter$/,
  clone: /^sk_storage$/,
  mmapable: /^array$|^arena$/,
  preserve_elems: /^perf_event_array$/,
  inner_map: /^array$/,
};

/**
 * Fills in what a type prescribes, and refuses what it does not have.
 * @throws NetkitError `bad-value`, `usage` for what is missing
 */
export function mapShape(asked: AskedShape): MapShape {
  const { type } = asked;
  const plan = mapPlan(type);
  if (type === 'struct_ops') {
    throw new NetkitError('usage', 'a struct_ops map cannot be made by itself', {
      hint: 'the programs of an object file fill it: netkit load makes it',
    });
  }
  if (plan.inner && !asked.inner) {
    throw new NetkitError('usage', `${an(type)} map needs a map like those that will be in it`, {
      hint: 'name one with --inner REF',
    });
  }
  if (!plan.inner && asked.inner)
    throw new NetkitError('usage', `--inner is for maps of maps, not for ${an(type)} map`);
  return {
    keySize: sizeOf('key', type, plan.keySize, asked.keySize),
    valueSize: sizeOf('value', type, plan.valueSize, asked.valueSize),
    maxEntries: entriesOf(plan, asked),
    flags: flagsOf(plan, asked),
  };
}

function sizeOf(
  part: 'key' | 'value',
  type: string,
  fixed: MapPlan['keySize'],
  asked: number | undefined,
): number {
  if (fixed === 0) {
    if (asked === undefined || asked === 0) return 0;
    throw bad(`${an(type)} map has no ${part}s`, `leave out --${part}-type and --${part}-size`);
  }
  const sizes = typeof fixed === 'number' ? [fixed] : fixed;
  const reason = reasons[type]?.[part];
  const why = reason === undefined ? '' : `: ${reason}`;
  if (asked === undefined) {
    if (sizes?.[0] !== undefined) return sizes[0];
    throw new NetkitError('usage', `${an(type)} map needs to know how large its ${part}s are${why}`, {
      hint: `say --${part}-type TYPE, or --${part}-size BYTES`,
    });
  }
  const range = ranges[type]?.[part] ?? {};
  if (sizes === undefined ? isIn(range, asked) : sizes.includes(asked)) return asked;
  const wanted = sizes === undefined ? inWords(range) : `${sizes.toSorted(ascending).join(' or ')} bytes`;
  throw bad(`the ${part}s of ${an(type)} map have ${wanted}, not ${asked}${why}`);
}

function ascending(one: number, other: number): number {
  return one - other;
}

function isIn({ least = 1, most = Number.POSITIVE_INFINITY, multipleOf = 1 }: Range, size: number): boolean {
  return size >= least && size <= most && size % multipleOf === 0;
}

function inWords({ least = 1, most, multipleOf }: Range): string {
  if (multipleOf !== undefined) return `a multiple of ${multipleOf} bytes`;
  return most === undefined ? `at least ${counted(least, 'byte')}` : `${least} to ${most} bytes`;
}

function entriesOf(plan: MapPlan, { type, maxEntries, pageSize, possibleCpus }: AskedShape): number {
  if (plan.maxEntries === 0) {
    if (maxEntries === undefined || maxEntries === 0) return 0;
    throw bad(`${an(type)} map has no --max-entries: its entries come and go with what they belong to`);
  }
  // As libbpf does.
  if (maxEntries === undefined && type === 'perf_event_array') return possibleCpus;
  if (maxEntries === undefined) {
    throw new NetkitError('usage', `${an(type)} map needs --max-entries: ${plan.entriesAre}`);
  }
  const isRing = type === 'ringbuf' || type === 'user_ringbuf';
  if (isRing && !isRingSize(maxEntries, pageSize)) {
    throw bad(
      `the size of ${an(type)} map is a power of two and a multiple of the page (${pageSize} bytes), not ${maxEntries}`,
      `${ringSizeFrom(maxEntries, pageSize)} would do`,
    );
  }
  if (maxEntries === 0) throw bad(`${an(type)} map holds at least one entry`);
  return maxEntries;
}

function isRingSize(bytes: number, pageSize: number): boolean {
  return bytes > 0 && bytes % pageSize === 0 && Number.isInteger(Math.log2(bytes));
}

function ringSizeFrom(bytes: number, pageSize: number): number {
  return Math.min(2 ** 31, Math.max(pageSize, 2 ** Math.ceil(Math.log2(Math.max(1, bytes)))));
}

function flagsOf(plan: MapPlan, { type, flags }: AskedShape): MapFlagWord[] {
  const wrong = flags.find((each) => flagTypes[each]?.test(type) === false);
  if (wrong !== undefined) throw bad(`${an(type)} map does not take the flag ${wrong}`);
  if (flags.includes('rdonly_prog') && flags.includes('wronly_prog'))
    throw bad('rdonly_prog and wronly_prog exclude each other: programs could not use the map');
  return [...new Set([...plan.flags, ...flags])];
}

function bad(message: string, hint?: string): NetkitError {
  return new NetkitError('bad-value', message, { hint });
}

/** `an array`, `a hash` */
function an(type: string): string {
  return `${/^[aio]/.test(type) ? 'an' : 'a'} ${type}`;
}
