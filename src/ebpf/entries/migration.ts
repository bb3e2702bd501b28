/** Entries of one map taken into another whose values have grown. */
import { counted } from '../../base/counted.js';
import { NetkitError } from '../../base/errors.js';
import { compareTypes, type FieldDifference, type FieldPlace } from '../../obj/btf/compare.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { indexTypes, type MapPart, type PartType } from '../../obj/map-codecs.js';
import type { EntrySource, SourceBatch } from './source.js';

/** What is known of the map at either end, or of the one that a snapshot was made of. */
export interface MigrationSide {
  /** How messages call it. */
  readonly name: string;
  /** The kernel's word. */
  readonly type: string;
  readonly maxEntries: number;
  readonly keySize: number;
  /** Bytes, of one CPU's value where the map is per-CPU. */
  readonly valueSize: number;
  readonly shape: Pick<EntryShape, 'keySize' | 'valueStride' | 'cpus' | 'cpuStride'>;
  readonly key: PartType | undefined;
  readonly value: PartType | undefined;
}

/** Where entries can go as they are. Types that are not here go to their own only. */
const families: readonly (readonly string[])[] = [
  ['hash', 'lru_hash'],
  ['percpu_hash', 'lru_percpu_hash'],
];

/** How many bytes are taken over. */
export interface Migration {
  /** Of one CPU's value; zeros follow. */
  readonly value: number;
}

/** What keeps entries of one map from being entries of another. */
interface Problem {
  readonly sentence: string;
  /** What part it is about, and the fields on both sides. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Problems that a hint lists; all are in the details. */
const mostShown = 12;

/**
 * Makes sure that entries fit: of maps of one kind, with keys of the same type, and values of the same or of one that got
 * members at its end. A key with zeros behind it would be another key: of `10.0.0.0/8` it makes `a00::/8`.
 * @throws NetkitError `conflict` with the differences, field by field
 */
export function planMigration(from: MigrationSide, to: MigrationSide): Migration {
  const key = comparePart('key', from.keySize, to.keySize, from.key, to.key);
  const value = comparePart('value', from.valueSize, to.valueSize, from.value, to.value);
  const problems = [...kindProblems(from, to), ...key.problems, ...value.problems];
  const [first, ...more] = problems.map(({ sentence }) => sentence);
  if (first === undefined) return { value: value.prefix };
  const shown = more.slice(0, mostShown - 1);
  if (more.length > shown.length) shown.push(`and ${more.length - shown.length} more`);
  throw new NetkitError('conflict', `entries of ${from.name} do not fit into ${to.name}: ${first}`, {
    ...(shown.length === 0 ? {} : { hint: shown.join('; ') }),
    details: { differences: problems.map(({ sentence, details }) => ({ about: sentence, ...details })) },
  });
}

function kindProblems(from: MigrationSide, to: MigrationSide): Problem[] {
  const problem = (sentence: string): Problem => ({ sentence, details: {} });
  const sameKind =
    from.type === to.type || families.some((types) => types.includes(from.type) && types.includes(to.type));
  if (!sameKind) return [problem(`a map of type ${from.type} is not one of type ${to.type}`)];
  const cpus = [from.shape.cpus, to.shape.cpus] as const;
  return [
    ...(cpus[0] === cpus[1]
      ? []
      : [problem(`its entries have values for ${counted(cpus[0], 'CPU')}, this machine has ${cpus[1]}`)]),
    ...(indexTypes.has(from.type) && from.maxEntries > to.maxEntries
      ? [problem(`it has ${from.maxEntries} entries, not ${to.maxEntries}`)]
      : []),
  ];
}

function comparePart(
  part: MapPart,
  fromSize: number,
  toSize: number,
  from: PartType | undefined,
  to: PartType | undefined,
): { readonly prefix: number; readonly problems: readonly Problem[] } {
  if (from !== undefined && to !== undefined) {
    const { verdict, prefix, differences } = compareTypes(from, to);
    if (verdict === 'same' || (verdict === 'grown' && part === 'value')) return { prefix, problems: [] };
    if (differences.length > 0) return { prefix, problems: differences.map((each) => problemOf(part, each)) };
    // Nothing but padding was added.
    const sentence = `its ${part}s have ${counted(fromSize, 'byte')}, not ${toSize}`;
    return { prefix, problems: [{ sentence, details: { part } }] };
  }
  if (fromSize === toSize) return { prefix: fromSize, problems: [] };
  const sentence = `its ${part}s have ${counted(fromSize, 'byte')}, not ${toSize}, and without types nobody knows what the others are`;
  return { prefix: 0, problems: [{ sentence, details: { part } }] };
}

function problemOf(part: MapPart, { path, from, to }: FieldDifference): Problem {
  const name = path === '' ? `the ${part}` : `${part}.${path}`;
  const place = ({ type, offset }: FieldPlace): string => (path === '' ? type : `${type} at byte ${offset}`);
  const sentence =
    from === undefined
      ? `${name} is new${part === 'key' ? '' : ', and not at the end'}${to === undefined ? '' : ` (${place(to)})`}`
      : to === undefined
        ? `${name} (${place(from)}) is gone`
        : `${name} was ${place(from)} and is ${place(to)}`;
  return { sentence, details: { part, path, from: from ?? null, to: to ?? null } };
}

/** The entries of `source` with zeros behind each value that has grown; the source itself where none has. */
export function migrated(source: EntrySource, from: MigrationSide, to: MigrationSide): EntrySource {
  const plan = planMigration(from, to);
  if (plan.value === to.valueSize && from.valueSize === to.valueSize) return source;
  return {
    ...source,
    async *read() {
      const grown = new GrownBatch(from, to, plan);
      for await (const batch of source.read()) yield grown.of(batch);
    },
  };
}

class GrownBatch {
  readonly #from: MigrationSide;
  readonly #to: MigrationSide;
  readonly #plan: Migration;
  #room = 0;
  #values = new Uint8Array(0);

  constructor(from: MigrationSide, to: MigrationSide, plan: Migration) {
    this.#from = from;
    this.#to = to;
    this.#plan = plan;
  }

  of(batch: SourceBatch): SourceBatch {
    const [from, to] = [this.#from.shape, this.#to.shape];
    const { count } = batch;
    if (count > this.#room) {
      this.#room = count;
      this.#values = new Uint8Array(count * to.valueStride);
    }
    // What lies behind the old bytes is zero from the beginning, and nothing writes there.
    const { value: valueSize } = this.#plan;
    for (let index = 0; index < count; index++) {
      for (let cpu = 0; cpu < from.cpus; cpu++) {
        const at = index * from.valueStride + cpu * from.cpuStride;
        const old = batch.values.subarray(at, at + valueSize);
        this.#values.set(old, index * to.valueStride + cpu * to.cpuStride);
      }
    }
    const { lines } = batch;
    return {
      count,
      keys: batch.keys,
      values: this.#values.subarray(0, count * to.valueStride),
      ...(lines === undefined ? {} : { lines }),
    };
  }
}
