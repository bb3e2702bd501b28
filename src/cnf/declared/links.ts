/** The links that a declared function has against those that it is to have. */
import { NetkitError } from '../../base/errors.js';
import { type Interface, listInterfaces } from '../../host/interfaces.js';
import { openNetns } from '../../host/netns.js';
import { readRunConfig } from '../../obj/xdp-dispatcher/run-config.js';
import { isAlive } from '../attachment.js';
import { isChainLink } from '../chain/member.js';
import type { DeclaredLink } from '../declaration.js';
import type { HookOptions } from '../hooks/family.js';
import { familyOf } from '../hooks/index.js';
import { functionFolder } from '../layout.js';
import type { LinkState } from '../link-state.js';
import { statedPrograms } from '../load-function.js';
import { defaultPriority } from '../order.js';
import { isMovable } from '../rearrange-function.js';
import type { FunctionState } from '../state.js';
import type { DesiredFunction } from './desired.js';
import { type DesiredPlace, interfacesOf, placeKey } from './desired-places.js';
import { type Json, sameJson } from './field-changes.js';
import type { Problems } from './problems.js';
import type { AttachStep, ConcretePlace, DetachStep, RearrangeStep } from './step.js';

export interface LinkPlan {
  readonly steps: readonly (AttachStep | DetachStep | RearrangeStep)[];
  /** Those that stay, by the keys of their places. */
  readonly staying: ReadonlyMap<string, LinkState>;
  /** All that is to be there in the end. */
  readonly places: readonly ConcretePlace[];
  /** What is not there yet, and waited for. */
  readonly waiting: readonly DesiredPlace[];
  /** What somebody took off, and is attached again. */
  readonly lost: readonly ConcretePlace[];
  /** What somebody took off, and stays off: as it is recorded. */
  readonly off: readonly DeclaredLink[];
}

/** What somebody who follows interfaces is to attach: what has appeared, and nothing that was taken off. */
export interface Appeared {
  /** Interfaces that are new although their numbers may be those of former ones, by {@link interfaceKey}. */
  readonly interfaces: ReadonlySet<string>;
  /** Whether what was not there, or failed, is tried again where no interface tells when. */
  readonly retries: boolean;
}

export function interfaceKey(netns: string | null | undefined, ifname: string): string {
  return `${netns ?? ''} ${ifname}`;
}

/**
 * Looks at the interfaces and at what is attached.
 * @param state what is recorded; undefined where nothing is loaded
 * @param problems gets the interfaces that are missing where that is a mistake
 * @param onlyAppeared leaves off what was taken off, and is to be on an interface that was there before; false for all
 */
export function planLinks(
  desired: DesiredFunction,
  places: readonly DesiredPlace[],
  state: FunctionState | undefined,
  { problems, onlyAppeared }: { readonly problems: Problems; readonly onlyAppeared: Appeared | false },
): LinkPlan {
  const { concrete, waiting } = located(places, problems);
  const recorded = state?.declared?.links ?? [];
  const folder = state === undefined ? '' : functionFolder(state.bpffs, state.name);
  const steps: (AttachStep | DetachStep | RearrangeStep)[] = [];
  const attach: AttachStep[] = [];
  const staying = new Map<string, LinkState>();
  const lost: ConcretePlace[] = [];
  const off: DeclaredLink[] = [];
  for (const place of concrete) {
    const known = recorded.find((each) => each.place === place.key);
    const link = known === undefined ? undefined : linkNamed(state, known);
    if (known === undefined || link === undefined || !alive(folder, link)) {
      if (onlyAppeared !== false && !hasAppeared(place, known, onlyAppeared)) {
        if (known !== undefined) off.push(known);
        continue;
      }
      if (known !== undefined) lost.push(place);
      attach.push({ kind: 'attach', place, again: known !== undefined });
      continue;
    }
    if (onlyAppeared !== false) {
      staying.set(place.key, link);
      continue;
    }
    const change = isBarred(link, state, desired) ? 'other' : optionsChange(known, place, link, desired);
    if (change === 'other') {
      steps.push({ kind: 'detach', link, gap: true });
      attach.push({ kind: 'attach', place, again: false });
      continue;
    }
    staying.set(place.key, link);
    if (change !== undefined) steps.push(change);
  }
  const kept = new Set(concrete.map(({ key }) => key));
  for (const known of recorded) {
    const link = linkNamed(state, known);
    if (!kept.has(known.place) && link !== undefined) steps.push({ kind: 'detach', link, gap: false });
  }
  return { steps: [...steps, ...attach], staying, places: concrete, waiting, lost, off };
}

/** @param known the link that was there, if one was: on the same interface as before, somebody took it off */
function hasAppeared(
  { interface: on, netns, target }: ConcretePlace,
  known: DeclaredLink | undefined,
  { interfaces, retries }: Appeared,
): boolean {
  if (on === null) return known === undefined && retries;
  return known?.interface !== on || interfaces.has(interfaceKey(netns, target ?? ''));
}

function linkNamed(state: FunctionState | undefined, { name }: DeclaredLink): LinkState | undefined {
  return state?.links.find((link) => link.name === name);
}

