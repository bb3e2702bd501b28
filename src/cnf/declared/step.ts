/** What is to be done with a declared function or chain, as data: what `plan` prints, and what `apply` does. */

import type { EntryChanges } from '../entries/merge.js';
import { describeTarget } from '../hooks/index.js';
import type { LinkState } from '../link-state.js';
import { describePlacing } from '../order.js';
import type { MovableLink } from '../rearrange-function.js';
import type { DesiredPlace } from './desired-places.js';

/** A place with the interface that its pattern stands for. */
export interface ConcretePlace extends DesiredPlace {
  /** What tells it from the function's other places, and is recorded. */
  readonly key: string;
  /** What tells its interface from a later one of the same name; null for what is on none. */
  readonly interface: string | null;
}

/** Loads the object; the function is not there. */
export interface LoadStep {
  readonly kind: 'load';
}

/** Puts the object in the place of what runs, as a new generation. */
export interface UpgradeStep {
  readonly kind: 'upgrade';
  /** Maps that begin anew. */
  readonly newMaps: readonly string[];
}

/** Brings entries into a map. */
export interface EntriesStep {
  readonly kind: 'entries';
  readonly map: string;
  readonly changes: EntryChanges;
}

export interface AttachStep {
  readonly kind: 'attach';
  readonly place: ConcretePlace;
  /** There was a link, and somebody took it off. */
  readonly again: boolean;
}

export interface DetachStep {
  readonly kind: 'detach';
  readonly link: LinkState;
  /** It is attached anew in another way: nothing runs there meanwhile. */
  readonly gap: boolean;
}

export interface RearrangeStep {
  readonly kind: 'rearrange';
  readonly link: MovableLink;
  readonly next: MovableLink;
}

/** Writes down what is declared. */
export interface RecordStep {
  readonly kind: 'record';
}

export type Step =
  | LoadStep
  | UpgradeStep
  | EntriesStep
  | AttachStep
  | DetachStep
  | RearrangeStep
  | RecordStep;

/** One line about a step of the function `name`. */
export function describeStep(name: string, step: Step): string {
  switch (step.kind) {
    case 'load':
      return `load ${name}`;
    case 'upgrade':
      return `upgrade ${name} in place`;
    case 'entries': {
      const { added, changed, removed } = step.changes.counts;
      const words = [
        ...(added > 0 ? [`${added} added`] : []),
        ...(changed > 0 ? [`${changed} changed`] : []),
        ...(removed > 0 ? [`${removed} removed`] : []),
      ];
      return `write entries of ${name}/${step.map}: ${words.join(', ')}`;
    }
    case 'attach':
      return `attach ${name}/${step.place.program} to ${describePlaceOf(step.place)}${step.again ? ' again' : ''}`;
    case 'detach':
      return `detach ${name}/${step.link.program} from ${describeTarget(step.link)}`;
    case 'rearrange': {
      const { link, next } = step;
      return `rearrange ${name}/${link.program} on ${describeTarget(link)}: ${placeWords(link, next).join(', ')}`;
    }
    case 'record':
      return `record what is declared of ${name}`;
  }
}

/** `xdp of eth0 in netns blue` */
export function describePlaceOf({ hook, target, netns }: DesiredPlace): string {
  const of = target === undefined ? '' : ` of ${target}`;
  return `${hook ?? 'its hook'}${of}${netns === undefined ? '' : ` in netns ${netns}`}`;
}

/** What of a link's place is to be another one. */
function placeWords(link: MovableLink, next: MovableLink): string[] {
  const [from, to] = [placingOf(link), placingOf(next)];
  return [
    ...(from.priority === to.priority ? [] : [`priority ${to.priority}`]),
    ...(from.place === to.place ? [] : [to.place]),
    ...(from.proceedOn === to.proceedOn ? [] : [`proceed on ${to.proceedOn}`]),
  ];
}

function placingOf(link: MovableLink) {
  if (!('order' in link))
    return { priority: link.priority, place: '', proceedOn: link.proceedOn.join(', ') || 'nothing' };
  const { priority, place } = link.order;
  return { priority, place: place === null ? 'by its priority' : describePlacing(place), proceedOn: '' };
}

/**
 * In groups that can be made each at once, in the order that is asked for: no two of a group are on one interface, where one
 * may have to know of the other, and what is on none is by itself.
 */
export function onDifferentInterfaces(steps: readonly AttachStep[]): AttachStep[][] {
  const groups: { readonly steps: AttachStep[]; readonly taken: Set<string | null> }[] = [];
  for (const step of steps) {
    const { interface: on } = step.place;
    const last = groups.at(-1);
    const isApart = on === null || last === undefined || last.taken.has(null) || last.taken.has(on);
    if (isApart) groups.push({ steps: [step], taken: new Set([on]) });
    else {
      last.steps.push(step);
      last.taken.add(on);
    }
  }
  return groups.map((group) => group.steps);
}
