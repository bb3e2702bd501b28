/** Entries of a map that a manifest takes from a file. */
import { NetkitError } from '../../base/errors.js';
import { located } from '../../ebpf/entries/failure.js';
import { type EntryFile, fileSource, readSnapshotHeader } from '../../ebpf/entries/file-source.js';
import { type MigrationSide, migrated, planMigration } from '../../ebpf/entries/migration.js';
import { sideOfSnapshot } from '../../ebpf/entries/sides.js';
import { type EntrySource, refuseInterrupted, type SourceBatch } from '../../ebpf/entries/source.js';
import { openInput } from '../../host/input-file.js';
import { pieceBytes, StoredFile } from '../../host/stored-file.js';
import { allGiven } from '../../obj/entries/entry-buffer.js';
import { entryFileEndings, formatOf, snapshotShape } from '../../obj/entries/index.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { declaredPart } from '../replacing/old-maps.js';
import { type EntryMap, entryMap, problemOfKey, problemOfValue } from './declarable.js';
import { type DeclaredEntries, EntryCollector } from './declared-entries.js';
import { clearBehindPrefixes } from './prefix-keys.js';

export interface FromOptions {
  readonly signal?: AbortSignal | undefined;
  /** How many entries the map will hold; by default as many as `spec` says. */
  readonly maxEntries?: number | undefined;
}

/**
 * Encodes the entries of a file (CSV, JSON, NDJSON, snapshot; its name tells) for a map of an object. CSV gives the members
 * that it has columns for, JSON those that each value names, a snapshot all that it has. Of a per-CPU map a single value is
 * that of every CPU.
 * @throws NetkitError `bad-value` with the place in the file, `conflict` for more entries than the map can hold and for a
 *   snapshot that does not fit, `not-found`, `not-permitted`, `unsupported`, `usage`, `interrupted`
 */
export async function readFrom(
  spec: ObjectSpec,
  mapName: string,
  path: string,
  options: FromOptions = {},
): Promise<DeclaredEntries> {
  const map = entryMap(spec, mapName, options.maxEntries);
  const format = formatOf(path);
  if (format === undefined)
    throw new NetkitError('usage', `the name '${path}' does not tell a format`, {
      hint: `use a name that ends in ${entryFileEndings.join(', ')}`,
      details: { path },
    });
  using file = await openRegular(path);
  if (format !== 'snapshot')
    return await collect(map, fileSource(file, format, map.shape, { given: true, single: 'each' }), options);
  const header = await readSnapshotHeader(file);
  const [from, to] = [sideOfSnapshot(header, path), sideOfMap(map)];
  const source = migrated(fileSource(file, format, snapshotShape(header)), from, to);
  return await collect(map, source, options, allOf(map, planMigration(from, to).value));
}

/** What comes through a pipe could not be looked at again by the next plan. */
export async function openRegular(path: string): Promise<EntryFile> {
  const input = await openInput(path, pieceBytes);
  if (input.kind === 'file') return new StoredFile(path, input.fd);
  input.stream.destroy();
  throw new NetkitError('usage', `cannot read '${path}': it is no regular file`, { details: { path } });
}

function sideOfMap({ spec, map, shape, maxEntries }: EntryMap): MigrationSide {
  const { name, type, keySize, valueSize } = map;
  const [key, value] = [declaredPart(spec, map, 'key'), declaredPart(spec, map, 'value')];
  return { name: `map '${name}'`, type, maxEntries, keySize, valueSize, shape, key, value };
}

/** What a snapshot gives: all members, but for those that the values have got since. */
function allOf({ shape }: EntryMap, known: number): Uint8Array {
  const bits = allGiven(shape);
  const { cpus, cpuStride, value } = shape;
  for (let cpu = 0; cpu < cpus; cpu++) bits.fill(0, cpu * cpuStride + known, cpu * cpuStride + value.size);
  return bits;
}

/** @param all what every entry gives, where the source does not tell it */
async function collect(
  map: EntryMap,
  source: EntrySource,
  { signal }: FromOptions,
  all: Uint8Array = new Uint8Array(0),
): Promise<DeclaredEntries> {
  const { shape, maxEntries } = map;
  const collector = new EntryCollector(map.map.type, shape);
  const lines: number[] = [];
  let given = all;
  for await (const batch of source.read()) {
    refuseInterrupted(signal);
    if (map.map.type === 'lpm_trie') clearBehindPrefixes(batch.keys, batch.count, shape.keySize);
    if (batch.given === undefined) given = repeated(given, batch.count, shape.valueStride);
    for (let index = 0; index < batch.count; index++) {
      const line = batch.lines?.[index] ?? 0;
      check(map, source, batch, index, line);
      const before = collector.add(batch.keys, batch.values, batch.given ?? given, index);
      if (before >= 0) throw duplicate(map, source, batch, index, line, lines[before] ?? 0);
      lines.push(line);
      if (collector.count > maxEntries)
        throw located(
          new NetkitError(
            'conflict',
            `map '${map.map.name}' holds ${maxEntries} entries, and there are more`,
            {
              details: { map: map.map.name, maxEntries },
            },
          ),
          source,
          line,
        );
    }
  }
  return collector.done();
}

function repeated(mask: Uint8Array, count: number, stride: number): Uint8Array {
  if (mask.length >= count * stride) return mask;
  const many = new Uint8Array(count * stride);
  for (let at = 0; at < many.length; at += stride) many.set(mask.subarray(0, stride), at);
  return many;
}

function check(map: EntryMap, source: EntrySource, batch: SourceBatch, index: number, line: number): void {
  const { keySize, valueStride } = map.shape;
  const problem =
    problemOfKey(map, batch.keys, index * keySize) ?? problemOfValue(map, batch.values, index * valueStride);
  if (problem === undefined) return;
  const error = new NetkitError('bad-value', `the entry ${textOfKey(map, batch, index)}: ${problem}`);
  throw located(error, source, line);
}

function duplicate(
  map: EntryMap,
  source: EntrySource,
  batch: SourceBatch,
  index: number,
  line: number,
  first: number,
): unknown {
  const key = textOfKey(map, batch, index);
  const error = new NetkitError(
    'bad-value',
    `the key ${key} stands in ${source.unit ?? 'entry'} ${first} already`,
    {
      details: { key, first },
    },
  );
  return located(error, source, line);
}

function textOfKey({ shape: { key, keySize } }: EntryMap, { keys }: SourceBatch, index: number): string {
  if (key === undefined) return '';
  return key.format(key.decode(new DataView(keys.buffer, keys.byteOffset), index * keySize));
}
