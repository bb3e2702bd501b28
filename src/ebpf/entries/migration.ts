/** Entries of one map taken into another whose types have grown. */
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

/** How many bytes of each part are taken over; zeros follow. */
export interface Migration {
  readonly key: number;
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
 * Makes sure that entries fit: of maps of one kind, with the same types, or with types that have grown or got members at
 * their end.
 * @throws NetkitError `conflict` with the differences, field by field
 */
export function planMigration(from: MigrationSide, to: MigrationSide): Migration {
  const key = comparePart('key', from.keySize, to.keySize, from.key, to.key);
  const value = comparePart('value', from.valueSize, to.valueSize, from.value, to.value);
  const problems = [...kindProblems(from, to), ...key.problems, ...value.problems];
  const [first, ...more] = problems.map(({ sentence }) => sentence);
  if (first === undefined) return { key: key.prefix, value: value.prefix };
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
    return {
      prefix,
      problems: verdict === 'different' ? differences.map((each) => problemOf(part, each)) : [],
    };
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
      ? `${name} is new, and not at the end${to === undefined ? '' : ` (${place(to)})`}`
      : to === undefined
        ? `${name} (${place(from)}) is gone`
        : `${name} was ${place(from)} and is ${place(to)}`;
  return { sentence, details: { part, path, from: from ?? null, to: to ?? null } };
}

/** The entries of `source` with zeros behind each key and value that has grown; the source itself where none has. */
export function migrated(source: EntrySource, from: MigrationSide, to: MigrationSide): EntrySource {
  const plan = planMigration(from, to);
  const isSame = plan.key === to.keySize && plan.value === to.valueSize;
  if (isSame && from.keySize === to.keySize && from.valueSize === to.valueSize) return source;
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
  #keys = new Uint8Array(0);
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
      this.#keys = new Uint8Array(count * to.keySize);
      this.#values = new Uint8Array(count * to.valueStride);
    }
    // What lies behind the old bytes is zero from the beginning, and nothing writes there.
    const { key: keySize, value: valueSize } = this.#plan;
    for (let index = 0; index < count; index++) {
      copy(batch.keys, index * from.keySize, this.#keys, index * to.keySize, keySize);
      for (let cpu = 0; cpu < from.cpus; cpu++) {
        const at = index * from.valueStride + cpu * from.cpuStride;
        copy(batch.values, at, this.#values, index * to.valueStride + cpu * to.cpuStride, valueSize);
      }
    }
    const { lines } = batch;
    return {
      count,
      keys: this.#keys.subarray(0, count * to.keySize),
      values: this.#values.subarray(0, count * to.valueStride),
      ...(lines === undefined ? {} : { lines }),
    };
  }
}

function copy(from: Uint8Array, at: number, to: Uint8Array, toAt: number, length: number): void {
  to.set(from.subarray(at, at + length), toAt);
}
