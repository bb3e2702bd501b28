/** Entries written in the order of their lines, many at once where they are neighbours in one map. */
import { NetkitError } from '../../base/errors.js';
import { viewOf } from '../../base/raw-bytes.js';
import { PartialWrite } from '../../ebpf/map-failure.js';
import type { Codec } from '../../obj/codec/index.js';
import type { EntryCommand } from './entry-command.js';
import type { EntryMemory } from './entry-memory.js';
import type { BatchLine } from './lines.js';
import type { OpenMap } from './open-maps.js';
import type { Report } from './report.js';

const mostPending = 4096;
const mostPendingBytes = 1 << 20;

/** Where the entries of one map wait. */
interface Pending {
  readonly capacity: number;
  readonly keys: Uint8Array;
  readonly keyView: DataView;
  readonly values: Uint8Array;
  readonly valueView: DataView;
}

export interface EntryWritesOptions {
  readonly dryRun: boolean;
  /** Remembers what was there before; undefined when nothing is to be taken back. */
  memory(): EntryMemory | undefined;
}

export class EntryWrites {
  readonly #report: Report;
  readonly #options: EntryWritesOptions;
  readonly #pending = new WeakMap<OpenMap, Pending>();
  /** The lines of what waits; of most only their numbers, so that nothing else has to be kept. */
  #lines: BatchLine[] = [];
  #numbers: number[] = [];
  #target: OpenMap | undefined;

  constructor(report: Report, options: EntryWritesOptions) {
    this.#report = report;
    this.#options = options;
  }

  /**
   * Writes or deletes an entry, now or with the next ones at `flush`. What was taken before and fails is reported by
   * its own line. @throws NetkitError when this line is wrong; all before it are written then
   */
  take(line: BatchLine, command: EntryCommand, target: OpenMap): void {
    if (command.kind === 'update' && command.when === 'any' && !this.#isDry(command)) {
      this.#queue(line, command, target);
      return;
    }
    this.flush();
    const { key: codec } = target.shape;
    if (codec === undefined) throw new TypeError(`${target.reference} has no keys`);
    const key = encoded(codec, command.key);
    if (command.kind === 'delete') this.#delete(line, command, target, key);
    else this.#update(line, command, target, key);
  }

  /** Writes what waits. */
  flush(): void {
    const target = this.#target;
    const lines = this.#lines;
    const numbers = this.#numbers;
    const count = numbers.length;
    this.#lines = [];
    this.#numbers = [];
    this.#target = undefined;
    if (target === undefined || count === 0) return;
    const lineOf = (index: number): BatchLine =>
      lines[index] ?? { line: numbers[index] ?? 0, text: '', words: [] };
    const { keys, values } = this.#pendingOf(target);
    const { keySize, valueStride } = target.shape;
    const part = (bytes: Uint8Array, size: number, from: number, until: number) =>
      bytes.subarray(from * size, until * size);
    try {
      this.#options.memory()?.before(target, keys, count);
    } catch (error) {
      this.#report.failed(lineOf(0), error);
      return;
    }
    for (let from = 0; from < count; ) {
      const [error, written] = writeSome(target, {
        count: count - from,
        keys: part(keys, keySize, from, count),
        values: part(values, valueStride, from, count),
      });
      if (!this.#report.showsEach) this.#report.succeededMany(written);
      for (let index = from; this.#report.showsEach && index < from + written; index++) {
        this.#report.succeeded(lineOf(index), () =>
          updateDocument(
            target,
            part(keys, keySize, index, index + 1),
            part(values, valueStride, index, index + 1),
            'any',
            false,
          ),
        );
      }
      from += written;
      if (error === undefined) continue;
      this.#report.failed(lineOf(from), error);
      from++;
    }
  }

