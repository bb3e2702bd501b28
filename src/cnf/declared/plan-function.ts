/** What is to be done so that one function is as its manifest says. */
import { existsSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { exists } from '../../host/folders.js';
import type { Generation } from '../declaration.js';
import { EntriesStore } from '../entries/stored-entries.js';
import { functionFolder, pinPath } from '../layout.js';
import type { Choices } from '../load-function.js';
import { pathText } from '../manifest/path-text.js';
import type { FunctionState } from '../state.js';
import type { StateStore } from '../store.js';
import type { DesiredFunction } from './desired.js';
import type { DesiredPlace } from './desired-places.js';
import { type FieldChange, fieldChanges, type Json, sameJson, toJson } from './field-changes.js';
import { type Appeared, type LinkPlan, planLinks } from './links.js';
import { fresh, planEntries } from './plan-entries.js';
import type { Planning } from './planning.js';
import type { Problems } from './problems.js';
import { describePlaceOf, type EntriesStep, type Step } from './step.js';

/**
 * `create`: it is not there. `restore`: it is declared, and not in the kernel any more. `upgrade`: other programs come into
 * its place. `change`: what runs stays. `none`: nothing is to be done.
 */
export type Verb = 'create' | 'restore' | 'upgrade' | 'change' | 'none';

export interface FunctionPlan {
  readonly name: string;
  readonly verb: Verb;
  readonly desired: DesiredFunction;
  /** Undefined where nothing is recorded. */
  readonly state: FunctionState | undefined;
  /** Of the document, and of the files that it names. */
  readonly changes: readonly FieldChange[];
  /** What is in the kernel in another way than it was declared, for people. */
  readonly drift: readonly string[];
  readonly steps: readonly Step[];
  readonly links: LinkPlan;
  /** The one that runs afterwards. */
  readonly generation: number;
  /** The generation that comes back; undefined where a manifest decides. */
  readonly from?: number | undefined;
  /** Nothing but attachments changes: what is recorded of the generation stays. */
  readonly isOfLinksAlone: boolean;
}

/**
 * @param places all places of the function, with those that chains ask for
 * @param problems gets what the document asks for and is not there
 * @param from the generation that comes back
 * @throws NetkitError `conflict` when single pins of it are gone
 */
export async function planFunction(
  planning: Planning,
  desired: DesiredFunction,
  places: readonly DesiredPlace[],
  problems: Problems,
  from?: number,
): Promise<FunctionPlan> {
  const { store, bpffs, bootId, onlyAppeared = false } = planning;
  const { name } = desired;
  const state = store.read(name);
  const recorded = state?.declared?.present;
  const isLoaded = state !== undefined && state.bootId === bootId && exists(functionFolder(bpffs, name));
  if (isLoaded && onlyAppeared === false) refuseWithoutPins(state);
  const wanted =
    planning.waits === true ? places.map((place) => ({ ...place, missing: 'wait' as const })) : places;
  const links = planLinks(desired, wanted, isLoaded ? state : undefined, {
    problems,
    onlyAppeared,
  });
  const isOfLinksAlone =
    onlyAppeared !== false && (isLoaded || !isAwaited(state, bootId, onlyAppeared)) && recorded !== undefined;
  const isOther = isLoaded && !isOfLinksAlone && differs(state, desired);
  const changes = isOfLinksAlone ? [] : changesOf(desired, recorded, store);
  const entries = isOfLinksAlone
    ? []
    : await planEntries(planning, desired, isLoaded ? state : undefined, recorded, isOther);
  const drift = isLoaded ? driftOf(links, entries, changes, state, recorded) : [];
  if (state?.declared !== undefined && !isLoaded)
    drift.push(
      state.bootId === bootId ? 'its pins are gone' : 'it has not been brought back since the last boot',
    );
  const whole: Step[] = [
    ...(isLoaded ? [] : [{ kind: 'load' } as const]),
    ...(isOther ? [{ kind: 'upgrade', newMaps: fresh(desired, state) } as const] : []),
    ...entries,
    ...links.steps,
  ];
  const work = !isOfLinksAlone ? whole : isLoaded ? links.steps : [];
  const isRecorded =
    state?.declared !== undefined &&
    changes.length === 0 &&
    state.declared.manifest === desired.manifest &&
    (isOfLinksAlone || areStored(desired, recorded, store));
  const steps: Step[] = work.length === 0 && isRecorded ? [] : [...work, { kind: 'record' }];
  return {
    name,
    verb: verbOf(state, isLoaded, isOther, steps),
    desired,
    state,
    changes,
    drift,
    steps,
    links,
    from,
    isOfLinksAlone,
    generation: (recorded?.number ?? 0) + (recorded === undefined || isOther ? 1 : 0),
  };
}

/** What is not pinned any more cannot be swapped, filled or taken over, though it may run on. */
function refuseWithoutPins({ name, bpffs, programs, maps }: FunctionState): void {
  const folder = functionFolder(bpffs, name);
  const pins = [
    ...programs.map((program) => ['progs', program.name] as const),
    ...maps.map((map) => ['maps', map.name] as const),
  ];
  const gone = pins.filter(([kind, pinned]) => !exists(pinPath(folder, kind, pinned)));
  if (gone.length === 0) return;
  const names = gone.map(([kind, pinned]) => `${kind}/${pinned}`);
  throw new NetkitError('conflict', `pins of '${name}' are gone: ${names.join(', ')}`, {
    hint: `'netkit reconcile ${name}' pins again what is still in use; 'netkit unload ${name}' takes off the rest, and then it can be applied again`,
    details: { function: name, pins: names },
  });
}

/** Whether the files of the entries that are declared are there: without them nothing comes back after a reboot. */
function areStored({ maps }: DesiredFunction, recorded: Generation | undefined, store: StateStore): boolean {
  return Object.entries(recorded?.entries ?? {}).every(([map, { file, from }]) => {
    const { entries } = maps.get(map) ?? {};
    const isDamaged =
      entries !== undefined &&
      entries.stored === undefined &&
      from !== null &&
      sameJson(toJson(entries.from), toJson(from));
    return !isDamaged && existsSync(store.objectPath(file));
  });
}

/** Whether it has not been brought back since the last boot. What lost its pins later, somebody took off. */
function isAwaited(state: FunctionState | undefined, bootId: string, { retries }: Appeared): boolean {
  return retries && state !== undefined && state.bootId !== bootId;
}

function verbOf(
  state: FunctionState | undefined,
  isLoaded: boolean,
  isOther: boolean,
  steps: readonly Step[],
): Verb {
  if (!isLoaded) return state?.declared === undefined ? 'create' : 'restore';
  if (isOther) return 'upgrade';
  return steps.length === 0 ? 'none' : 'change';
}

/** Whether what runs was loaded from another object, or with other choices. */
function differs({ object, options }: FunctionState, { object: wanted, choices }: DesiredFunction): boolean {
  return object?.sha256 !== wanted.sha256 || !sameJson(choicesJson(options), choicesJson(choices));
}

function choicesJson({ globals, mapSizes, reuse, only, targets }: Choices): Json {
  return { globals, mapSizes, reuse, only: only === null ? null : [...only], targets: targets ?? {} };
}

function changesOf(
  desired: DesiredFunction,
  recorded: Generation | undefined,
  store: StateStore,
): FieldChange[] {
  if (recorded === undefined) return [];
  const { document, object, maps, name } = desired;
  const changes = fieldChanges(toJson(recorded.document), toJson(document));
  const touched = (path: string): boolean => changes.some((change) => change.path.startsWith(path));
  if (object.sha256 !== recorded.object.sha256 && !touched('spec.program')) {
    const { program } = document.spec;
    const field = ['source', 'object', 'builtin'].find((each) => each in program) ?? 'source';
    changes.push(contentChange(`spec.program.${field}`, recorded.object.sha256, object.sha256));
  }
  const entries = new EntriesStore(store.directory);
  for (const [map, { entries: wanted }] of maps) {
    const before = recorded.entries[map];
    if (wanted?.from == null || before === undefined || wanted.stored !== undefined) continue;
    const { file } = entries.packed(name, wanted.entries());
    const path = `spec.maps.${map}.from`;
    if (file !== before.file && !touched(path)) changes.push(contentChange(path, before.file, file));
  }
  return changes;
}

function contentChange(path: string, from: string, to: string): FieldChange {
  const short = (text: string): string => `contents ${/[0-9a-f]{12}/.exec(text)?.[0] ?? text}`;
  return { path, from: short(from), to: short(to) };
}

function driftOf(
  links: LinkPlan,
  entries: readonly EntriesStep[],
  changes: readonly FieldChange[],
  state: FunctionState,
  recorded: Generation | undefined,
): string[] {
  if (recorded === undefined) return [];
  const drift = links.lost.map(
    (place) => `${place.program} is not attached to ${describePlaceOf(place)} any more`,
  );
  if (state.object?.sha256 !== recorded.object.sha256)
    drift.push(`it was replaced by hand with ${state.object?.path ?? 'something else'}`);
  for (const { map, changes: found } of entries) {
    const field = pathText(['spec', 'maps', map]);
    const isMeant = ({ path }: FieldChange): boolean =>
      path.startsWith(field) || field.startsWith(path) || path.startsWith('spec.config');
    if (changes.some(isMeant)) continue;
    const { added, changed, removed } = found.counts;
    drift.push(
      `entries of ${map} are not as declared: ${added} missing, ${changed} different, ${removed} too many`,
    );
  }
  return drift;
}