function alive(folder: string, link: LinkState): boolean {
  try {
    return isAlive(folder, link);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return false;
    throw error;
  }
}

/** Whether the new program cannot come into the place of the present one: it is loaded for another event, say. */
function isBarred(
  link: LinkState,
  state: FunctionState | undefined,
  { spec, choices, name }: DesiredFunction,
): boolean {
  const program = statedPrograms(spec, choices.targets).find((each) => each.name === link.program);
  const present = state?.programs.find((each) => each.name === link.program);
  if (program === undefined || present === undefined) return false;
  if (program.type !== present.type) return true;
  // Of maps it shows later which of them are kept.
  if (link.target.kind !== 'text') return false;
  const next = { program, reuse: choices.reuse, function: name };
  return familyOf(link).refuseReplacement?.(link, next) !== undefined;
}

/** How the options of a place differ from those that its link was attached with. */
function optionsChange(
  known: DeclaredLink,
  { options }: DesiredPlace,
  link: LinkState,
  desired: DesiredFunction,
): RearrangeStep | 'other' | undefined {
  const wanted = recordedOptions(options);
  const differing = new Set(
    [...Object.keys(wanted), ...Object.keys(known.options)].filter(
      (name) => !sameJson(wanted[name], jsonOf(known.options[name])),
    ),
  );
  // What stands in its mode already need not be attached anew.
  if (
    differing.has('mode') &&
    (options.mode === undefined || options.mode === 'auto' || options.mode === modeOf(link))
  )
    differing.delete('mode');
  // As somebody attached it by hand: what is recorded of the declaration does not tell.
  if ('mode' in link && !['auto', undefined, link.mode].includes(options.mode)) return 'other';
  if (isChainLink(link)) {
    for (const name of ['priority', 'proceedOn']) differing.delete(name);
    if (differing.size > 0) return 'other';
    const said = readRunConfig(desired.spec.btf, link.program);
    const next = {
      ...link,
      priority: options.priority ?? (link.beside === null ? said.priority : link.priority),
      proceedOn: [...(options.proceedOn ?? said.proceedOn)],
    };
    return sameJson(jsonOf(next), jsonOf(link)) ? undefined : { kind: 'rearrange', link, next };
  }
  if ('order' in link && isMovable(link)) {
    for (const name of ['priority', 'place']) differing.delete(name);
    if (differing.size > 0) return 'other';
    const order = { priority: options.priority ?? defaultPriority, place: options.place ?? null };
    return sameJson(jsonOf(order), jsonOf(link.order))
      ? undefined
      : { kind: 'rearrange', link, next: { ...link, order } };
  }
  return differing.size === 0 ? undefined : 'other';
}

function modeOf(link: LinkState): string | undefined {
  return 'mode' in link ? link.mode : undefined;
}

/** Options as they are written down. */
export function recordedOptions(options: HookOptions): Record<string, Json> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, jsonOf(value)]));
}

function jsonOf(value: unknown): Json {
  return value === undefined
    ? null
    : JSON.parse(
        JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)),
      );
}

/** Each interface that a pattern stands for is a place of its own. The first place that names an interface counts. */
function located(
  places: readonly DesiredPlace[],
  problems: Problems,
): { readonly concrete: ConcretePlace[]; readonly waiting: DesiredPlace[] } {
  const known = new Map<string, readonly Interface[] | NetkitError>();
  const concrete = new Map<string, ConcretePlace>();
  const waiting: DesiredPlace[] = [];
  for (const place of places) {
    const seen = place.isInterface || place.netns !== undefined ? interfacesIn(place.netns, known) : [];
    if (seen instanceof NetkitError) {
      missing(place, seen.message, seen.hint);
      continue;
    }
    const targets = place.isInterface
      ? interfacesOf(
          place,
          seen.map(({ ifname }) => ifname),
        )
      : [place.target];
    if (targets.length === 0) {
      const where = place.netns === undefined ? '' : ` in netns ${place.netns}`;
      missing(place, `there is no interface '${place.target}'${where}`, "'missing: wait' waits for it");
    }
    for (const target of targets) {
      const found = place.isInterface ? seen.find(({ ifname }) => ifname === target) : undefined;
      const identity = found === undefined ? null : `${found.ifindex} in ${found.netnsInode}`;
      const one = { ...place, target, interface: identity };
      const key = placeKey(one);
      if (!concrete.has(key)) concrete.set(key, { ...one, key });
    }
  }
  return { concrete: [...concrete.values()], waiting };

  function missing(place: DesiredPlace, message: string, hint: string | undefined): void {
    if (place.missing === 'wait') waiting.push(place);
    else problems.absent(place.path, message, hint);
  }
}

function interfacesIn(
  netns: string | undefined,
  known: Map<string, readonly Interface[] | NetkitError>,
): readonly Interface[] | NetkitError {
  const before = known.get(netns ?? '');
  if (before !== undefined) return before;
  const seen = look(netns);
  known.set(netns ?? '', seen);
  return seen;
}

function look(ref: string | undefined): readonly Interface[] | NetkitError {
  if (ref === undefined) return listInterfaces();
  try {
    using netns = openNetns(ref);
    return listInterfaces(netns);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return error;
    throw error;
  }
}
