// What maps of a million entries cost: netkit against bpftool on the same maps, in the same rounds.
import { join } from 'node:path';
import { flows, numbers, writeBpftoolBatch, writeNdjson, writeNetkitBatch } from './lib/entries.mjs';
import { ROOT } from './lib/lab.mjs';

const million = 1_000_000;
const batchLines = 100_000;
const tenMillion = 10_000_000;

const kinds = [
  { map: 'numbers', entries: numbers, about: '`u32 → u64`' },
  { map: 'flows', entries: flows, about: '5-tuple → counters' },
];

export function rows(lab) {
  const bench = prepare(lab);
  const groups = kinds.map((kind) => mapRows(lab, bench, kind));
  const many = 'bench/many';
  return {
    title: 'A million entries, against bpftool on the same map; ten million, in memory.',
    rounds: 6,
    chains: [
      ...groups.flatMap(({ chains }) => chains),
      [{ name: 'records read', command: ringRate(lab, 'read'), rate: true }],
      [{ name: 'records printed', command: ringRate(lab, 'print'), rate: true }],
      [
        {
          name: 'bpftool batch of 100,000',
          command: lab.tool('bpftool', 'batch', 'file', bench.bpftoolLines),
        },
      ],
      [{ name: 'netkit batch of 100,000', command: lab.netkit('batch', bench.netkitLines) }],
      [
        {
          name: 'import of ten million',
          command: lab.netkit('map', 'import', many, bench.manyFile),
          peak: true,
        },
        {
          name: 'export of ten million',
          command: lab.netkit('map', 'export', many, '-', '--format', 'ndjson'),
          peak: true,
        },
      ],
    ],
    rows: [
      ...groups.flatMap(({ rows: own }) => own),
      {
        title: 'ring buffer: typed records of 24 bytes read through batches, as objects, a second',
        of: 'records read',
        atLeast: 10,
        unit: 'million',
      },
      {
        title: 'ring buffer: the same records printed by `map watch --json`, its start included, a second',
        of: 'records printed',
        atLeast: 1,
        unit: 'million',
      },
      {
        title: '`netkit batch` of 100,000 `map update` lines, times faster than `bpftool batch`',
        of: 'netkit batch of 100,000',
        against: 'bpftool batch of 100,000',
        atLeast: 2,
        unit: '×',
      },
      {
        title: 'peak memory of `map import` of 10 million entries',
        of: 'import of ten million',
        budget: 250,
        unit: 'MB',
      },
      {
        title: 'peak memory of `map export` of 10 million entries',
        of: 'export of ten million',
        budget: 250,
        unit: 'MB',
      },
    ],
  };
}

/** Fills the maps, and writes the files that are read from them. */
function prepare(lab) {
  const object = lab.compile(join(ROOT, 'scripts/bench/lib/maps.bpf.c'));
  lab.prepare(lab.netkit('load', object, '--name', 'bench'));
  const pinOf = (map) => join(lab.bpffs, 'netkit/bench/maps', map);
  const fileOf = (name) => join(lab.folder, name);
  for (const { map, entries } of kinds) {
    const batch = fileOf(`${map}.batch`);
    writeBpftoolBatch(batch, pinOf(map), entries, million);
    lab.prepare(lab.tool('bpftool', 'batch', 'file', batch));
    writeBpftoolBatch(batch, pinOf(`${map}_in`), entries, million);
    for (const name of ['ndjson', 'csv', 'nkmap'])
      lab.prepare(lab.netkit('map', 'export', `bench/${map}`, fileOf(`${map}.${name}`)));
  }
  const bpftoolLines = fileOf('lines.batch');
  const netkitLines = fileOf('lines.netkit');
  writeBpftoolBatch(bpftoolLines, pinOf('numbers_in'), numbers, batchLines);
  writeNetkitBatch(netkitLines, 'bench/numbers_in', numbers, batchLines);
  const manyFile = fileOf('many.ndjson');
  writeNdjson(manyFile, tenMillion);
  return { pinOf, fileOf, bpftoolLines, netkitLines, manyFile };
}

/** Reading and writing a million entries of one kind. */
function mapRows(lab, { pinOf, fileOf }, { map, about }) {
  const dump = `bpftool dump of ${map}`;
  const batch = `bpftool batch of ${map}`;
  const chains = [
    [{ name: dump, command: lab.tool('bpftool', '-j', 'map', 'dump', 'pinned', pinOf(map)) }],
    [{ name: batch, command: lab.tool('bpftool', 'batch', 'file', fileOf(`${map}.batch`)) }],
  ];
  const own = [];
  const compare = (title, against, atLeast, ...args) => {
    const name = `${title} of ${map}`;
    chains.push([{ name, command: lab.netkit('map', ...args) }]);
    const tool = against === dump ? '`bpftool -j map dump`' : '`bpftool batch`';
    own.push({
      title: `${title}, ${about}, times faster than ${tool}`,
      of: name,
      against,
      atLeast,
      unit: '×',
    });
  };
  compare('`map dump --json`', dump, 5, 'dump', `bench/${map}`, '--json');
  compare('`map export` as NDJSON', dump, 6, 'export', `bench/${map}`, '-', '--format', 'ndjson');
  compare('`map export` as CSV', dump, 6, 'export', `bench/${map}`, '-', '--format', 'csv');
  compare('`map import` of NDJSON', batch, 6, 'import', `bench/${map}_in`, fileOf(`${map}.ndjson`));
  compare('`map import` of CSV', batch, 6, 'import', `bench/${map}_in`, fileOf(`${map}.csv`));
  compare('`map import` of a snapshot', batch, 10, 'import', `bench/${map}_in`, fileOf(`${map}.nkmap`));
  return { chains, rows: own };
}

/** The command that fills a ring buffer, reads it and prints how fast that was. */
function ringRate(lab, way) {
  const object = lab.compile(join(ROOT, 'scripts/bench/lib/events.bpf.c'));
  if (way === 'read') lab.prepare(lab.netkit('load', object, '--name', 'rings'));
  return lab.tool(process.execPath, join(ROOT, 'scripts/bench/lib/ring-rate.mjs'), lab.bpffs, object, way);
}
