/** The whole of a source, checked before anything is written. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { indexTypes } from '../../obj/map-codecs.js';
import type { BpfMap } from '../map.js';
import { Contents } from './contents.js';
import { located } from './failure.js';
import { duplicateKey } from './seen-keys.js';
import { type EntrySource, refuseInterrupted, type SourceBatch } from './source.js';

/**
 * Reads a source to its end.
 * @throws NetkitError `bad-value` for what is no entry, a key that comes twice, and an index beyond an array; `conflict`
 *   for more entries than the map can hold
 */
export async function survey(
  map: BpfMap,
  source: EntrySource,
  signal: AbortSignal | undefined,
): Promise<Contents> {
  const { name, type, maxEntries } = map.info;
  const contents = new Contents(map.shape);
  const isIndexed = indexTypes.has(type);
  // Storage of cgroups says 0: it has as many entries as there are cgroups with a program.
  const hasLimit = maxEntries > 0;
  for await (const batch of source.read()) {
    refuseInterrupted(signal);
    if (isIndexed) refuseBeyond(map, source, batch);
    const fresh = contents.add(batch);
    if (fresh < batch.count) throw await duplicateKey(map.shape, source, batch, fresh);
    if (hasLimit && contents.count > maxEntries) {
      const line = batch.lines?.[batch.count - 1 - (contents.count - maxEntries - 1)] ?? 0;
      throw located(
        new NetkitError('conflict', `${map.called} holds ${maxEntries} entries, and there are more`, {
          details: { map: name, maxEntries },
        }),
        source,
        line,
      );
    }
  }
  return contents;
}

function refuseBeyond(map: BpfMap, source: EntrySource, batch: SourceBatch): void {
  const { name, maxEntries } = map.info;
  const view = new DataView(batch.keys.buffer, batch.keys.byteOffset, batch.count * map.info.keySize);
  for (let index = 0; index < batch.count; index++) {
    const key = view.getUint32(index * map.info.keySize, hostIsLittleEndian);
    if (key < maxEntries) continue;
    const error = new NetkitError(
      'bad-value',
      `${map.called} has no entry ${key}: its indices go from 0 to ${maxEntries - 1}`,
      {
        details: { map: name, key },
      },
    );
    throw located(error, source, batch.lines?.[index] ?? 0);
  }
}
