import { toJson } from '../../base/json.js';
import { BatchCopy } from '../../ebpf/entries/source.js';
import type { BpfMap } from '../../ebpf/map.js';
import { type EntryBatch, entryWriter } from '../../obj/entries/index.js';
import type { Command, CommandContext } from '../context.js';
import { standardSink } from '../entry-sink.js';
import { type CpuView, decodedEntries, EntryTable } from '../entry-table.js';
import { noteReplaced } from '../map-identity.js';
import { schemaVersion } from '../output.js';
import { mapNameOf, openTypedMap } from '../typed-map.js';

/** So many entries make one page, or decide how wide the columns of a longer table are. */
const pageEntries = 1000;
/** So many are decoded at a time for a table. */
const tableEntries = 8192;

export const run: Command<'map dump'> = async (context, { reference }, options) => {
  using map = await openTypedMap(context, reference, options);
  const { output, io } = context;
  const dump: Dump = {
    context,
    map,
    named: mapNameOf(map, reference),
    cpus: !map.perCpu ? 'one' : options.perCpu ? 'each' : 'sum',
  };
  // Decoded values take far more memory than their bytes.
  const size = context.options.json ? undefined : tableEntries;
  const batches = map.readAhead({ lock: options.lock || undefined, size });
  if (io.stdout.isTTY === true) await show(dump, batches);
  else await output.counting(`reading ${reference}`, 'entries', (add) => show(dump, counted(batches, add)));
  await noteReplaced(context, reference, map);
};

interface Dump {
  readonly context: CommandContext<'map dump'>;
  readonly map: BpfMap;
  readonly named: ReturnType<typeof mapNameOf>;
  readonly cpus: CpuView;
}

async function* counted(
  batches: AsyncIterable<EntryBatch>,
  add: (entries: number) => void,
): AsyncGenerator<EntryBatch> {
  for await (const batch of batches) {
    add(batch.count);
    yield batch;
  }
}

/** Few entries are one page or document; of many the first ones are printed before the last ones are read. */
async function show(dump: Dump, batches: AsyncIterable<EntryBatch>): Promise<void> {
  const { context, map, named, cpus } = dump;
  // A pipe gets JSON on a line an entry, however few they are.
  if (context.options.json && context.io.stdout.isTTY !== true) return streamJson(dump, batches);
  const first = new BatchCopy(map.shape);
  const rest = batches[Symbol.asyncIterator]();
  try {
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      first.append(next.value, 0, next.value.count);
      if (first.count <= pageEntries) continue;
      const all = joined(first, rest);
      await (context.options.json ? streamJson(dump, all) : streamTable(dump, all));
      return;
    }
  } finally {
    await rest.return?.();
  }
  const entries = decodedEntries(first, map.shape, cpus);
  context.output.result(
    { map: named, entries: entries.map(({ key, value }) => ({ key, value })) },
    (page) => {
      if (entries.length === 0) page.line('no entries');
      const table = new EntryTable(entries, map.shape);
      page.table(table.titles, table.rows(entries));
    },
  );
}

async function* joined(first: EntryBatch, rest: AsyncIterator<EntryBatch>): AsyncGenerator<EntryBatch> {
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

async function streamJson(
  { context, map, named, cpus }: Dump,
  batches: AsyncIterable<EntryBatch>,
): Promise<void> {
  const { output, options, signal } = context;
  const writer = entryWriter('json', map.shape, {
    wideAsText: options.jsonStrings,
    sumOverCpus: cpus === 'sum',
  });
  using sink = standardSink(output);
  const opening = `{"schemaVersion":${schemaVersion},"map":${toJson(named)},"entries":`;
  let begun = false;
  const begin = async (): Promise<void> => {
    // Not before the map could be read: what is refused leaves nothing on standard output.
    if (begun) return;
    begun = true;
    await sink.write(Buffer.from(opening));
    await sink.write(writer.head());
  };
  for await (const batch of batches) {
    await begin();
    if (!(await sink.write(writer.batch(batch)))) return;
    signal.throwIfAborted();
  }
  await begin();
  await sink.write(writer.tail());
  await sink.write(Buffer.from('}\n'));
  await sink.commit();
}

async function streamTable({ context, map, cpus }: Dump, batches: AsyncIterable<EntryBatch>): Promise<void> {
  using sink = standardSink(context.output);
  let table: EntryTable | undefined;
  for await (const batch of batches) {
    const entries = decodedEntries(batch, map.shape, cpus);
    let text = '';
    if (table === undefined) {
      table = new EntryTable(entries, map.shape);
      text = table.head(table.rows(entries.slice(0, pageEntries)));
      entries.splice(0, pageEntries);
    }
    text += table.lines(table.rows(entries));
    if (!(await sink.write(Buffer.from(text)))) return;
    context.signal.throwIfAborted();
  }
  await sink.commit();
}
