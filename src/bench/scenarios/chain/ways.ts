/** The ways to run several functions on a packet, as rungs: some that count and pass, then one that drops and counts. */
import { NetkitError } from '../../../base/errors.js';
import type { Scope } from '../../../base/scope.js';
import { tcx, xdp } from '../../../ebpf/attach/index.js';
import { buildDispatcher } from '../../../ebpf/dispatcher/build.js';
import { loadMember, type MemberSource } from '../../../ebpf/dispatcher/member.js';
import { newChainVersion } from '../../../ebpf/dispatcher/object.js';
import { hookAvailable } from '../../../ebpf/feature/hooks.js';
import { load } from '../../../ebpf/load.js';
import type { LoadedObject } from '../../../ebpf/loaded-object.js';
import type { BpfMap } from '../../../ebpf/map.js';
import type { Program } from '../../../ebpf/program.js';
import { buildTailChain } from '../../../ebpf/tail-chain/build.js';
import { loadTailMember } from '../../../ebpf/tail-chain/member.js';
import { actionsOf } from '../../../obj/xdp-dispatcher/actions.js';
import { benchObject } from '../../lab/bench-object.js';
import type { End } from '../../lab/network.js';
import { port } from '../../lab/sender.js';
import { arrived } from '../drop/arrived.js';
import type { Rung } from '../drop/rung.js';
import { wayOf } from './meetings.js';

/** How many functions there may be in front of the one that drops: a chain takes ten programs, and it is one. */
export const mostFunctions = 8;

/** One way to run several functions. */
export interface ChainWay {
  readonly name: string;
  /** The curve. */
  readonly title: string;
  readonly description: string;
  /** Puts them on the interface. */
  readonly attach: (functions: readonly ChainFunction[], end: End, scope: Scope) => void;
  /** The program of a function at a place of its own, and of the last one; one alone where the last one does all. */
  readonly programs: { readonly pass?: string; readonly end: string };
}

/** One of a chain, loaded by itself: what is on the interface may be that, or another load of the same with its maps. */
export interface ChainFunction {
  readonly program: Program;
  readonly source: MemberSource;
}

const oneProgram: ChainWay = {
  name: 'one-program',
  title: 'one program',
  description: 'all of it in one native XDP program, without a chain: what the functions cost by themselves',
  programs: { end: 'whole_xdp' },
  attach: ([last], { ifname, place: { netns } }, scope) => {
    if (last !== undefined) scope.use(last.program.attach(xdp({ ifname, netns })));
  },
};

const dispatcher: ChainWay = {
  name: 'dispatcher',
  title: "libxdp's dispatcher",
  description: "each in a slot of a dispatcher after libxdp's protocol (freplace), native XDP",
  programs: { pass: 'pass_xdp', end: 'end_xdp' },
  attach: (functions, { ifname, place: { netns } }, scope) => {
    const { available, reason = 'this kernel has none' } = hookAvailable('freplace');
    if (available === false) throw new NetkitError('unsupported', `it needs freplace, and ${reason}`);
    const occupying = functions.map(({ source }, priority) => ({
      name: source.program,
      config: { priority, actions: actionsOf(['pass']), frags: false },
      open: (slot: Parameters<typeof loadMember>[1]) => scope.use(loadMember(source, slot)),
    }));
    const { program } = buildDispatcher(newChainVersion(), occupying, scope);
    scope.use(program.attach(xdp({ ifname, netns })));
  },
};

const tailCalls: ChainWay = {
  name: 'tail-calls',
  title: 'tail calls',
  description: "each called by the one before, the first by netkit's root program, native XDP",
  programs: { pass: 'pass_xdp', end: 'end_xdp' },
  attach: (functions, { ifname, place: { netns } }, scope) => {
    const members = functions.map(({ source }) => ({
      proceedOn: ['pass'] as const,
      open: (slot: Parameters<typeof loadTailMember>[1]) => scope.use(loadTailMember(source, slot)),
    }));
    const { program } = buildTailChain(members, scope);
    scope.use(program.attach(xdp({ ifname, netns })));
  },
};

const onTcx: ChainWay = {
  name: 'tcx',
  title: 'tcx',
  description: 'each a program on tcx ingress, which the kernel runs in order',
  programs: { pass: 'pass_tc', end: 'end_tc' },
  attach: (functions, { ifname, place: { netns } }, scope) => {
    for (const { program } of functions)
      scope.use(program.attach(tcx({ ifname, netns, direction: 'ingress' })));
  },
};

/** From what the work costs by itself to what the stack adds. */
export const chainWays: readonly ChainWay[] = [oneProgram, dispatcher, tailCalls, onTcx];

/** The name of a way with so many functions. */
export function pointName({ name }: Pick<ChainWay, 'name'>, functions: number): string {
  return `${name}-${functions}`;
}

/** A way with so many functions in front of the one that drops. */
export function chainRung(way: ChainWay, functions: number): Rung {
  const { title, description, programs } = way;
  const said = functions === 1 ? '1 function' : `${functions} functions`;
  return {
    name: pointName(way, functions),
    title: `${title}, ${said}`,
    series: title,
    x: functions,
    description: () => `${said} that count and pass, then one that drops UDP to port ${port}: ${description}`,
    setUp: ({ wire, scope, log, family }) => {
      const loaded = loadFunctions(programs, functions, scope);
      const { place, ifname } = wire.to;
      way.attach(loaded.functions, wire.to, scope);
      const names = loaded.functions.map(({ source }) => source.program).join(', ');
      log.note(place.title, `netkit load bpf/bench/chain.bpf.o, as ${names}: ${title} on ${ifname}`);
      const meetings = wayOf(loaded.met, functions);
      return {
        count: () => ({ ...arrived({ wire, family }), taken: meetings.dropped() }),
        inspect: meetings.inspect,
      };
    },
  };
}

/** Each of the functions by itself, with what is shared by all of them. */
function loadFunctions(
  { pass, end }: ChainWay['programs'],
  functions: number,
  scope: Scope,
): { readonly functions: readonly ChainFunction[]; readonly met: BpfMap } {
  let met: BpfMap | undefined;
  const one = (program: string, place: number): ChainFunction => {
    const spec = benchObject('chain');
    spec.only([program]);
    spec.globals.set('place', String(place));
    spec.globals.set('functions', String(functions));
    const reuse = met === undefined ? new Map<string, BpfMap>() : new Map([['met', met]]);
    const name = `chain${place}`;
    const object: LoadedObject = scope.use(load(spec, { reuse, name }));
    met ??= object.map('met');
    return { program: object.program(program), source: { spec, program, name, maps: object.maps } };
  };
  const front = pass === undefined ? [] : Array.from({ length: functions }, (_, place) => one(pass, place));
  const all = [...front, one(end, functions)];
  if (met === undefined) throw new TypeError('chain.bpf.c has no map that its functions share');
  return { functions: all, met };
}
