/** What can be done with the entries of a map from user space, by its type: the same on every kernel. */
import { NetkitError } from '../base/errors.js';

/** The operations on entries, as the commands are called. */
export const mapOperations = ['get', 'lookup', 'update', 'delete', 'dump', 'push', 'pop', 'peek'] as const;
export type MapOperation = (typeof mapOperations)[number];

type Reasons = Readonly<Partial<Record<MapOperation, string>>>;

const keyed = ['get', 'lookup', 'update', 'delete', 'dump'] as const;
const keyless = ['push', 'pop', 'peek'] as const;

const hasKeys = all(keyless, 'its entries have keys: get, update and delete are for these');
const isStream = 'it is a stream of records and has no entries';
const staysFull = 'its entries are always there: write a zero value instead';

const ofArray: Reasons = { ...hasKeys, delete: staysFull };
const ofQueue: Reasons = all(keyed, 'it has no keys: push, pop and peek take one value at a time');
/** Entries of local storage lie with what they belong to. */
function ofStorage(owner: string): Reasons {
  return {
    ...hasKeys,
    dump: `the kernel keeps each entry with its ${owner} and lists none: get asks for one`,
  };
}
const ofStream: Reasons = all(mapOperations, isStream);
const ofCgroupStorage: Reasons = { ...hasKeys, delete: 'the kernel deletes an entry when its cgroup goes' };

/** Why an operation is not there, by map type. What is not named here has every operation on keys. */
const reasons: Readonly<Record<string, Reasons>> = {
  array: ofArray,
  percpu_array: ofArray,
  queue: ofQueue,
  stack: ofQueue,
  bloom_filter: {
    ...all(
      ['get', 'update', 'delete', 'dump', 'pop', 'peek'],
      'it only tells whether a value may be in it: push adds one, lookup asks',
    ),
  },
  ringbuf: ofStream,
  user_ringbuf: { ...ofStream, ...all(mapOperations, 'it is a stream of records, which programs read') },
  arena: all(mapOperations, 'it is memory shared with programs, and has no entries'),
  stack_trace: { ...hasKeys, update: 'only programs write stack traces' },
  perf_event_array: {
    ...hasKeys,
    ...all(['get', 'lookup', 'dump'], 'the kernel does not tell which perf events are in it'),
  },
  cgroup_array: {
    ...hasKeys,
    ...all(['get', 'lookup', 'dump'], 'the kernel does not tell which cgroups are in it'),
  },
  xskmap: {
    ...hasKeys,
    ...all(['get', 'lookup', 'dump'], 'the kernel does not tell which sockets are in it'),
  },
  cgroup_storage: ofCgroupStorage,
  percpu_cgroup_storage: ofCgroupStorage,
  sk_storage: ofStorage('socket'),
  inode_storage: ofStorage('file'),
  task_storage: ofStorage('process'),
  cgrp_storage: ofStorage('cgroup'),
  struct_ops: { ...hasKeys, update: 'its members are programs: it is filled when its object is loaded' },
};

function all(operations: readonly MapOperation[], reason: string): Reasons {
  return Object.fromEntries(operations.map((operation) => [operation, reason]));
}

/** Why maps of this type do not have an operation; undefined where they do. */
export function reasonAgainst(type: string, operation: MapOperation): string | undefined {
  return (reasons[type] ?? hasKeys)[operation];
}

/**
 * For what no kernel does with maps of that type.
 * @throws NetkitError `unsupported` with the reason
 */
export function requireOperation(
  map: { readonly name: string; readonly type: string },
  operation: MapOperation,
): void {
  const reason = reasonAgainst(map.type, operation);
  if (reason === undefined) return;
  throw new NetkitError(
    'unsupported',
    `${operation} does not work on the ${map.type} map '${map.name}': ${reason}`,
    {
      details: { map: map.name, type: map.type, operation },
    },
  );
}

/** Whether user space sees keys: queues, stacks and bloom filters hold values only. */
export function hasKeysToGive(type: string): boolean {
  return type !== 'queue' && type !== 'stack' && type !== 'bloom_filter';
}
