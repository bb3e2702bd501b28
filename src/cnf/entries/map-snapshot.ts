/** The contents of a map kept in a file, for after a reboot. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { Scope } from '../../base/scope.js';
import { type EntryFile, fileSource, readSnapshotHeader } from '../../ebpf/entries/file-source.js';
import { importEntries } from '../../ebpf/entries/import.js';
import { migrated } from '../../ebpf/entries/migration.js';
import { refuseForeignIds } from '../../ebpf/entries/references.js';
import { sideOf, sideOfSnapshot, snapshotTypesOf } from '../../ebpf/entries/sides.js';
import { type EntrySource, refuseInterrupted } from '../../ebpf/entries/source.js';
import type { BpfMap } from '../../ebpf/map.js';
import { StagedFile } from '../../host/staged-file.js';
import { entryWriter, type SnapshotHeader, snapshotShape } from '../../obj/entries/index.js';
import { isRedirect } from '../../obj/map-codecs.js';
import type { MapSpec } from '../../obj/maps.js';
import { reasonAgainstEntries } from './declarable.js';
import { openRegular } from './from-file.js';

/** Why the contents of a map cannot be kept over a reboot; undefined where they can. */
export function reasonAgainstKeeping(map: Pick<MapSpec, 'type' | 'kind' | 'flags'>): string | undefined {
  if (map.type === 'devmap' || map.type === 'devmap_hash')
    return 'its entries are numbers of interfaces, which are others after a reboot';
  return reasonAgainstEntries(map);
}

export interface SnapshotResult {
  readonly entries: number;
  /** Of the file. */
  readonly bytes: number;
}

/**
 * Writes all entries of a map into a file that takes its place when it is whole, synced, and that root alone may read.
 * @throws NetkitError `failed` when the disk is full, `interrupted`, `not-permitted`
 */
export async function snapshotMap(
  map: BpfMap,
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<SnapshotResult> {
  using staged = await stageSnapshot(map, path, options);
  await staged.commit();
  return { entries: staged.entries, bytes: staged.bytes };
}

/** A snapshot that is written, and not in its place yet. Disposing removes it, unless it has got there. */
export interface StagedSnapshot extends SnapshotResult, Disposable {
  /** @throws NetkitError `failed`, `not-permitted` */
  commit(): Promise<void>;
}

/** {@link snapshotMap} up to the moment when the file takes its place. */
export async function stageSnapshot(
  map: BpfMap,
  path: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StagedSnapshot> {
  using scope = new Scope();
  const file = scope.use(new StagedFile(path, { mode: 0o600 }));
  const writer = entryWriter('snapshot', map.shape, { snapshot: snapshotTypesOf(map) });
  const result = { entries: 0, bytes: 0 };
  const write = (bytes: Uint8Array): void => {
    file.write(bytes);
    result.bytes += bytes.length;
  };
  write(writer.head());
  for await (const batch of map.readAhead()) {
    refuseInterrupted(options.signal);
    write(writer.batch(batch));
    result.entries += batch.count;
  }
  write(writer.tail());
  const owned = scope.move();
  return { ...result, commit: () => file.commit(), [Symbol.dispose]: () => owned[Symbol.dispose]() };
}

export interface RestoreOptions {
  readonly signal?: AbortSignal | undefined;
  /** How messages call the map. */
  readonly name?: string | undefined;
}

/**
 * Writes the entries of a snapshot into a map, which keeps what else it has. Values that have got members at their end since
 * have zeros there.
 * @throws NetkitError `bad-value` for a snapshot that is damaged, `conflict` where its entries do not fit or are more than
 *   the map holds, `not-found` for no such file, `interrupted`
 */
export async function restoreSnapshot(
  map: BpfMap,
  path: string,
  options: RestoreOptions = {},
): Promise<{ readonly entries: number }> {
  const { signal } = options;
  using file = await openRegular(path);
  const source = await sourceFor(map, file, path, options);
  const lock = map.spinLock === true;
  return await importEntries(map, source, { lock, ...(signal === undefined ? {} : { signal }) });
}

/**
 * Reads a snapshot to its end and writes nothing.
 * @throws NetkitError `bad-value` for a snapshot that is damaged, `conflict` where its entries do not fit, `not-found`, `interrupted`
 */
export async function checkSnapshot(map: BpfMap, path: string, options: RestoreOptions = {}): Promise<void> {
  using file = await openRegular(path);
  const source = await sourceFor(map, file, path, options);
  for await (const _ of source.read()) refuseInterrupted(options.signal);
}

async function sourceFor(
  map: BpfMap,
  file: EntryFile,
  path: string,
  { name = map.called }: RestoreOptions,
): Promise<EntrySource> {
  const header = await readSnapshotHeader(file);
  const entries = fileSource(file, 'snapshot', snapshotShape(header));
  const own = isRedirect(map.info.type) ? withoutForeignPrograms(entries, header, map) : entries;
  if (!isRedirect(map.info.type)) refuseForeignIds(map.info, header.bootId, path);
  return migrated(own, sideOfSnapshot(header, path), sideOf(map, name));
}

/** Entries without a program mean the same after every boot. */
function withoutForeignPrograms(source: EntrySource, header: SnapshotHeader, map: BpfMap): EntrySource {
  return {
    ...source,
    async *read() {
      for await (const batch of source.read()) {
        const view = new DataView(batch.values.buffer, batch.values.byteOffset);
        for (let index = 0; header.valueSize >= 8 && index < batch.count; index++)
          if (view.getUint32(index * header.valueSize + 4, hostIsLittleEndian) !== 0)
            refuseForeignIds(map.info, header.bootId, source.name);
        yield batch;
      }
    },
  };
}
