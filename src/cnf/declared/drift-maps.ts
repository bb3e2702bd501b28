/** Sizes and entries of maps as they are declared, recorded and in the kernel. */
import { NetkitError } from '../../base/errors.js';
import { BpfMap } from '../../ebpf/map.js';
import { exists } from '../../host/folders.js';
import { listedMapName, type MapSpec } from '../../obj/maps.js';
import { type DeclaredEntries, sameEntries } from '../entries/declared-entries.js';
import { mergeEntries } from '../entries/merge.js';
import { ofPin, withObject } from '../kernel-listing.js';
import { pinPath } from '../layout.js';
import type { DesiredFunction } from './desired.js';
import type { DriftAround } from './drift.js';
import { type DriftRow, row } from './drift-row.js';
import type { Observed } from './observe.js';

/** Of each kind. */
const mostSamples = 5;
/** The kernel, or libbpf, makes sizes of its own of these. */
const adjusted: ReadonlySet<string> = new Set(['ringbuf', 'user_ringbuf', 'perf_event_array', 'struct_ops']);

export async function mapRows(
  observed: Observed,
  declared: DesiredFunction | undefined,
  around: DriftAround,
): Promise<DriftRow[]> {
  const { recorded } = observed;
  if (recorded === undefined) return [];
  const rows: DriftRow[] = [];
  for (const map of recorded.spec.maps) {
    if (map.kind === 'data') continue;
    rows.push(...sizeRows(observed, recorded, declared, map));
    rows.push(...(await entryRows(observed, recorded, declared, map, around)));
  }
  return rows;
}

function pinOf({ folder, name }: Observed, map: MapSpec): string {
  return pinPath(folder, 'maps', listedMapName(map, name));
}

function sizeRows(
  observed: Observed,
  recorded: DesiredFunction,
  declared: DesiredFunction | undefined,
  map: MapSpec,
): DriftRow[] {
  const { name, type } = map;
  const size = sizeOf(recorded, name);
  const wanted = declared === undefined ? undefined : sizeOf(declared, name);
  const said = { declared: wanted, recorded: size };
  const field = `spec.maps.${name}.maxEntries`;
  if (!observed.isLoaded) return [row(field, said)];
  const info = ofPin(pinOf(observed, map), (path) =>
    withObject(BpfMap.fromPin(path), (opened) => opened.info),
  );
  if (info === undefined) return [row(`map ${name}`, { recorded: type, kernel: 'not there' })];
  const isChanged = wanted !== undefined && wanted !== size;
  // A map of another function has the size that it was made with.
  const isGiven = recorded.spec.mapSizes.has(name);
  const isFixed = isGiven || !(adjusted.has(type) || size === '0' || name in recorded.choices.reuse);
  const kernel = String(info.maxEntries);
  const rows = [
    row(field, { ...said, kernel }, isChanged || (isFixed && !adjusted.has(type) && kernel !== size)),
  ];
  if (info.type !== type) rows.push(row(`map ${name}`, { recorded: type, kernel: info.type }));
  return rows;
}

function sizeOf({ spec }: DesiredFunction, name: string): string | undefined {
  const map = spec.maps.find((each) => each.name === name);
  return map === undefined ? 'not in the object' : String(spec.mapSizes.get(name) ?? map.maxEntries);
}

async function entryRows(
  observed: Observed,
  recorded: DesiredFunction,
  declared: DesiredFunction | undefined,
  map: MapSpec,
  { signal }: DriftAround,
): Promise<DriftRow[]> {
  const { name } = map;
  const field = `spec.maps.${name}.entries`;
  const known = recorded.maps.get(name);
  const wanted = declared?.maps.get(name)?.entries;
  if (known?.entries === undefined && wanted === undefined) return [];
  const before = readable(() => known?.entries?.entries());
  const now = readable(() => wanted?.entries());
  const isExact = known?.exact === true;
  const said = {
    declared: declared === undefined ? undefined : countOf(now, declared.maps.get(name)?.exact === true),
    recorded: countOf(before, isExact),
  };
  const isChanged =
    declared !== undefined &&
    (said.declared !== said.recorded || (isRead(now) && isRead(before) && !sameEntries(now, before)));
  const pin = pinOf(observed, map);
  if (!observed.isLoaded || !exists(pin) || !isRead(before))
    return [row(field, said, isChanged || isDamaged(before))];
  try {
    using opened = BpfMap.fromPin(pin);
    const changes = await mergeEntries({
      map: opened,
      declared: before,
      last: undefined,
      exact: isExact,
      samples: mostSamples,
      ...(signal === undefined ? {} : { signal }),
    });
    const { added, changed, removed } = changes.counts;
    const words = [
      ...(added > 0 ? [`${added} missing`] : []),
      ...(changed > 0 ? [`${changed} different`] : []),
      ...(removed > 0 ? [`${removed} too many`] : []),
    ];
    const kernel = words.length === 0 ? 'all there' : words.join(', ');
    return [row(field, { ...said, kernel }, isChanged || words.length > 0, changes.samples)];
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'conflict') throw error;
    return [row(field, { ...said, kernel: error.message }, true)];
  }
}

type Read = DeclaredEntries | NetkitError | undefined;

/** The file that keeps them may be damaged. */
function readable(read: () => DeclaredEntries | undefined): Read {
  try {
    return read();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-state') return error;
    throw error;
  }
}

function isRead(entries: Read): entries is DeclaredEntries {
  return entries !== undefined && !isDamaged(entries);
}

function isDamaged(entries: Read): entries is NetkitError {
  return entries instanceof NetkitError;
}

function countOf(entries: Read, isExact: boolean): string {
  if (entries === undefined) return 'none';
  if (isDamaged(entries)) return entries.message;
  return `${entries.count} ${entries.count === 1 ? 'entry' : 'entries'}${isExact ? ', no others' : ''}`;
}
