/** What a manifest says of maps. */
import type { FieldRow } from './apply-rows.js';
import { functionOf, type ManifestDocument, type ManifestGround, plant } from './manifest-ground.js';

const map = 'NetworkFunction.spec.maps.*';

/** Maps of a function that attaches nowhere. */
const maps =
  (declared: object) =>
  (g: ManifestGround): ManifestDocument[] => [
    functionOf({ program: { object: g.object, only: ['one'] }, maps: declared }),
  ];

/** A bare number of four or eight bytes. */
export const u32 = (number: number) => Buffer.from(Uint32Array.of(number).buffer).toString('hex');
export const u64 = (number: number) => Buffer.from(BigUint64Array.of(BigInt(number)).buffer).toString('hex');
const u16s = (...numbers: number[]) => Buffer.from(Uint16Array.from(numbers).buffer).toString('hex');
const u32s = (...numbers: number[]) => Buffer.from(Uint32Array.from(numbers).buffer).toString('hex');

const entriesOf = (name: string) => (g: ManifestGround) => g.entries(name);

/** Whether what somebody writes into the map outlives an upgrade. */
function outlives(g: ManifestGround): boolean {
  plant(g, 'words', u32(9), u64(9));
  const before = g.map('words').id;
  const [document] = g.declared();
  for (const verdict of [1, undefined]) {
    g.declares([
      functionOf({ ...document?.spec, ...(verdict === undefined ? {} : { globals: { verdict } }) }),
    ]);
    g.applies();
  }
  const kept = u32(9) in g.entries('words');
  if (kept !== (g.map('words').id === before)) throw new Error('contents and map do not go together');
  return kept;
}

const listed = maps({
  words: { entries: [{ key: 1, value: 10 }] },
  lists: { entries: [{ key: [1, 2], value: [3, 4] }] },
  pairs: { entries: [{ key: { a: 1, b: 2 }, value: { a: 3, b: 4 } }] },
});
const named = maps({
  words: { entries: { 1: 10 } },
  lists: { entries: { '[1,2]': [3, 4] } },
  pairs: { entries: { '{"a":1,"b":2}': { a: 3, b: 4 } } },
});

export const mapRows: readonly FieldRow[] = [
  {
    field: `${map}.maxEntries`,
    base: maps({ words: { maxEntries: 50 } }),
    at: 'spec.maps.words.maxEntries',
    to: () => 200,
    look: (g) => g.map('words').max_entries,
    sees: [50, 200],
  },
  {
    field: `${map}.keep`,
    base: maps({ words: {} }),
    at: 'spec.maps.words.keep',
    to: () => false,
    look: outlives,
    sees: [true, false],
  },
  {
    field: `${map}.exact`,
    base: maps({ words: { entries: { 1: 10 } } }),
    at: 'spec.maps.words.exact',
    to: () => true,
    prepare: (g) => plant(g, 'words', u32(2), u64(20)),
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10), [u32(2)]: u64(20) }, { [u32(1)]: u64(10) }],
  },
  {
    field: `${map}.entries(list)[].key(text)`,
    base: listed,
    at: 'spec.maps.words.entries[0].key',
    to: () => 2,
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10) }, { [u32(2)]: u64(10) }],
  },
  {
    field: `${map}.entries(list)[].key(list)`,
    base: listed,
    at: 'spec.maps.lists.entries[0].key',
    to: () => [1, 7],
    look: entriesOf('lists'),
    sees: [{ [u16s(1, 2)]: u32s(3, 4) }, { [u16s(1, 7)]: u32s(3, 4) }],
  },
  {
    field: `${map}.entries(list)[].key(mapping)`,
    base: listed,
    at: 'spec.maps.pairs.entries[0].key.b',
    to: () => 7,
    look: entriesOf('pairs'),
    sees: [{ [u32s(1, 2)]: u32s(3, 4) }, { [u32s(1, 7)]: u32s(3, 4) }],
  },
  {
    field: `${map}.entries(list)[].value(text)`,
    base: listed,
    at: 'spec.maps.words.entries[0].value',
    to: () => 11,
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10) }, { [u32(1)]: u64(11) }],
  },
  {
    field: `${map}.entries(list)[].value(list)`,
    base: listed,
    at: 'spec.maps.lists.entries[0].value',
    to: () => [3, 7],
    look: entriesOf('lists'),
    sees: [{ [u16s(1, 2)]: u32s(3, 4) }, { [u16s(1, 2)]: u32s(3, 7) }],
  },
  {
    field: `${map}.entries(list)[].value(mapping)`,
    base: listed,
    at: 'spec.maps.pairs.entries[0].value.a',
    to: () => 7,
    look: entriesOf('pairs'),
    sees: [{ [u32s(1, 2)]: u32s(3, 4) }, { [u32s(1, 2)]: u32s(7, 4) }],
  },
  {
    field: `${map}.entries(mapping).*(text)`,
    base: named,
    at: 'spec.maps.words.entries.1',
    to: () => 11,
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10) }, { [u32(1)]: u64(11) }],
  },
  {
    field: `${map}.entries(mapping).*(text)`,
    case: 'one more',
    base: named,
    at: 'spec.maps.words.entries.2',
    to: () => 20,
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10) }, { [u32(1)]: u64(10), [u32(2)]: u64(20) }],
  },
  {
    field: `${map}.entries(mapping).*(list)`,
    base: named,
    at: 'spec.maps.lists.entries["[1,2]"]',
    to: () => [3, 7],
    look: entriesOf('lists'),
    sees: [{ [u16s(1, 2)]: u32s(3, 4) }, { [u16s(1, 2)]: u32s(3, 7) }],
  },
  {
    field: `${map}.entries(mapping).*(mapping)`,
    base: named,
    at: String.raw`spec.maps.pairs.entries["{\"a\":1,\"b\":2}"].b`,
    to: () => 7,
    look: entriesOf('pairs'),
    sees: [{ [u32s(1, 2)]: u32s(3, 4) }, { [u32s(1, 2)]: u32s(3, 7) }],
  },
  {
    field: `${map}.from`,
    base: (g) => {
      g.writes('one.csv', 'key,value\n1,10\n');
      g.writes('two.csv', 'key,value\n2,20\n3,30\n');
      return maps({ words: { from: 'one.csv' } })(g);
    },
    at: 'spec.maps.words.from',
    to: () => 'two.csv',
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10) }, { [u32(2)]: u64(20), [u32(3)]: u64(30) }],
  },
  {
    field: `${map}.from`,
    case: 'the file itself',
    base: maps({ words: { from: 'changing.csv' } }),
    file: { name: 'changing.csv', from: 'key,value\n1,10\n', to: 'key,value\n1,11\n4,40\n' },
    at: 'spec.maps.words.from',
    look: entriesOf('words'),
    sees: [{ [u32(1)]: u64(10) }, { [u32(1)]: u64(11), [u32(4)]: u64(40) }],
  },
  {
    field: `${map}.reuse`,
    base: (g) => [
      functionOf({ program: { object: g.object, only: ['two'] } }, 'owner'),
      ...maps({ words: {} })(g),
    ],
    of: 1,
    at: 'spec.maps.words.reuse',
    to: () => 'owner/words',
    look: (g) => g.map('words').id === g.map('words', 'owner').id,
    sees: [false, true],
  },
];
