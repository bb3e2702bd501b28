/** What commands about manifests are killed on: functions and a chain as they were declared once, and later. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BpfMap } from '../../src/ebpf/map.js';
import { queryOrder } from '../../src/ebpf/order.js';
import { Program } from '../../src/ebpf/program.js';
import { snapshotKernelState } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { withoutIds } from './kill-ground.js';
import {
  attachedTo,
  chainOf,
  egress,
  functionOf,
  type ManifestDocument,
  type ManifestGround,
} from './manifest-ground.js';
import { clearFilters } from './plan-ground.js';

/** The programs that both kinds of chain and kernels of any age take. */
const only = ['one', 'two', 'three', 'xdp_one'];
const programNames = ['one', 'two', 'xdp_one', 'xdp_two', '', '', '', '', 'three'];
/** What else there is in the kernel may be somebody else's. */
const ownObject =
  /^(prog|map) .* (one|two|three|xdp_one|xdp_two|words|others|tallies|by_list|pairs|lists|[fg]\.rodata)$/;
let standing: ReadonlySet<string> = new Set();

/** What there is now is nobody's here, whatever becomes of it: called before the first command on a ground. */
export function leaveOutWhatStands(): void {
  standing = snapshotKernelState();
}

/** A place of `tallies` that no program writes. */
const quietPlace = 12;

/** What is declared, one of these after another. */
export const releases = {
  /** Two functions and a chain. */
  first: {
    f: { words: { 1: '100', 2: '200' }, others: { 1: 10, 2: 20 }, priority: 30, egress: 'two', tier: 'edge' },
    chain: ['f', 'g'],
  },
  /** The programs stay. */
  inPlace: {
    f: {
      words: { 1: '101', 3: '300' },
      others: { 2: 21, 3: 30 },
      // Behind g, where that can be had without a gap.
      priority: kernelLacks('tcx') === undefined ? 50 : 30,
      egress: 'three',
      tier: 'core',
    },
    chain: ['g', 'f'],
  },
  /** Other programs of f: the map `words` is kept, and `others` is migrated. */
  upgraded: {
    f: {
      words: { 1: '102', 2: '200', 4: '400' },
      others: { 1: 12, 4: 40 },
      priority: 30,
      egress: 'three',
      tier: 'edge',
      heavier: true,
    },
    chain: ['f', 'g'],
  },
} as const satisfies Record<string, Release>;

interface Release {
  readonly f: {
    readonly words: Readonly<Record<number, string>>;
    readonly others: Readonly<Record<number, number>>;
    readonly priority: number;
    readonly egress: string;
    readonly tier: string;
    readonly heavier?: true;
  };
  readonly chain: readonly string[];
}

/** Writes the manifest of a release and the file of entries that it names. */
export function declare(
  g: ManifestGround,
  release: keyof typeof releases,
  health?: Readonly<Record<string, unknown>>,
): void {
  const { f, chain }: Release = releases[release];
  const lines = Object.entries(f.others).map((entry) => `${entry.join()}\n`);
  g.writes('others.csv', `key,value\n${lines.join('')}`);
  g.declares([
    withLabels(
      functionOf({
        program: { object: f.heavier === true ? g.heavier : g.object, only },
        maps: {
          words: { entries: f.words },
          others: { from: './others.csv', maxEntries: f.heavier === true ? 200 : 100 },
        },
        attach: [attachedTo(g, 'one', { priority: f.priority }), attachedTo(g, f.egress, { hook: egress })],
        ...(health === undefined ? {} : { health }),
      }),
      { tier: f.tier },
    ),
    functionOf(
      {
        program: { object: g.object, only: ['two', 'xdp_two'] },
        attach: [attachedTo(g, 'two', { priority: 40 })],
        maps: { pairs: { entries: [{ key: { a: 1, b: 2 }, value: { a: 3, b: 4 } }] } },
      },
      'g',
    ),
    chainOf({ interface: g.ground.ifname, netns: g.ground.netns.name, hook: 'xdp', functions: chain }),
  ]);
}

function withLabels(
  { metadata, ...rest }: ManifestDocument,
  labels: Readonly<Record<string, string>>,
): ManifestDocument {
  return { ...rest, metadata: { ...metadata, labels } };
}

/** Entries that somebody else adds to maps of f, which no command may lose. */
export function plantEntries(g: ManifestGround): void {
  for (const [name, key, value] of [
    ['words', 50, 5000n],
    ['others', 60, 6000n],
    ['tallies', quietPlace, { count: 4242n, turn: 0n }],
  ] as const) {
    using map = BpfMap.fromPin(g.pin('f', 'maps', name));
    map.set(key, value);
  }
}

/** Somebody removes f from the bpffs, which takes its links off. Filters of tc are not pinned. */
export function removeFolder(g: ManifestGround): void {
  rmSync(g.pin('f'), { recursive: true });
}

/** Somebody removes everything from the bpffs, which takes programs off; filters of tc are not pinned. */
export function removePins({ ground }: ManifestGround): void {
  const { path } = ground.bpffs.root;
  for (const { name } of readdirSync(path, { withFileTypes: true }).filter((each) => each.isDirectory()))
    rmSync(join(path, name), { recursive: true });
  clearFilters(ground);
}

/** Everything is as it was before the first command, but for the lock. */
export async function clear({ ground }: ManifestGround): Promise<void> {
  await ground.manages('delete', 'f', 'g', 'edge', '--if-exists', '--yes');
}

/** All that commands about manifests change: `exact` with what differs from one load to the next. */
export interface WholePicture {
  readonly exact: unknown;
  readonly comparable: unknown;
}

