/** One map of each type, and how an entry gets into it: what the table of map types and operations is made with. */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { attachTypes } from '../../src/base/kernel-words.js';
import type { Scope } from '../../src/base/scope.js';
import { BpfMap, type CreateMapOptions } from '../../src/ebpf/map.js';
import { openNamed } from '../../src/ebpf/map-descriptors.js';
import { possibleCpus } from '../../src/ebpf/possible-cpus.js';
import { Program } from '../../src/ebpf/program.js';
import { cgroupRoot } from '../../src/host/cgroup.js';
import { pageSize } from '../../src/host/page-size.js';
import { btfForMap } from '../../src/obj/btf/map-types.js';
import type { Value } from '../../src/obj/codec/index.js';
import type { MapTypeWord } from '../../src/obj/map-definition.js';
import { openOutputEvent } from '../../src/sys/perf-event.js';
import { attachWithStorage, registerCongestionControl, returning, storeStack } from './instructions.js';
import { listeningSocket, xdpSocket } from './sockets.js';

type MapTypeName = Exclude<MapTypeWord, 'unspec'>;

/** An entry that a test writes and finds again. */
export interface Entry {
  /** Undefined where the kernel chooses it, and for maps without keys. */
  readonly key?: Value;
  readonly value: Value;
  /** What reading gives, or what it must be like; the value itself when left out. */
  readonly reads?: Value | ((value: Value) => boolean);
  /** Another value for the same key. */
  readonly other: Value;
  /** A key that is not the entry's but is answered by it. */
  readonly asked?: Value;
  /** Puts the entry in where `set` is not the way, and gives the key that the kernel chose. */
  readonly put?: (map: BpfMap) => Value;
  /** Whether the entry is there, where it cannot be read. */
  readonly isThere?: (map: BpfMap) => boolean;
}

/** How to make a map of a type, and an entry for it. What is opened for it lasts as long as the scope. */
export interface MapKind {
  readonly options: (scope: Scope) => Omit<CreateMapOptions, 'type' | 'name'>;
  readonly entry?: (scope: Scope) => Entry;
}

const typed = (key: string | undefined, value?: string): Pick<CreateMapOptions, 'btf'> => {
  const word = (name: string | undefined) => (name === undefined ? undefined : { word: name });
  const made = btfForMap({ key: word(key), value: word(value) });
  if (made === undefined) throw new Error('no types');
  return { btf: { blob: made.bytes, keyTypeId: made.key, valueTypeId: made.value } };
};

const numbers: Entry = { key: 1, value: 7n, other: 9n };
const cpus = (value: bigint): bigint[] => Array.from({ length: possibleCpus() }, () => value);
const perCpu = (): Entry => ({ key: 1, value: 7n, reads: cpus(7n), other: 9n });

const plain: MapKind = { options: () => ({ ...typed('u32', 'u64'), maxEntries: 8 }), entry: () => numbers };
const perCpuKind: MapKind = { ...plain, entry: perCpu };
const keyless: MapKind = {
  options: () => ({ ...typed(undefined, 'u64'), maxEntries: 8 }),
  entry: () => ({ value: 7n, other: 9n }),
};

const innerMap = (scope: Scope): BpfMap =>
  scope.use(BpfMap.create({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 2 }));
const ofMaps: MapKind = {
  options: (scope) => ({ ...typed('u32'), maxEntries: 4, inner: innerMap(scope) }),
  entry: (scope) => ({
    key: 1,
    value: `id:${innerMap(scope).info.id}`,
    other: `id:${innerMap(scope).info.id}`,
  }),
};

const loopback = 1;
const redirectProgram = (scope: Scope, attach: 'xdp_devmap' | 'xdp_cpumap'): Program =>
  scope.use(new Program(returning(2, 'xdp', { expected_attach_type: attachTypes.indexOf(attach) })));

/** Interfaces by index, with a program: its id comes back. */
const devices: MapKind = {
  options: () => ({ keySize: 4, valueSize: 8, maxEntries: 4 }),
  entry: (scope) => ({
    key: 1,
    value: { ifindex: loopback, prog: redirectProgram(scope, 'xdp_devmap').info().id },
    other: { ifindex: loopback, prog: 0 },
  }),
};

const socketName = (scope: Scope): string => `fd:${scope.use(listeningSocket()).value}`;
const isFilled = (value: Value): boolean => /^hex:.*[1-9a-f]/.test(String(value));
const socketEntry = (scope: Scope): Entry => ({
  key: 1,
  value: socketName(scope),
  other: socketName(scope),
  reads: (value) => /^cookie:[1-9]\d*$/.test(String(value)),
});
const sockets: MapKind = {
  options: () => ({ ...typed('u32'), valueSize: 8, maxEntries: 4 }),
  entry: socketEntry,
};

/** A slot whose content the kernel does not tell: it is there when no new one can take its place. */
const isTaken =
  (value: Value) =>
  (map: BpfMap): boolean => {
    try {
      map.set(1, value, 'noexist');
      return false;
    } catch (error) {
      if (error instanceof Error && error.message.includes('already')) return true;
      throw error;
    }
  };

