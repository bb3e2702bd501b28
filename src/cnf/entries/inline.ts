/** Entries that stand in a manifest itself. */
import { messageOf, NetkitError } from '../../base/errors.js';
import { viewOf } from '../../base/raw-bytes.js';
import type { Codec, Value } from '../../obj/codec/index.js';
import { segmentsOf } from '../../obj/entries/json-place.js';
import type { MapPart } from '../../obj/map-codecs.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { type EntryMap, entryMap, problemOfKey, problemOfValue } from './declarable.js';
import { type DeclaredEntries, EntryCollector } from './declared-entries.js';
import { clearBehindPrefixes } from './prefix-keys.js';

/** A key or value as a manifest has it: every leaf the text that stands there. */
export type DeclaredValue = string | readonly DeclaredValue[] | { readonly [member: string]: DeclaredValue };

/** By the text of the key, or as a list where keys are structs. */
export type InlineEntries =
  | { readonly [key: string]: DeclaredValue }
  | readonly { readonly key: DeclaredValue; readonly value: DeclaredValue }[];

export interface InlineOptions {
  /** Where the entries stand in the manifest; `spec.maps.MAP.entries` when left out. */
  readonly path?: readonly (string | number)[];
  /** How many entries the map will hold; by default as many as `spec` says. */
  readonly maxEntries?: number | undefined;
}

/** What is wrong with one entry, and where it stands. */
export interface EntryProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string | undefined;
}

/** More than these are not told. */
const mostProblems = 100;

interface InlineEntry {
  readonly key: DeclaredValue;
  readonly value: DeclaredValue;
  /** The text of its key, or its number in a list. */
  readonly place: string | number;
}

/**
 * Encodes the entries that a manifest gives a map of an object. Of a per-CPU map a single value is that of every CPU; a list
 * with one value a CPU gives each its own.
 * @throws NetkitError `bad-value`, with the place of the first wrong entry as `details.path`, and all of them as
 *   `details.problems`; `conflict` for more than the map can hold, `not-found`, `unsupported`
 */
export function readInline(
  spec: ObjectSpec,
  mapName: string,
  entries: InlineEntries,
  options: InlineOptions = {},
): DeclaredEntries {
  const path = options.path ?? ['spec', 'maps', mapName, 'entries'];
  const map = located(path, () => entryMap(spec, mapName, options.maxEntries));
  const list = entriesOf(entries);
  const reader = new InlineReader(map, path, list.length);
  for (const entry of list) reader.read(entry);
  return reader.done();
}

function entriesOf(entries: InlineEntries): InlineEntry[] {
  if (isList(entries)) return entries.map(({ key, value }, place) => ({ key, value, place }));
  return Object.entries(entries).map(([key, value]) => ({ key, value, place: key }));
}

/** How messages call the entry at a place. */
function called(place: string | number): string {
  return typeof place === 'number' ? `entry ${place}` : place;
}

function isList(entries: InlineEntries): entries is Extract<InlineEntries, readonly unknown[]> {
  return Array.isArray(entries);
}

class InlineReader {
  readonly #map: EntryMap;
  readonly #path: readonly (string | number)[];
  readonly #collector: EntryCollector;
  readonly #key: Uint8Array;
  readonly #value: Uint8Array;
  readonly #given: Uint8Array;
  readonly #keyView: DataView;
  readonly #valueView: DataView;
  readonly #givenView: DataView;
  /** Where each entry stands, by its number in the collector. */
  readonly #places: (string | number)[] = [];
  readonly #problems: EntryProblem[] = [];
  #wrong = 0;

  constructor(map: EntryMap, path: readonly (string | number)[], expected: number) {
    const { shape } = map;
    this.#map = map;
    this.#path = path;
    this.#collector = new EntryCollector(map.map.type, shape, expected);
    this.#key = new Uint8Array(shape.keySize);
    this.#value = new Uint8Array(shape.valueStride);
    this.#given = new Uint8Array(shape.valueStride);
    this.#keyView = viewOf(this.#key);
    this.#valueView = viewOf(this.#value);
    this.#givenView = viewOf(this.#given);
  }

