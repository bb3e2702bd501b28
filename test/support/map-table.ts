/** What every operation on every type of map is expected to come to, and the outcome as Markdown. */
export const operations = [
  'create',
  'show',
  'get',
  'lookup',
  'update',
  'delete',
  'dump',
  'watch',
  'push',
  'pop',
  'peek',
  'freeze',
  'pin',
] as const;
export type Operation = (typeof operations)[number];

export type Cell = { readonly works: true } | { readonly works: false; readonly reason: string };

type Refusals = Partial<Readonly<Record<Operation, string>>>;

const entries = ['get', 'lookup', 'update', 'delete'] as const;
const listing = ['dump', 'watch'] as const;
const values = ['push', 'pop', 'peek'] as const;

function refused(which: readonly Operation[], why: string): Refusals {
  return Object.fromEntries(which.map((operation) => [operation, why]));
}

const hasKeys = refused(values, 'its entries have keys');
const array: Refusals = { ...hasKeys, delete: 'its entries are always there' };
const queue = refused([...entries, ...listing], 'it has no keys');
const untold = (what: string): Refusals => ({
  ...hasKeys,
  ...refused(['get', 'lookup', ...listing], `the kernel does not tell which ${what} are in it`),
});
const storage = (owner: string): Refusals => ({
  ...hasKeys,
  ...refused(listing, `the kernel keeps each entry with its ${owner} and lists none`),
});
const cgroupStorage: Refusals = { ...hasKeys, delete: 'the kernel deletes an entry when its cgroup goes' };

/** What is refused, with a part of the reason; all else works. What is not named has keys, and everything that goes with them. */
const refusals: Readonly<Record<string, Refusals>> = {
  array,
  percpu_array: array,
  stack_trace: { ...hasKeys, update: 'only programs write stack traces' },
  // Its records can be watched, though its entries cannot be read.
  perf_event_array: { ...untold('perf events'), watch: '' },
  cgroup_array: untold('cgroups'),
  xskmap: untold('sockets'),
  queue,
  stack: queue,
  bloom_filter: refused(
    ['get', 'update', 'delete', ...listing, 'pop', 'peek'],
    'it only tells whether a value may be in it',
  ),
  cgroup_storage: cgroupStorage,
  percpu_cgroup_storage: cgroupStorage,
  sk_storage: storage('socket'),
  inode_storage: storage('file'),
  task_storage: storage('process'),
  cgrp_storage: storage('cgroup'),
  struct_ops: {
    ...hasKeys,
    update: 'its members are programs',
    freeze: 'the kernel changes it itself',
  },
  ringbuf: refused([...entries, 'dump', ...values], 'it is a stream of records and has no entries'),
  user_ringbuf: refused(
    [...entries, ...listing, ...values],
    'it is a stream of records, which programs read',
  ),
  arena: refused(
    [...entries, ...listing, ...values],
    'it is memory shared with programs, and has no entries',
  ),
};

/** Types that came after the oldest kernel that netkit supports, 5.10. */
const since: Readonly<Record<string, readonly [major: number, minor: number]>> = {
  task_storage: [5, 11],
  bloom_filter: [5, 16],
  user_ringbuf: [6, 1],
  cgrp_storage: [6, 2],
  arena: [6, 9],
};

/** @returns a part of the reason for a refusal, undefined for what works */
export function expectedRefusal(
  type: string,
  operation: Operation,
  atLeast: (major: number, minor: number) => boolean,
): string | undefined {
  const version = since[type];
  if (version !== undefined && !atLeast(...version))
    return `this kernel has no ${type} maps: they came with Linux ${version.join('.')}`;
  return ((refusals[type] ?? hasKeys)[operation] ?? '') || undefined;
}

/** The table, with the reasons below it, each once. */
export function tableOf(release: string, table: ReadonlyMap<string, ReadonlyMap<Operation, Cell>>): string {
  const reasons: string[] = [];
  const cellText = (cell: Cell | undefined): string => {
    if (cell === undefined) return 'NOT TRIED';
    if (cell.works) return 'works';
    const reason = cell.reason.replace(/^.*map ('trial'|trial cannot be frozen): /, '');
    if (!reasons.includes(reason)) reasons.push(reason);
    return `no (${reasons.indexOf(reason) + 1})`;
  };
  const rows = [...table].map(
    ([type, row]) =>
      `| ${[`\`${type}\``, ...operations.map((name) => cellText(row.get(name)))].join(' | ')} |`,
  );
  return [
    `Map types and operations on Linux ${release}`,
    '',
    `| type | ${operations.join(' | ')} |`,
    `|---|${operations.map(() => '---').join('|')}|`,
    ...rows,
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}`),
    '',
  ].join('\n');
}
