/** Attaching a function's programs: which ones, where, and the plan. */
import { resolve } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { hookAvailable } from '../ebpf/feature.js';
import { pinName } from '../ebpf/kernel-object.js';
import { clsactExists, filterPriorities } from '../ebpf/tc-filter.js';
import { findInterface, type Interface } from '../host/interfaces.js';
import { listNetns, type Netns, openNetns } from '../host/netns.js';
import type { Action } from './action.js';
import { describeTarget } from './action.js';
import { defaultFilterPriority, isAlive } from './attachment.js';
import type { Proposal, World } from './environment.js';
import { exists, functionFolder } from './layout.js';
import { noSuchFunction } from './reference.js';
import type { FunctionState, Hook, LinkState, XdpModeChoice } from './state.js';

export interface AttachRequest {
  readonly function: string;
  /** All programs whose hook takes the target when left out. */
  readonly program?: string | undefined;
  readonly ifname: string;
  readonly hook?: Hook | undefined;
  /** For XDP; `auto` when left out. */
  readonly mode?: XdpModeChoice | undefined;
  /** Name, path or process id of the network namespace that the interface is in. */
  readonly netns?: string | undefined;
}

export interface AttachProposal extends Proposal {
  /** Attachments that are there already, in just that way. */
  readonly already: readonly LinkState[];
}

type StatedProgram = FunctionState['programs'][number];

/** A handle begins with "nk", so that `tc filter show` tells whose it is. */
const handlePrefix = 0x6e6b0000;

/** @throws NetkitError `not-found`, `usage`, `conflict`, `unsupported` */
export function planAttach(world: World, request: AttachRequest): AttachProposal {
  const state = loadedState(world, request.function);
  const programs = chosenPrograms(state, request);
  using netns = request.netns === undefined ? undefined : openNetns(request.netns);
  const target = findInterface(request.ifname, netns);
  const folder = functionFolder(state.bpffs, state.name);
  const already: LinkState[] = [];
  const actions: Action[] = [];
  let links = [...state.links];
  for (const { program, hook: wanted } of programs) {
    const { hook, note } = withFallback(wanted);
    const present = links.find(
      (link) => link.program === program.name && link.hook === hook && sameTarget(link, target),
    );
    if (present !== undefined && isAlive(folder, present)) {
      refuseOtherOptions(present, request);
      if (note !== undefined) world.note(note, present.name);
      already.push(present);
      continue;
    }
    if (present !== undefined) {
      // Somebody detached it behind our back: only its dead pin is left.
      links = links.filter((link) => link !== present);
      actions.push({ kind: 'detach', function: state.name, folder, link: present, wasDead: true });
    }
    const link: LinkState = {
      name: freeName(`${program.name}-${hook.replace('/', '-')}-${target.ifname}`, links),
      program: program.name,
      hook,
      ifname: target.ifname,
      ifindex: target.ifindex,
      netns: { inode: target.netnsInode, ref: lastingReference(state, request.netns) },
      mode: hook === 'xdp' ? (request.mode ?? 'auto') : null,
      filter: hook.startsWith('tc/')
        ? // What is planned to be made is unmade after a crash.
          {
            handle: newHandle(),
            priority: nextPriority(world, state.name, links, hook, target, netns),
            madeQdisc: !clsactExists(target.ifindex, netns),
            programId: 0,
          }
        : null,
    };
    if (note !== undefined) world.note(note, link.name);
    links.push(link);
    actions.push({ kind: 'attach', function: state.name, folder, link });
  }
  if (actions.length > 0) {
    actions.push({
      kind: 'record',
      function: state.name,
      before: state,
      after: { ...state, change: world.change, links },
    });
  }
  return { function: state.name, actions, already };
}

/** @throws NetkitError `not-found` when the function is not loaded */
export function loadedState(world: World, name: string): FunctionState {
  const state = world.store.read(name);
  if (state === undefined && exists(functionFolder(world.bpffs, name))) {
    throw new NetkitError('conflict', `'${name}' has pins but no state file`, {
      hint: `'netkit unload ${name}' removes it from its pins alone`,
    });
  }
  if (state === undefined) throw noSuchFunction(name, world.bpffs);
  if (state.bootId === world.bootId) return state;
  throw new NetkitError('not-found', `function '${name}' has not been brought back since the last boot`, {
    hint: "'netkit recover' brings it back",
  });
}

interface Chosen {
  readonly program: StatedProgram;
  readonly hook: Hook;
}

function chosenPrograms(state: FunctionState, request: AttachRequest): Chosen[] {
  const named = request.program;
  if (named !== undefined) {
    const program = state.programs.find(({ name }) => name === named);
    if (program === undefined) {
      throw new NetkitError('not-found', `function '${state.name}' has no program '${named}'`, {
        hint: suggestion(
          named,
          state.programs.map(({ name }) => name),
        ),
      });
    }
    return [checkMode({ program, hook: hookOf(program, request.hook) }, request)];
  }
  const takers = state.programs.filter((program) =>
    request.hook === undefined ? naturalHook(program) !== undefined : typeOf(request.hook) === program.type,
  );
  if (takers.length > 0) {
    return takers.map((program) => checkMode({ program, hook: hookOf(program, request.hook) }, request));
  }
  const [only] = state.programs;
  if (only !== undefined && state.programs.length === 1)
    return [checkMode({ program: only, hook: hookOf(only, request.hook) }, request)];
  throw new NetkitError(
    'usage',
    `function '${state.name}' has no program for ${request.hook ?? 'an interface'}`,
    {
      hint: `its programs: ${state.programs.map(({ name, section }) => `${name} (${section})`).join(', ')}`,
    },
  );
}

