/** Finding what `--before` and `--after` name among the programs on a hook, whoever attached them. */
import { NetkitError } from '../base/errors.js';
import type { Scope } from '../base/scope.js';
import { Link } from '../ebpf/link.js';
import type { Anchor, Order } from '../ebpf/order.js';
import { Program } from '../ebpf/program.js';
import type { LinkState } from './link-state.js';
import { inOrder } from './order.js';
import { idOf, openProgram, splitReference } from './reference.js';
import type { StateStore } from './store.js';
import { describePlace } from './targets/index.js';

/** One of netkit's links on a hook, open. */
export interface OwnLink {
  readonly function: string;
  readonly state: LinkState;
  readonly link: Link;
  readonly linkId: number;
  readonly programId: number;
  readonly priority: number;
}

/** Where an anchor is looked for. */
export interface AnchorSearch {
  readonly store: StateStore;
  readonly bpffs: string;
  /** The hook, in words: `tcx ingress of eth0`. */
  readonly about: string;
  readonly order: Order;
  readonly own: readonly OwnLink[];
  /** Owns what is opened. */
  readonly scope: Scope;
}

export interface FoundAnchor {
  readonly anchor: Anchor;
  /** Its index in the order. */
  readonly at: number;
}

/**
 * What a reference names on the hook: `FUNCTION/PROG`, or `FUNCTION` that has one program there; `id:N` of a program or
 * link, `name:TEXT` of a program, or the path of a pin of either.
 * @throws NetkitError `not-found`, also when it is on another hook only; `usage`, `conflict` when it is not unique
 */
export function findAnchor(reference: string, search: AnchorSearch): FoundAnchor {
  if (reference.startsWith('/')) return byPin(reference, search);
  const id = idOf(reference);
  if (id !== undefined) return byId(id, reference, search);
  if (reference.startsWith('name:')) return byName(reference.slice('name:'.length), reference, search);
  return byFunction(reference, search);
}

function byPin(path: string, search: AnchorSearch): FoundAnchor {
  const anchor = search.scope.use(openEither(path));
  const { order, own } = search;
  const { programId, id } =
    anchor instanceof Link ? anchor.info() : { ...anchor.info(), programId: undefined };
  if (programId === undefined) {
    const at = order.entries.findIndex((entry) => entry.programId === id);
    if (at >= 0) return { anchor, at };
    throw notThere(path, search);
  }
  const at = order.entries.findIndex(({ linkId }) => linkId === id);
  if (at >= 0) return { anchor, at };
  // A cgroup does not tell its links.
  const known = inOrder(order.entries, own).findIndex((link) => link?.linkId === id);
  const byProgram = order.entries.findIndex(
    (entry) => entry.linkId === undefined && entry.programId === programId,
  );
  if (known >= 0 || byProgram >= 0) return { anchor, at: known >= 0 ? known : byProgram };
  throw notThere(path, search);
}

function openEither(path: string): Link | Program {
  try {
    return Link.fromPin(path);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'usage') throw error;
  }
  return Program.fromPin(path);
}

function byId(id: number, reference: string, search: AnchorSearch): FoundAnchor {
  const { entries } = search.order;
  const asProgram = entries.findIndex(({ programId }) => programId === id);
  const asLink = entries.findIndex(({ linkId }) => linkId === id);
  if (asProgram >= 0 && asLink >= 0 && asProgram !== asLink) {
    throw new NetkitError(
      'conflict',
      `${id} is the id of a program and of another program's link on ${search.about}`,
      {
        hint: "name the one that is meant by FUNCTION/PROG, 'name:TEXT' or the path of its pin",
      },
    );
  }
  if (asProgram >= 0) return { anchor: search.scope.use(Program.fromId(id)), at: asProgram };
  if (asLink >= 0) return { anchor: search.scope.use(Link.fromId(id)), at: asLink };
  const at = inOrder(entries, search.own).findIndex((link) => link?.linkId === id);
  if (at >= 0) return { anchor: search.scope.use(Link.fromId(id)), at };
  throw notThere(reference, search);
}

function byName(name: string, reference: string, search: AnchorSearch): FoundAnchor {
  const found = search.order.entries.flatMap(({ programId }, at) => {
    const program = Program.fromId(programId);
    if (program.info().name === name) return [{ anchor: search.scope.use(program), at, programId }];
    program[Symbol.dispose]();
    return [];
  });
  const [only] = found;
  if (only === undefined) throw notThere(reference, search);
  if (found.length === 1) return only;
  throw new NetkitError('conflict', `more than one program on ${search.about} is named '${name}'`, {
    hint: `use an id: ${found.map(({ programId }) => `id:${programId}`).join(', ')}`,
  });
}

function byFunction(reference: string, search: AnchorSearch): FoundAnchor {
  const { functionName, name } = splitReference(reference);
  const matching = inOrder(search.order.entries, search.own).flatMap((own, at) =>
    own?.function === functionName && (name === undefined || own.state.program === name)
      ? [{ anchor: own.link, at, program: own.state.program }]
      : [],
  );
  const [only] = matching;
  if (only !== undefined && matching.length === 1) return only;
  if (only !== undefined) {
    throw new NetkitError(
      'usage',
      `function '${functionName}' has more than one program on ${search.about}`,
      {
        hint: `say which: ${matching.map(({ program }) => `${functionName}/${program}`).join(', ')}`,
      },
    );
  }
  const state = search.store.read(functionName);
  if (state !== undefined && name === undefined && state.programs.length > 1)
    throw notThere(reference, search);
  // Somebody else may have attached a program that netkit loaded.
  const anchor = search.scope.use(openProgram(reference, state?.bpffs ?? search.bpffs));
  const { id } = anchor.info();
  const at = search.order.entries.findIndex(({ programId }) => programId === id);
  if (at < 0) throw notThere(reference, search);
  return { anchor, at };
}

function notThere(reference: string, { about, store, order }: AnchorSearch): NetkitError {
  return new NetkitError(
    'not-found',
    `${reference} is not on ${about}: nothing can go before or after it there`,
    {
      hint: elsewhere(reference, store) ?? (order.entries.length === 0 ? 'no program is there' : undefined),
      details: { reference, programs: order.entries.map(({ programId }) => programId) },
    },
  );
}

/** Where netkit has attached the function's program instead. */
function elsewhere(reference: string, store: StateStore): string | undefined {
  const [functionName = '', program] = reference.split('/');
  if (functionName === '' || functionName.includes(':')) return undefined;
  const links = store.names().includes(functionName) ? (store.peek(functionName)?.links ?? []) : [];
  const there = links
    .filter((link) => program === undefined || link.program === program)
    .map(({ hook, target }) => `${hook} of ${describePlace(target)}`);
  return there.length === 0 ? undefined : `it is on ${there.join(' and ')}`;
}
