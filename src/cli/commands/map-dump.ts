import type { Codec, Value } from '../../obj/codec/index.js';
import type { Command } from '../context.js';
import type { Cell } from '../page.js';
import { mapNameOf, openTypedMap, type ShownValue, shownValue } from '../typed-map.js';

export const run: Command<'map dump'> = async (context, { reference }, options) => {
  using map = await openTypedMap(context, reference, options);
  const entries = [...map.entries()].map(([key, value]) => ({
    key,
    ...shownValue(map, value, options.perCpu),
  }));
  context.output.result({ map: mapNameOf(map, reference), entries }, (page) => {
    if (entries.length === 0) page.line('no entries');
    const columns = valueColumns(entries);
    const perCpu = entries.some((entry) => entry.perCpu !== null);
    page.table(
      [
        'KEY',
        ...(perCpu ? ['CPU'] : []),
        ...columns.map((column) => (column === '' ? 'VALUE' : column.toUpperCase())),
      ],
      entries.flatMap((entry) => rowsOf(entry.key, entry, columns, perCpu, map.keyCodec, map.valueCodec)),
    );
  });
};

/** A struct gets a column a member; anything else one column. */
function valueColumns(entries: readonly ShownValue[]): string[] {
  const [first] = entries;
  const sample = first?.value ?? first?.perCpu?.[0]?.value;
  return typeof sample === 'object' && sample !== null && !Array.isArray(sample) ? Object.keys(sample) : [''];
}

function rowsOf(
  key: Value,
  entry: ShownValue,
  columns: readonly string[],
  perCpu: boolean,
  keys: Codec,
  values: Codec,
): Cell[][] {
  const cellsOf = (value: Value): Cell[] =>
    columns.map((column) => {
      if (column === '') return values.format(value);
      const member = typeof value === 'object' && !Array.isArray(value) ? value[column] : undefined;
      return member === undefined ? null : values.format(member);
    });
  const name = keys.format(key);
  if (entry.perCpu === null)
    return [[name, ...(perCpu ? [null] : []), ...(entry.value === null ? [] : cellsOf(entry.value))]];
  return entry.perCpu.map(({ cpu, value }) => [name, cpu, ...cellsOf(value)]);
}