function checkMode(chosen: Chosen, request: AttachRequest): Chosen {
  if (request.mode === undefined || request.mode === 'auto' || chosen.hook === 'xdp') return chosen;
  throw new NetkitError('usage', `--mode is for XDP; '${chosen.program.name}' goes to ${chosen.hook}`);
}

function typeOf(hook: Hook): string {
  return hook === 'xdp' ? 'xdp' : 'sched_cls';
}

/** Where a program goes by its section alone. */
function naturalHook({ section, type }: StatedProgram): Hook | undefined {
  if (type === 'xdp') return /^xdp(\.frags)?$/.test(section) || /^xdp_/.test(section) ? 'xdp' : undefined;
  if (type !== 'sched_cls') return undefined;
  const hooks = ['tcx/ingress', 'tcx/egress', 'tc/ingress', 'tc/egress'] as const;
  return hooks.find((hook) => hook === section);
}

function hookOf(program: StatedProgram, wanted: Hook | undefined): Hook {
  const { name, section, type } = program;
  if (wanted !== undefined) {
    if (typeOf(wanted) === type) return wanted;
    throw new NetkitError('usage', `program '${name}' is of type ${type}: it cannot go to ${wanted}`);
  }
  const natural = naturalHook(program);
  if (natural !== undefined) return natural;
  if (type === 'sched_cls') {
    throw new NetkitError('usage', `the section '${section}' of program '${name}' tells no direction`, {
      hint: 'add --hook tcx/ingress, tcx/egress, tc/ingress or tc/egress',
    });
  }
  throw new NetkitError(
    'unsupported',
    `programs of section '${section}' (type ${type}) do not go on an interface`,
    {
      details: { program: name, section, type },
    },
  );
}

/** tcx, or the clsact hook of the same direction on a kernel without it: said, never silent. */
function withFallback(hook: Hook): { readonly hook: Hook; readonly note?: string } {
  if (hook !== 'tcx/ingress' && hook !== 'tcx/egress') return { hook };
  const { available, reason } = hookAvailable(hook);
  // Where this user may not know, the attempt says why.
  if (available !== false) return { hook };
  const fallback = hook === 'tcx/ingress' ? 'tc/ingress' : 'tc/egress';
  return { hook: fallback, note: `${reason}: attached as a tc filter (${fallback}) instead` };
}

function sameTarget(link: LinkState, target: Interface): boolean {
  return link.ifindex === target.ifindex && link.netns.inode === target.netnsInode;
}

function refuseOtherOptions(present: LinkState, request: AttachRequest): void {
  const asked = request.mode ?? 'auto';
  if (present.hook !== 'xdp' || asked === 'auto' || asked === present.mode) return;
  throw new NetkitError('conflict', `${present.program} is attached to ${describeTarget(present)} already`, {
    hint: 'detach it first: the kernel cannot change the mode of a link',
  });
}

function freeName(wanted: string, links: readonly LinkState[]): string {
  const taken = new Set(links.map((link) => link.name));
  const base = pinName(wanted);
  for (let suffix = 1; ; suffix++) {
    const name = suffix === 1 ? base : `${base}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}

/** Behind netkit's other filters on the hook: within one priority the kernel would run the newest first. */
function nextPriority(
  world: World,
  functionName: string,
  links: readonly LinkState[],
  hook: Hook,
  target: Interface,
  netns: Netns | undefined,
): number {
  const others = world.store.names().filter((name) => name !== functionName);
  const all = [...links, ...others.flatMap((name) => world.store.peek(name)?.links ?? [])];
  const own = all
    .filter((link) => link.hook === hook && sameTarget(link, target))
    .map((link) => link.filter?.priority ?? 0);
  // Within one priority all filters are of one kind: one of another kind there would refuse ours.
  const foreign = new Set(
    filterPriorities(target.ifindex, hook === 'tc/egress' ? 'egress' : 'ingress', netns),
  );
  let priority = Math.max(defaultFilterPriority - 1, ...own) + 1;
  while (foreign.has(priority)) priority++;
  return priority;
}

/** How to find the namespace again: by its name, or by a path that no working directory changes. */
function lastingReference(state: FunctionState, reference: string | undefined): string | null {
  if (reference === undefined) return null;
  if (reference.includes('/')) return resolve(reference);
  const isProcess = !listNetns().some(({ name }) => name === reference);
  if (isProcess && state.persist) {
    throw new NetkitError(
      'usage',
      `the process ${reference} will be another one after a reboot: --persist cannot keep it`,
      {
        hint: 'name the network namespace, or give the path of its file',
      },
    );
  }
  return reference;
}

function newHandle(): number {
  return handlePrefix + 1 + Math.floor(Math.random() * 0xfffe);
}
