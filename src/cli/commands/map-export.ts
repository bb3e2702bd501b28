import { NetkitError } from '../../base/errors.js';
import type { BpfMap } from '../../ebpf/map.js';
import { type EntryBatch, type EntryWriter, entryWriter } from '../../obj/entries/index.js';
import type { Command } from '../context.js';
import { type EntrySink, openEntrySink } from '../entry-sink.js';
import { formatFor } from '../entry-source.js';
import { noteReplaced } from '../map-identity.js';
import { snapshotTypes } from '../map-part-types.js';
import { mapNameOf, openTypedMap } from '../typed-map.js';

export const run: Command<'map export'> = async (context, { reference, file }, options) => {
  const { output } = context;
  const toOutput = file === undefined || file === '-';
  if (toOutput && context.options.json) {
    throw new NetkitError('usage', 'the entries go to standard output, which --json would need', {
      hint: 'name a FILE, or leave out --json: --format json writes the entries as JSON',
    });
  }
  const format = formatFor(file, options.format);
  using map = await openTypedMap(context, reference, options);
  refuseDestructive(map);
  const writer = entryWriter(format, map.shape, {
    wideAsText: context.options.jsonStrings,
    ...(format === 'snapshot' ? { snapshot: await snapshotTypes(map, options) } : {}),
  });
  using sink = await openEntrySink(output, file, context.signal);
  const batches = map.readAhead({ lock: options.lock || undefined });
  const write = (add: (entries: number) => void) => exportEntries(batches, writer, sink, context.signal, add);
  const entries =
    toOutput && context.io.stdout.isTTY === true
      ? await write(() => undefined)
      : await output.counting(`exporting ${reference}`, 'entries', write);
  await noteReplaced(context, reference, map);
  if (toOutput) return;
  output.done({ map: mapNameOf(map, reference), file, format, entries, bytes: sink.size }, (page) =>
    page.line(`${entries} ${entries === 1 ? 'entry' : 'entries'} of ${reference} in ${file}`),
  );
};

/** @returns how many entries were written, or were when the reader went away */
async function exportEntries(
  batches: AsyncIterable<EntryBatch>,
  writer: EntryWriter,
  sink: EntrySink,
  signal: AbortSignal,
  add: (entries: number) => void,
): Promise<number> {
  let entries = 0;
  await sink.write(writer.head());
  for await (const batch of batches) {
    if (!(await sink.write(writer.batch(batch)))) return entries;
    signal.throwIfAborted();
    entries += batch.count;
    add(batch.count);
  }
  await sink.write(writer.tail());
  await sink.commit();
  return entries;
}

/** What is read from these is gone from them. */
function refuseDestructive(map: BpfMap): void {
  const { type } = map.info;
  if (type !== 'queue' && type !== 'stack') return;
  throw new NetkitError(
    'unsupported',
    `a ${type} cannot be exported: reading a value takes it out of the ${type}`,
    {
      hint: 'netkit map pop takes one out',
      details: { type },
    },
  );
}
