/** Chains that manifests declare: what each of their members is to attach because of them. */
import { matchesPattern } from '../../host/interface-pattern.js';
import { hookNamed } from '../hooks/index.js';
import { interfaceReader } from '../hooks/interface-target.js';
import type { LinkState } from '../link-state.js';
import type { ChainDocument, ChainMember } from '../manifest/schema.js';
import type { FunctionState } from '../state.js';
import { chainPriorities } from './chain-priorities.js';
import type { DesiredFunction } from './desired.js';
import { type DesiredPlace, programFor } from './desired-places.js';
import type { Problems } from './problems.js';

/** A chain and what is wrong with its document. */
export interface DesiredChain {
  readonly name: string;
  readonly document: ChainDocument;
  /** The absolute path of the manifest; null for standard input. */
  readonly manifest: string | null;
  readonly problems: Problems;
}

export function memberName(member: ChainMember): string {
  return typeof member === 'string' ? member : member.name;
}

/** The names of a chain's functions, in their order. */
export function memberNames({ spec }: ChainDocument): string[] {
  return spec.functions.map(memberName);
}

/**
 * The place of each member of a chain, by function.
 * @param members what its functions are to be
 * @param states what is recorded of them: members that stand in the right order already keep their priorities
 * @param isRecorded the chain stays as it was applied: of its members only those that are meant matter, and one that somebody
 *   unloaded is no mistake of a manifest
 */
export function chainPlaces(
  { name, document, problems }: DesiredChain,
  members: ReadonlyMap<string, DesiredFunction>,
  states: ReadonlyMap<string, FunctionState>,
  isRecorded: boolean,
): Map<string, DesiredPlace> {
  const { functions, hook, interface: ifname, netns, mode } = document.spec;
  const places = new Map<string, DesiredPlace>();
  const family = hookNamed(hook)?.family;
  if (family?.options.includes('priority') !== true) {
    problems.add(['spec', 'hook'], `there is no order on '${hook}': a chain needs one`);
    return places;
  }
  if (family.target !== interfaceReader) {
    problems.add(['spec', 'hook'], `'${hook}' is not on an interface: a chain is`);
    return places;
  }
  if (mode !== undefined && !family.options.includes('mode'))
    problems.add(['spec', 'mode'], `there are no modes on '${hook}'`, 'leave it out');
  const priorities = chainPriorities(
    functions.map((member) => presentPriority(states.get(memberName(member)), name)),
  );
  for (const [index, member] of functions.entries()) {
    const path = ['spec', 'functions', index];
    const called = memberName(member);
    const desired = members.get(called);
    if (desired === undefined) {
      if (!isRecorded) problems.add(path, `there is no function '${called}' that a manifest declares`);
      continue;
    }
    const said = typeof member === 'string' ? { name: member } : member;
    const program = programFor(desired.spec, { program: said.program, hook }, path, problems);
    if (program === undefined) continue;
    const { proceedOn } = said;
    if (proceedOn !== undefined && !family.options.includes('proceedOn'))
      problems.add(
        [...path, 'proceedOn'],
        `on '${hook}' the program itself says whether the next one runs`,
        'leave it out',
      );
    places.set(called, {
      program,
      hook,
      target: ifname,
      isInterface: true,
      netns,
      missing: 'fail',
      options: {
        priority: priorities[index] ?? 0,
        ...(mode === undefined ? {} : { mode }),
        ...(proceedOn === undefined ? {} : { proceedOn }),
      },
      chain: name,
      path: ['spec', 'interface'],
    });
    for (const own of desired.places) {
      const isSame = own.hook === hook && sameNetns(own.netns, netns) && own.isInterface && isOn(own, ifname);
      if (isSame)
        problems.add(
          path,
          `'${called}' attaches to ${hook} of ${ifname} by itself`,
          "leave that out of its 'attach'",
        );
    }
  }
  return places;
}

function isOn({ target }: DesiredPlace, ifname: string): boolean {
  return target !== undefined && matchesPattern(target, ifname);
}

/** A namespace's name, and what `ip netns` keeps it as. */
function sameNetns(one: string | undefined, other: string | undefined): boolean {
  return netnsName(one) === netnsName(other);
}

function netnsName(ref: string | undefined): string {
  return ref === undefined ? '' : ref.replace(/^(\/var)?\/run\/netns\//, '');
}

function presentPriority(state: FunctionState | undefined, chain: string): number | undefined {
  const known = state?.declared?.links.find((each) => each.chain === chain);
  const link = state?.links.find(({ name }) => name === known?.name);
  return link === undefined ? undefined : priorityOf(link);
}

/** By which it stands among the programs on its hook; undefined where there is no order. */
export function priorityOf(link: LinkState): number | undefined {
  if ('priority' in link) return link.priority;
  if ('order' in link) return link.order.priority;
  return 'filter' in link ? link.filter.priority : undefined;
}

/** Two chains on one hook of one interface. */
export function refuseShared(chains: readonly DesiredChain[]): void {
  const seen = new Map<string, string>();
  for (const { name, document, problems } of chains) {
    const { hook, interface: ifname, netns } = document.spec;
    const key = [hook, ifname, netnsName(netns)].join(' ');
    const other = seen.get(key);
    if (other !== undefined)
      problems.add(['spec', 'interface'], `the chain '${other}' is on ${hook} of ${ifname} already`);
    else seen.set(key, name);
  }
}