  read({ key, value, place }: InlineEntry): void {
    const isKeyRead = this.#try(place, 'key', key, () => this.#readKey(key));
    const isValueRead = this.#try(place, 'value', value, () => this.#readValue(value));
    if (!isKeyRead || !isValueRead) return;
    const before = this.#collector.add(this.#key, this.#value, this.#given, 0);
    if (before < 0) this.#places.push(place);
    else {
      const first = called(this.#places[before] ?? '');
      this.#problem(place, this.#pathOf(place, 'key'), `this key stands there already, as ${first}`);
    }
  }

  /** @throws NetkitError when anything was wrong */
  done(): DeclaredEntries {
    const { map, maxEntries } = this.#map;
    const [first] = this.#problems;
    if (first !== undefined) {
      const more = this.#wrong === 1 ? '' : ` (and ${this.#wrong - 1} more)`;
      throw new NetkitError('bad-value', `map '${map.name}': ${first.message}${more}`, {
        hint: first.hint,
        details: { map: map.name, path: first.path, problems: this.#problems },
      });
    }
    if (this.#collector.count > maxEntries)
      throw new NetkitError(
        'conflict',
        `map '${map.name}' holds ${maxEntries} entries, and ${this.#collector.count} are given`,
        { details: { map: map.name, maxEntries, path: this.#path } },
      );
    return this.#collector.done();
  }

  #readKey(given: DeclaredValue): void {
    const { key: codec, keySize } = this.#map.shape;
    codec?.encode(codecValue(given), this.#keyView, 0);
    const problem = problemOfKey(this.#map, this.#key, 0);
    if (problem !== undefined) throw new NetkitError('bad-value', problem);
    // What is given as raw bytes may have bits behind its prefix.
    if (this.#map.map.type === 'lpm_trie') clearBehindPrefixes(this.#key, 1, keySize);
  }

  #readValue(given: DeclaredValue): void {
    const { value: codec, cpus, cpuStride } = this.#map.shape;
    this.#given.fill(0);
    const values = this.#perCpu(given);
    if (values !== undefined && values.length !== cpus)
      throw new NetkitError(
        'bad-value',
        `a list of ${values.length}, and there are ${cpus} possible CPUs, each with a value of its own`,
        { hint: 'a single value is given to every CPU' },
      );
    for (let cpu = 0; cpu < cpus; cpu++) {
      const own = codecValue(values?.[cpu] ?? given);
      codec.encode(own, this.#valueView, cpu * cpuStride);
      codec.markGiven(own, this.#givenView, cpu * cpuStride);
    }
    const problem = problemOfValue(this.#map, this.#value, 0);
    if (problem !== undefined) throw new NetkitError('bad-value', problem);
  }

  /** One value a CPU: a list that is one deeper than values of that type are. */
  #perCpu(given: DeclaredValue): readonly DeclaredValue[] | undefined {
    const { shape, map } = this.#map;
    const isPerCpu = shape.cpus > 1 || /percpu/.test(map.type);
    return isPerCpu && isValues(given) && depthOf(given) > depthOfType(shape.value) ? given : undefined;
  }

  #try(place: string | number, part: MapPart, given: DeclaredValue, read: () => void): boolean {
    try {
      read();
      return true;
    } catch (error) {
      if (!(error instanceof NetkitError)) throw error;
      const path = [...this.#pathOf(place, part), ...membersIn(given, error)];
      this.#problem(place, path, messageOf(error), error.hint);
      return false;
    }
  }

  /** In a list keys and values have places of their own. */
  #pathOf(place: string | number, part: MapPart): (string | number)[] {
    return [...this.#path, place, ...(typeof place === 'number' ? [part] : [])];
  }

  #problem(place: string | number, path: readonly (string | number)[], message: string, hint?: string): void {
    this.#wrong++;
    if (this.#problems.length === mostProblems) return;
    const told = `${called(place)}: ${message}`;
    this.#problems.push({ path, message: told, ...(hint === undefined ? {} : { hint }) });
  }
}

/** As the codecs take it. */
function codecValue(given: DeclaredValue): Value {
  if (typeof given === 'string') return given;
  if (isValues(given)) return given.map(codecValue);
  const members: { [member: string]: Value } = {};
  for (const [name, value] of Object.entries(given)) {
    // A member of any name is refused by the type, not taken in by JavaScript.
    if (name === '__proto__') Object.defineProperty(members, name, { value: '', enumerable: true });
    else members[name] = codecValue(value);
  }
  return members;
}

function isValues(given: DeclaredValue): given is readonly DeclaredValue[] {
  return Array.isArray(given);
}

function depthOf(value: DeclaredValue): number {
  let depth = 0;
  for (let at: DeclaredValue | undefined = value; at !== undefined && isValues(at); at = at[0]) depth++;
  return depth;
}

/** How many lists stand around the first leaf of a value of that type. */
function depthOfType(codec: Codec): number {
  let depth = 0;
  let at: unknown = codec.decode(new DataView(new ArrayBuffer(codec.size)), 0);
  for (; Array.isArray(at); at = at[0]) depth++;
  return depth;
}

/** The way from a value to the member that an error of its codec names, as far as the value has it. */
function membersIn(given: DeclaredValue, error: NetkitError): (string | number)[] {
  const named = typeof error.details.path === 'string' ? error.details.path : '';
  const unknown = / has no member '(.+?)'$/.exec(error.message)?.[1];
  const way = segmentsOf(named.replace(/^[^.[]+/, ''));
  if (unknown !== undefined) way.push(unknown);
  const found: (string | number)[] = [];
  let at: DeclaredValue | undefined = given;
  for (const segment of way) {
    if (at === undefined || typeof at === 'string') break;
    at = isValues(at) ? at[Number(segment)] : Object.hasOwn(at, segment) ? at[segment] : undefined;
    if (at === undefined) break;
    found.push(segment);
  }
  return found;
}

function located<T>(path: readonly (string | number)[], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    throw new NetkitError(error.code, error.message, {
      hint: error.hint,
      details: { ...error.details, path },
      cause: error,
    });
  }
}
