/** What differs between manifests, what is recorded, and what is in the kernel. */
import { basename } from 'node:path';
import type { StateStore } from '../store.js';
import type { DesiredFunction } from './desired.js';
import { globalRows } from './drift-globals.js';
import { attachmentRows } from './drift-links.js';
import { mapRows } from './drift-maps.js';
import { type DriftRow, row } from './drift-row.js';
import { fieldChanges, type Json, shortJson, toJson } from './field-changes.js';
import type { Observed } from './observe.js';

/** What the manifest says now; `gone` when it has no such document any more, undefined when it cannot be read. */
export type Declared<T> = T | 'gone' | undefined;

export interface DriftAround {
  readonly store: StateStore;
  readonly bpffs: string;
  readonly signal: AbortSignal | undefined;
}

/** Every field that can be told, in the order of documents. @throws NetkitError `not-permitted`, `interrupted` */
export async function driftOfFunction(
  observed: Observed,
  declared: Declared<DesiredFunction>,
  around: DriftAround,
): Promise<DriftRow[]> {
  const { recorded, state, isLoaded } = observed;
  const wanted = declared === 'gone' ? undefined : declared;
  if (recorded === undefined || state?.declared === undefined) return [];
  const { present } = state.declared;
  const rows = [
    ...(declared === 'gone' ? [goneRow()] : []),
    ...(isLoaded ? [] : [row('function', { recorded: 'loaded', kernel: 'not there' })]),
    objectRow(observed, wanted),
    ...programRows(observed),
    ...globalRows(observed, wanted),
    ...(await mapRows(observed, wanted, around)),
    ...attachmentRows(observed, wanted, around),
  ];
  if (wanted !== undefined)
    rows.push(...documentRows(toJson(present.document), toJson(wanted.document), isToldOtherwise));
  return rows;
}

/** The manifest that was applied has no such document any more. */
export function goneRow(): DriftRow {
  return row('document', { declared: 'not in the manifest', recorded: 'applied' });
}

/** What a manifest has and nobody applied. */
export function newRow(): DriftRow {
  return row('document', { declared: 'in the manifest', recorded: 'not applied' });
}

/** Fields that differ between two documents, and that nothing in the kernel stands for. */
export function documentRows(
  recorded: Json,
  declared: Json,
  isLeftOut: (path: string) => boolean,
): DriftRow[] {
  const told = (value: Json | undefined): string => (value === undefined ? 'nothing' : shortJson(value));
  return fieldChanges(recorded, declared).flatMap(({ path, from, to }) =>
    isLeftOut(path) ? [] : [row(path, { declared: told(to), recorded: told(from) })],
  );
}

/** Values, sizes, entries and places have rows of their own, which say what they come to. */
function isToldOtherwise(path: string): boolean {
  if (/^spec\.(globals|attach)\b/.test(path)) return true;
  return /^spec\.maps(\.[^.]+)?(\.(maxEntries|entries|from|exact)\b|$)/.test(path);
}

function objectRow({ recorded, state }: Observed, declared: DesiredFunction | undefined): DriftRow {
  const told = (object: { readonly path: string; readonly sha256: string } | null | undefined) =>
    object == null ? undefined : `${basename(object.path)} ${object.sha256.slice(0, 12)}`;
  const sums = [declared?.object, recorded?.object, state?.object].flatMap((each) => each?.sha256 ?? []);
  return row(
    'spec.program',
    { declared: told(declared?.object), recorded: told(recorded?.object), kernel: told(state?.object) },
    sums.some((sum) => sum !== sums[0]),
  );
}

/** Whether programs are there, and are those that are attached. */
function programRows({ listed, recorded, isLoaded }: Observed): DriftRow[] {
  if (!isLoaded || recorded === undefined) return [];
  const copies = new Set(listed.members.map(({ name }) => name));
  return listed.programs.map(({ name, info, type }) => {
    const field = `program ${name}`;
    if (info === undefined) return row(field, { recorded: type, kernel: 'not there' });
    const tag = `${info.type} ${info.tag}`;
    const known = recorded.spec.programs.find((each) => each.name === name);
    // Of a name the kernel keeps 15 characters.
    const isOther = known === undefined || info.type !== type || !isNamed(info.name, name);
    const attached = listed.links.find(
      ({ state, programId, dead }) =>
        state?.program === name && !dead && programId !== undefined && programId !== info.id,
    );
    if (attached !== undefined && !copies.has(name))
      return row(
        field,
        { recorded: type, kernel: `${tag}, but program ${attached.programId} is attached` },
        true,
      );
    return row(field, { recorded: known === undefined ? 'not there' : type, kernel: tag }, isOther);
  });
}

function isNamed(kernel: string, name: string): boolean {
  return kernel === '' || name.startsWith(kernel) || kernel.startsWith(name);
}
