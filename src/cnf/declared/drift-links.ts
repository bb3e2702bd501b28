/** Attachments as they are declared, recorded and in the kernel. */
import { readRunConfig } from '../../obj/xdp-dispatcher/run-config.js';
import { isChainLink } from '../chain/member.js';
import type { DeclaredLink } from '../declaration.js';
import type { LinkState } from '../link-state.js';
import type { ListedLink } from '../listed-link.js';
import { defaultPriority } from '../order.js';
import { describePlace } from '../targets/index.js';
import type { DesiredFunction } from './desired.js';
import { interfacesOf, placeKey } from './desired-places.js';
import type { DriftAround } from './drift.js';
import { orderRow } from './drift-order.js';
import { type DriftRow, row } from './drift-row.js';
import { type Json, shortJson } from './field-changes.js';
import { planLinks, recordedOptions } from './links.js';
import type { Observed } from './observe.js';
import { type SeenOptions, seenOptions } from './observe-link.js';
import { Problems } from './problems.js';
import { type ConcretePlace, describePlaceOf } from './step.js';

const attached = 'attached';

export function attachmentRows(
  observed: Observed,
  declared: DesiredFunction | undefined,
  around: DriftAround,
): DriftRow[] {
  const { recorded, state, listed, isLoaded } = observed;
  if (recorded === undefined || state?.declared === undefined) return [];
  const wanted = declared === undefined ? undefined : byKey(placesOf(declared));
  const rows: DriftRow[] = [];
  for (const known of state.declared.links) {
    const link = state.links.find(({ name }) => name === known.name);
    const place = wanted?.get(known.place);
    const said =
      known.chain === null && wanted !== undefined
        ? place !== undefined || isMeant(known.place, declared)
          ? attached
          : 'not declared'
        : undefined;
    const field = fieldOf(known, link);
    if (!isLoaded) {
      rows.push(row(field, { declared: said, recorded: attached }));
      continue;
    }
    const seen = listed.links.find(({ name }) => name === known.name);
    if (link === undefined || seen === undefined || seen.dead) {
      const kernel = link === undefined ? 'detached' : 'lost';
      rows.push(row(field, { declared: said, recorded: attached, kernel }));
      continue;
    }
    rows.push(row(field, { declared: said, recorded: attached, kernel: attached }));
    const about = { observed, recorded, known, link, seen, place };
    rows.push(...optionRows(field, about, around));
    const order = orderRow(`${field} order`, link, seen, state.name, around);
    if (order !== undefined) rows.push(order);
  }
  const places = new Set(state.declared.links.map(({ place }) => place));
  for (const [key, place] of wanted ?? []) {
    if (places.has(key)) continue;
    rows.push(row(newField(place), { declared: attached, recorded: 'not attached' }));
  }
  const names = new Set(state.declared.links.map(({ name }) => name));
  for (const link of state.links) if (!names.has(link.name)) rows.push(handRow(link, listed.links, isLoaded));
  return rows;
}

function handRow(link: LinkState, links: readonly ListedLink[], isLoaded: boolean): DriftRow {
  const isDead = links.find(({ name }) => name === link.name)?.dead !== false;
  const kernel = isLoaded ? (isDead ? 'lost' : `${attached} by hand`) : undefined;
  return row(`attach ${link.program} ${placeText(link)}`, { recorded: 'not declared', kernel });
}

/** Those of interfaces that are there. */
function placesOf(desired: DesiredFunction): readonly ConcretePlace[] {
  return planLinks(desired, desired.places, undefined, { problems: new Problems(), onlyAppeared: false })
    .places;
}

/** Whether a place is declared, though its interface has gone. */
function isMeant(key: string, desired: DesiredFunction | undefined): boolean {
  const ifname = key.slice(key.lastIndexOf(' ') + 1);
  return (desired?.places ?? []).some(
    (place) => interfacesOf(place, [ifname]).length > 0 && placeKey({ ...place, target: ifname }) === key,
  );
}