export async function wholePicture(g: ManifestGround): Promise<WholePicture> {
  const files = stateFiles(g);
  const pins = `pin ${g.ground.bpffs.root.path}/`;
  const seen = {
    maps: ['f', 'g'].flatMap((name) => mapsOf(g, name)),
    ran: await programsThatRan(g),
    hooks: g.ground.hooks().map(withoutIds),
    order: orderOn(g),
    // Ids of programs and maps that are pinned are told below; a dispatcher's, in the name of its folder, is new with each change.
    kernel: [...snapshotKernelState()]
      .filter((line) => !standing.has(line) && (ownObject.test(line) || line.startsWith(pins)))
      .map((line) => line.replace(/^(prog|map) \d+/, '$1').replace(/(?<=\/dispatch)-\d+-\d+/, ''))
      .sort(),
  };
  return {
    exact: {
      ...seen,
      files: files.map(([name, content]) => [name, without(loadedAnew, content)]),
      ids: pinnedIds(g),
    },
    comparable: { ...seen, files: files.map(([name, content]) => [name, without(unstable, content)]) },
  };
}

/** The names of the programs in the order of tcx. */
function orderOn({ ground: { ifname, netns } }: ManifestGround): string[] {
  if (kernelLacks('tcx') !== undefined) return [];
  const { entries } = queryOrder({ hook: 'tcx', ifname, direction: 'ingress', netns: netns.handle });
  return entries.map(({ programId }) => {
    using program = Program.fromId(programId);
    return program.info().name;
  });
}

/** Links are made anew where there was a gap, and what holds a chain together with each change of it; these never are. */
function pinnedIds({ ground }: ManifestGround): string[] {
  return ground.bpffs.pins().flatMap((pin) => {
    const path = join(ground.bpffs.root.path, pin);
    if (/^netkit\/[fg]\/progs\//.test(pin)) {
      using program = Program.fromPin(path);
      return [`${pin} ${program.info().id}`];
    }
    if (!/^netkit\/[fg]\/maps\//.test(pin)) return [];
    using map = BpfMap.fromPin(path);
    return [`${pin} ${map.info.id}`];
  });
}

/** Every file of the state directory by its name: JSON as what it says, others by their digests. */
function stateFiles({ ground }: ManifestGround): [string, unknown][] {
  const { stateDir } = ground.bpffs;
  return readdirSync(stateDir)
    .sort()
    .filter((name) => name !== 'lock' && !isReturned(join(stateDir, name)))
    .map((name) => {
      const bytes = readFileSync(join(stateDir, name));
      const isJson = /\.(json|chain|pending)$/.test(name);
      return [name, isJson ? JSON.parse(bytes.toString()) : createHash('sha256').update(bytes).digest('hex')];
    });
}

/** That a change was taken back is kept for whoever comes to confirm it. */
function isReturned(path: string): boolean {
  return path.endsWith('.pending') && JSON.parse(readFileSync(path, 'utf8')).stage === 'returned';
}

/** A member of a chain that was taken off and put back has another id. */
const loadedAnew = new Set(['programId']);
/** What is another one with each change; a filter's handle, which is drawn, where there is no tcx. */
const unstable = new Set([...loadedAnew, 'change', 'since', 'appliedAt', 'loadedAt', 'mtimeNs', 'handle']);

function without(keys: ReadonlySet<string>, content: unknown): unknown {
  return JSON.parse(JSON.stringify(content, (key, value: unknown) => (keys.has(key) ? undefined : value)));
}

/** Entries of a function's maps but those that its programs write; undefined where a map is not there. */
function mapsOf(g: ManifestGround, name: string): [string, unknown][] {
  return ['words', 'others', 'pairs', 'by_list', 'tallies'].map((map) => [
    `${name}/${map}`,
    entriesAt(g, name, map),
  ]);
}

function entriesAt(g: ManifestGround, name: string, mapName: string): unknown {
  if (!isPinned(g, name, mapName)) return undefined;
  using map = BpfMap.fromPin(g.pin(name, 'maps', mapName));
  if (mapName === 'tallies') return String(tallyAt(map, quietPlace).count);
  const found: string[] = [];
  for (const { count, keys, values } of map.batches()) {
    const { keySize, valueStride } = map.layout;
    for (let at = 0; at < count; at++)
      found.push(
        `${hex(keys.subarray(at * keySize, (at + 1) * keySize))} ${hex(values.subarray(at * valueStride, (at + 1) * valueStride))}`,
      );
  }
  return { maxEntries: map.info.maxEntries, entries: found.sort() };
}

function isPinned({ ground }: ManifestGround, name: string, map: string): boolean {
  return ground.bpffs.pins().includes(`netkit/${name}/maps/${map}`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

function tallyAt(map: BpfMap, place: number): { count: bigint; turn: bigint } {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(place);
  const value = map.getBytes(key);
  if (value === undefined) throw new Error('an array without its entries');
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return { count: view.getBigUint64(0, true), turn: view.getBigUint64(8, true) };
}

/** Which programs a packet that is answered meets. */
async function programsThatRan(g: ManifestGround): Promise<string[]> {
  const before = counts(g);
  const answered = await g.ground.pings(1);
  const after = counts(g);
  const names = [...after].filter(([name, count]) => count !== before.get(name)).map(([name]) => name);
  return [`${answered} answered`, ...names.sort()];
}

function counts(g: ManifestGround): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const name of ['f', 'g']) {
    if (!isPinned(g, name, 'tallies')) continue;
    using map = BpfMap.fromPin(g.pin(name, 'maps', 'tallies'));
    for (const [place, program] of programNames.entries())
      if (program !== '') found.set(`${name}/${program}`, tallyAt(map, place).count);
  }
  return found;
}