/** A slot without such a mode: something was there when deleting it finds it. */
const isDeleted =
  (value: Value) =>
  (map: BpfMap): boolean => {
    const was = map.delete(1);
    if (was) map.set(1, value);
    return was;
  };

const storage = (entry: (scope: Scope) => Entry): MapKind => ({
  options: () => typed('s32', 'u64'),
  entry,
});

function cgroup(scope: Scope): string {
  const root = cgroupRoot();
  if (root === undefined) throw new Error('no cgroup v2 tree is mounted');
  const path = mkdtempSync(join(root, `netkit-test-${process.pid}-`));
  scope.defer(() => rmdirSync(path));
  return path;
}

const cgroupStorage = (reads: (value: bigint) => Value): MapKind => ({
  options: () => typed('u64', 'u64'),
  entry: (scope) => ({
    value: 7n,
    reads: reads(7n),
    other: 9n,
    put: (map) => {
      using folder = openNamed('cgroup_array', cgroup(scope));
      if (folder === undefined) throw new Error('no folder');
      scope.use(attachWithStorage(map.fd, folder));
      const [key] = map.keys();
      if (key === undefined) throw new Error('the kernel made no entry');
      map.set(key, 7n);
      return key;
    },
  }),
});

/** All types that netkit knows. */
export const mapKinds: Readonly<Record<MapTypeName, MapKind>> = {
  hash: plain,
  array: plain,
  lru_hash: plain,
  percpu_hash: perCpuKind,
  percpu_array: perCpuKind,
  lru_percpu_hash: perCpuKind,
  lpm_trie: {
    options: () => ({ ...typed('prefix4', 'u64'), maxEntries: 8 }),
    entry: () => ({ ...numbers, key: '10.0.0.0/8', asked: '10.1.2.3/32' }),
  },
  prog_array: {
    options: () => ({ maxEntries: 4 }),
    entry: (scope) => {
      const program = scope.use(new Program(returning(0)));
      const other = scope.use(new Program(returning(1)));
      return {
        key: 1,
        value: `id:${program.info().id}`,
        other: `id:${other.info().id}`,
      };
    },
  },
  perf_event_array: {
    options: () => ({ maxEntries: 4 }),
    entry: (scope) => {
      const name = `fd:${scope.use(openOutputEvent(0).fd).value}`;
      return { key: 1, value: name, other: name, isThere: isDeleted(name) };
    },
  },
  cgroup_array: {
    options: () => ({ maxEntries: 4 }),
    entry: (scope) => {
      const path = cgroup(scope);
      return { key: 1, value: path, other: path, isThere: isDeleted(path) };
    },
  },
  stack_trace: {
    options: () => ({ valueSize: 8 * 32, maxEntries: 64 }),
    entry: () => ({ value: 0, other: 0, reads: isFilled, put: (map) => storeStack(map.fd) }),
  },
  array_of_maps: ofMaps,
  hash_of_maps: ofMaps,
  devmap: devices,
  devmap_hash: devices,
  cpumap: {
    options: () => ({ valueSize: 8, maxEntries: 2 }),
    entry: (scope) => ({
      key: 0,
      value: { qsize: 192, prog: redirectProgram(scope, 'xdp_cpumap').info().id },
      other: { qsize: 64, prog: 0 },
    }),
  },
  xskmap: {
    options: () => ({ maxEntries: 4 }),
    entry: (scope) => {
      const [value, other] = [xdpSocket(), xdpSocket()].map((socket) => `fd:${scope.use(socket).value}`);
      return { key: 1, value: value ?? '', other: value ?? '', isThere: isTaken(other ?? '') };
    },
  },
  sockmap: sockets,
  sockhash: sockets,
  reuseport_sockarray: sockets,
  cgroup_storage: cgroupStorage((value) => value),
  percpu_cgroup_storage: cgroupStorage(cpus),
  queue: keyless,
  stack: keyless,
  bloom_filter: keyless,
  sk_storage: storage((scope) => ({ ...numbers, key: socketName(scope) })),
  task_storage: storage(() => ({ ...numbers, key: `pid:${process.pid}` })),
  inode_storage: storage(() => ({ ...numbers, key: process.execPath })),
  cgrp_storage: storage((scope) => ({ ...numbers, key: cgroup(scope) })),
  struct_ops: {
    options: () => ({ struct: 'tcp_congestion_ops' }),
    entry: (scope) => ({
      value: 0,
      other: 0,
      reads: (value) => JSON.stringify(value).includes('"BPF_STRUCT_OPS_STATE_INUSE"'),
      put: (map) => {
        registerCongestionControl(map.fd);
        scope.defer(() => map.delete(0));
        return 0;
      },
    }),
  },
  ringbuf: { options: () => ({ maxEntries: pageSize() }) },
  user_ringbuf: { options: () => ({ maxEntries: pageSize() }) },
  arena: { options: () => ({ maxEntries: 1 }) },
};