function byKey(places: readonly ConcretePlace[]): Map<string, ConcretePlace> {
  return new Map(places.map((place) => [place.key, place]));
}

function newField(place: ConcretePlace): string {
  return `attach ${place.program} ${describePlaceOf(place)}`;
}

function fieldOf(known: DeclaredLink, link: LinkState | undefined): string {
  const chain = known.chain === null ? '' : `chain ${known.chain}: `;
  if (link !== undefined) return `${chain}attach ${link.program} ${placeText(link)}`;
  // The key of its place is all that is left of it.
  const [program = '', hook = '', netns = '', ...target] = known.place.split(' ');
  const of = target.join(' ') === '' ? '' : ` of ${target.join(' ')}`;
  return `${chain}attach ${program} ${hook}${of}${netns === '' ? '' : ` in netns ${netns}`}`;
}

/** Without how it is attached, which has rows of its own. */
function placeText(link: LinkState): string {
  return `${link.hook} of ${describePlace(link.target)}`;
}

interface About {
  readonly observed: Observed;
  readonly recorded: DesiredFunction;
  readonly known: DeclaredLink;
  readonly link: LinkState;
  readonly seen: ListedLink;
  /** Undefined where no manifest was read, or it has no such place. */
  readonly place: ConcretePlace | undefined;
}

/** How it is attached, as far as that can be told. */
function optionRows(field: string, about: About, { bpffs }: DriftAround): DriftRow[] {
  const { known, link, seen, place } = about;
  const asked = appliedOptions(about.recorded, known, link);
  const real = seenOptions(link, seen.programId, bpffs);
  const wanted = place === undefined ? undefined : recordedOptions(place.options);
  const names: readonly (keyof SeenOptions)[] = ['mode', 'priority', 'proceedOn'];
  const rows = names.flatMap((name): DriftRow[] => {
    const recorded = asked[name];
    if (recorded === undefined && real[name] === undefined) return [];
    const said = saidOption(wanted, name);
    return [
      row(`${field} ${name}`, { declared: said, recorded: textOf(recorded), kernel: textOf(real[name]) }),
    ];
  });
  const others = new Set([
    ...Object.keys(known.options),
    ...Object.keys(wanted ?? {}),
    ...('order' in link ? ['place'] : []),
  ]);
  for (const name of [...others].filter((each) => !['mode', 'priority', 'proceedOn'].includes(each))) {
    // Nobody can change the rest by hand: that is compared with the manifest alone.
    const kernel =
      'order' in link && name === 'place' ? (textOf(link.order.place ?? undefined) ?? 'nothing') : undefined;
    const declared = wanted === undefined ? undefined : (textOf(wanted[name]) ?? 'nothing');
    rows.push(
      row(`${field} ${name}`, { declared, recorded: textOf(known.options[name]) ?? 'nothing', kernel }),
    );
  }
  return rows;
}

/** What the manifest says of an option, where that says anything. */
function saidOption(wanted: Readonly<Record<string, Json>> | undefined, name: string): string | undefined {
  const value = wanted?.[name];
  return value === undefined || value === 'auto' ? undefined : textOf(value);
}

/** As it was applied; where nothing was said of an option, as that was taken. */
export function appliedOptions(
  recorded: DesiredFunction,
  { options }: Pick<DeclaredLink, 'options'>,
  link: LinkState,
): SeenOptions {
  const { mode, priority, proceedOn } = options;
  const run = isChainLink(link) ? readRunConfig(recorded.spec.btf, link.program) : undefined;
  return {
    mode: typeof mode === 'string' && mode !== 'auto' ? mode : 'mode' in link ? link.mode : undefined,
    priority:
      typeof priority === 'number'
        ? priority
        : isChainLink(link) && link.beside === null
          ? run?.priority
          : 'order' in link
            ? defaultPriority
            : 'priority' in link
              ? link.priority
              : undefined,
    proceedOn: isTexts(proceedOn) ? proceedOn : run?.proceedOn,
  };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (isTexts(value)) return value.join(', ') || 'nothing';
  return shortJson(JSON.parse(JSON.stringify(value)));
}