  #isDry(command: EntryCommand): boolean {
    return command.dryRun || this.#options.dryRun;
  }

  #queue(line: BatchLine, command: EntryCommand, target: OpenMap): void {
    if (this.#target !== target) this.flush();
    const pending = this.#pendingOf(target);
    const { key, value, keySize, valueStride } = target.shape;
    const index = this.#numbers.length;
    try {
      key?.encodeText(command.key, pending.keyView, index * keySize);
      value.encodeText(command.value, pending.valueView, index * valueStride);
    } catch (error) {
      this.flush();
      throw error;
    }
    spread(target, pending.values, index * valueStride);
    this.#target = target;
    this.#numbers.push(line.line);
    if (this.#report.showsEach) this.#lines.push(line);
    if (this.#numbers.length === pending.capacity) this.flush();
  }

  #update(line: BatchLine, command: EntryCommand, target: OpenMap, key: Uint8Array): void {
    const { map, shape, reference } = target;
    const { when } = command;
    const value = new Uint8Array(shape.valueStride);
    shape.value.encodeText(command.value, viewOf(value), 0);
    spread(target, value, 0);
    const isDry = this.#isDry(command);
    if (isDry) {
      if (map.accounting().frozen === true)
        throw new NetkitError('not-permitted', `cannot write ${reference}: it is frozen`);
      refuseCondition(when, target, key);
    } else {
      this.#options.memory()?.before(target, key, 1);
      map.setBytes(key, value, when);
    }
    this.#report.succeeded(line, () => updateDocument(target, key, value, when, isDry));
  }

  #delete(line: BatchLine, command: EntryCommand, target: OpenMap, key: Uint8Array): void {
    const { map, reference } = target;
    const isDry = this.#isDry(command);
    if (!isDry) this.#options.memory()?.before(target, key, 1);
    const deleted = isDry ? map.getBytes(key) !== undefined : map.deleteBytes(key);
    if (!deleted && !command.ifExists) throw missing(target, key);
    this.#report.succeeded(line, () => {
      const about = `delete ${textOf(target.shape.key, key)} from ${reference}`;
      return {
        map: target.name,
        key: target.shape.key?.decode(viewOf(key), 0),
        deleted: deleted && !isDry,
        dryRun: isDry,
        actions: deleted ? [{ kind: 'delete', about }] : [],
      };
    });
  }

  #pendingOf(target: OpenMap): Pending {
    const known = this.#pending.get(target);
    if (known !== undefined) return known;
    const { keySize, valueStride } = target.shape;
    const fitting = Math.floor(mostPendingBytes / (keySize + valueStride));
    const capacity = Math.max(1, Math.min(mostPending, fitting));
    const keys = new Uint8Array(capacity * keySize);
    const values = new Uint8Array(capacity * valueStride);
    const made = { capacity, keys, values, keyView: viewOf(keys), valueView: viewOf(values) };
    this.#pending.set(target, made);
    return made;
  }
}

/** @returns what went wrong, and how many entries were written before it */
function writeSome(
  { map }: OpenMap,
  batch: { readonly count: number; readonly keys: Uint8Array; readonly values: Uint8Array },
): [error: unknown, written: number] {
  try {
    map.writeBatch(batch);
    return [undefined, batch.count];
  } catch (error) {
    return error instanceof PartialWrite ? [error.cause ?? error, error.written] : [error, 0];
  }
}

/** Every CPU gets the value that is given once. */
function spread({ shape }: OpenMap, values: Uint8Array, offset: number): void {
  for (let cpu = 1; cpu < shape.cpus; cpu++)
    values.copyWithin(offset + cpu * shape.cpuStride, offset, offset + shape.value.size);
}

function refuseCondition(when: EntryCommand['when'], target: OpenMap, key: Uint8Array): void {
  if (when === 'any') return;
  const isThere = target.map.getBytes(key) !== undefined;
  const entry = textOf(target.shape.key, key);
  if (when === 'noexist' && isThere)
    throw new NetkitError('conflict', `${target.reference} has an entry ${entry} already`);
  if (when === 'exist' && !isThere) throw missing(target, key);
}

function missing(target: OpenMap, key: Uint8Array): NetkitError {
  const { key: codec } = target.shape;
  return new NetkitError('not-found', `${target.reference} has no entry ${textOf(codec, key)}`, {
    details: { key: codec?.decode(viewOf(key), 0) },
  });
}

/** What `map update` prints by itself. */
function updateDocument(
  target: OpenMap,
  keyBytes: Uint8Array,
  valueBytes: Uint8Array,
  when: EntryCommand['when'],
  dryRun: boolean,
): object {
  const { key, value } = target.shape;
  const text = `${textOf(key, keyBytes)} ${textOf(value, valueBytes)}`;
  return {
    map: target.name,
    key: key?.decode(viewOf(keyBytes), 0),
    value: value.decode(viewOf(valueBytes), 0),
    when,
    dryRun,
    actions: [{ kind: 'update', about: `write ${text} into ${target.reference}` }],
  };
}

function textOf(codec: Codec | undefined, bytes: Uint8Array): string {
  return codec === undefined ? '' : codec.format(codec.decode(viewOf(bytes), 0));
}

function encoded(codec: Codec, text: string): Uint8Array {
  const bytes = new Uint8Array(codec.size);
  codec.encodeText(text, viewOf(bytes), 0);
  return bytes;
}
