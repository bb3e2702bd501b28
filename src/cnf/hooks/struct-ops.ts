/** Tables of the kernel's callbacks, such as a TCP congestion control: attached as a whole, in the place of a program. */
import { basename, dirname, join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { type Attachment, structOps } from '../../ebpf/attach/index.js';
import {
  keptByLink,
  rememberTable,
  removeTable,
  swapTable,
  tableState,
} from '../../ebpf/attach/struct-ops.js';
import { Link } from '../../ebpf/link.js';
import { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { exists, makeFolder, namesIn } from '../../host/folders.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { functionFolder, pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import type { FunctionState } from '../state.js';
import { storedObjectFile } from '../state-object.js';
import type { StateStore } from '../store.js';
import { storedSpec } from '../stored-spec.js';
import type { HookFamily, Notes, Replacement, StatedProgram } from './family.js';
import { keep } from './kernel-held.js';
import { pinnedLinks } from './pinned-link.js';
import { loadedReader } from './text-target.js';

type LinkedTable = LinkOf<'struct-ops'>;
type BareTable = LinkOf<'struct-ops-table'>;

/** What stands for a type of program where a table has the place of one. */
const tableType = 'struct_ops table';

/**
 * The tables of a function, as what can be attached.
 * @param structOf the kernel's struct of a table, where that is known
 */
export function tablesOf(
  { maps }: Pick<FunctionState, 'maps'>,
  structOf?: (table: string) => string | undefined,
): StatedProgram[] {
  return maps
    .filter(({ type }) => type === 'struct_ops')
    .map(({ name }) => ({ name, section: '.struct_ops', type: tableType, target: structOf?.(name) ?? name }));
}

/** The function with its tables among its programs: what `attach` chooses from. */
export function withTables(state: FunctionState, store: StateStore): FunctionState {
  if (!state.maps.some(({ type }) => type === 'struct_ops')) return state;
  const structs = new Map(
    storedObject(state.name, store)
      .structOps()
      .map(({ name, struct }) => [name, struct]),
  );
  return { ...state, programs: [...state.programs, ...tablesOf(state, (name) => structs.get(name))] };
}

function storedObject(name: string, store: StateStore): ObjectSpec {
  const state = store.read(name);
  if (state === undefined) throw new TypeError(`nothing is recorded of ${name}`);
  return storedSpec(store.objectPath(storedObjectFile(state)));
}

const links = pinnedLinks<LinkedTable>({
  make() {
    throw new TypeError('a table is no program');
  },
});

export const structOpsFamily: HookFamily<LinkedTable> = {
  family: 'struct-ops',
  hooks: [{ hook: 'struct_ops', sections: ['.struct_ops'], types: [tableType] }],
  target: loadedReader,
  options: [],
  linkType: 'struct_ops',
  ...links,
  pins: 'maps',
  plan({ program, state, target }) {
    using map = BpfMap.fromPin(pinPath(functionFolder(state.bpffs, state.name), 'maps', program.name));
    const family = keptByLink(map) ? 'struct-ops' : 'struct-ops-table';
    return {
      link: { family, program: program.name, hook: 'struct_ops', target: { kind: 'text', text: target } },
    };
  },
  attach(folder, link, notes) {
    using made = attachTable(folder, link, notes);
    if (!(made instanceof Link)) throw new TypeError('a table without a link');
    makeFolder(join(folder, 'links'));
    made.pin(pinPath(folder, 'links', link.name));
    return link;
  },
  hold: attachTable,
  swap(folder, link, from, to, notes) {
    const path = pinPath(folder, 'links', link.name);
    if (!exists(to) || !exists(from) || !exists(path)) return link;
    using next = BpfMap.fromPin(to);
    using expected = BpfMap.fromPin(from);
    using pinned = Link.fromPin(path);
    const { mapId } = pinned.info();
    if (mapId === next.info.id || mapId === 0) return link;
    // What is taken back may never have been done.
    const isUndone = dirname(dirname(to)) === folder;
    if (isUndone && mapId !== expected.info.id) return link;
    if (tableState(next) !== 'empty') swapTable(pinned, next, expected);
    else withPrograms(next, dirname(dirname(to)), link, notes, () => swapTable(pinned, next, expected));
    return link;
  },
  detail: () => '',
};

/** Tables that are no link: the kernel keeps them until they are taken away, and takes each of them once. */
export const structOpsTableFamily: HookFamily<BareTable> = {
  family: 'struct-ops-table',
  hooks: [],
  target: loadedReader,
  options: [],
  linkType: 'struct_ops',
  holder: 'kernel',
  replacing: 'gap',
  pins: 'maps',
  plan: structOpsFamily.plan,
  attach(folder, link, notes) {
    keep(attachTable(folder, link, notes));
    return link;
  },
  detach(folder, link) {
    const path = pinPath(folder, 'maps', link.program);
    if (!exists(path)) return;
    using map = BpfMap.fromPin(path);
    removeTable(map);
  },
  swap: (_folder, link) => link,
  isAlive: (folder, link) => isAttached(folder, link),
  look: (folder, link) => ({
    pin: undefined,
    info: undefined,
    programId: undefined,
    dead: !isAttached(folder, link),
  }),
  refuseReplacement: (_link, { program }: Replacement) =>
    `cannot have its table '${program.name}' in the place of one without a link`,
  detail: () => '',
};

function isAttached(folder: string, { program }: BareTable): boolean {
  const path = pinPath(folder, 'maps', program);
  if (!exists(path)) return false;
  using map = BpfMap.fromPin(path);
  return tableState(map) === 'attached';
}

function attachTable(folder: string, link: LinkedTable | BareTable, notes: Notes): Attachment {
  using map = BpfMap.fromPin(pinPath(folder, 'maps', link.program));
  return withPrograms(map, folder, link, notes, (program) => program.attach(structOps({ map })));
}

/** Opens what goes into the table, which the kernel does not know before it is attached. */
function withPrograms<T>(
  map: BpfMap,
  folder: string,
  { program: name }: LinkedTable | BareTable,
  { spec, store }: Notes,
  work: (program: Program) => T,
): T {
  const object = spec ?? storedObject(basename(folder).replace(/^\+/, ''), store);
  const table = object.structOps().find((each) => each.name === name);
  if (table === undefined) throw new NetkitError('not-found', `the object has no table '${name}'`);
  const pinned = new Set(namesIn(join(folder, 'progs')));
  const programs = new Map<string, Program>();
  try {
    for (const { program } of table.members)
      if (program !== undefined && pinned.has(program))
        programs.set(program, Program.fromPin(pinPath(folder, 'progs', program)));
    const [first] = programs.values();
    if (first === undefined)
      throw new NetkitError('not-found', `no program of the table '${name}' is loaded`);
    rememberTable(map, table, programs);
    return work(first);
  } finally {
    for (const program of programs.values()) program[Symbol.dispose]();
  }
}
