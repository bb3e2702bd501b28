import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftoolDump, documentOf, fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

describeAsRoot('map import --replace', () => {
  const owned = new Scope();
  let kernel: KernelState;
  let ground: Ground;
  let folder: string;

  beforeAll(() => {
    kernel = snapshotKernelState();
    folder = owned.use(new Objects()).folder;
    ground = owned.use(makeGround());
    ground.does('load', fixture('maps'), '--name', 'm', '--map-size', 'percpu_flows=4');
  });
  afterAll(async () => {
    owned[Symbol.dispose]();
    await expectUnchanged(kernel);
  });
  beforeEach(() => {
    replaced('prefixes_v4', 'old.csv', old);
  });

  const header = 'key,value.action,value.note\n';
  const old = `${header}10.0.0.0/8,DROP,1\n11.0.0.0/8,PASS,0\n12.0.0.0/8,PASS,0\n`;
  const next = `${header}13.0.0.0/8,DROP,0\n11.0.0.0/8,PASS,9\n10.0.0.0/8,DROP,1\n`;

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const replaced = (map: string, name: string, text: string, ...more: string[]) =>
    ground.does('map', 'import', `m/${map}`, file(name, text), '--replace', ...more);
  const raw = (map: string) =>
    bpftoolDump(join(ground.bpffs.root.path, 'netkit/m/maps', map))
      .map(({ key, value }) => `${key} ${value}`)
      .sort();

  it('makes the map equal to the file, and says how little it took', () => {
    expect(replaced('prefixes_v4', 'next.csv', next).stdout).toBe(
      `m/prefixes_v4 equals ${join(folder, 'next.csv')}: 2 written, 1 removed, 1 the same\n`,
    );
    expect(raw('prefixes_v4')).toEqual([
      '080000000a000000 0100000001000000',
      '080000000b000000 0000000009000000',
      '080000000d000000 0100000000000000',
    ]);
    const again = documentOf(documents['map import'], replaced('prefixes_v4', 'next.csv', next, '--json'));
    expect(again).toMatchObject({
      entries: 3,
      written: 0,
      same: 3,
      removed: 0,
      dryRun: false,
      actions: [],
      differences: null,
    });
  });

  it('shows with --dry-run what it would do, and does it then', () => {
    const before = raw('prefixes_v4');
    const dry = replaced('prefixes_v4', 'next.csv', next, '--dry-run');
    expect(dry.stdout.trimEnd().split('\n').sort()).toEqual([
      '+ 13.0.0.0/8 {"action":"DROP","note":0}',
      '- 12.0.0.0/8 {"action":"PASS","note":0}',
      '~ 11.0.0.0/8 {"action":"PASS","note":0} -> {"action":"PASS","note":9}',
    ]);
    expect(dry.stderr).toBe('netkit: would write 2 entries and remove 1; 1 is there already\n');
    const document = documentOf(
      documents['map import'],
      replaced('prefixes_v4', 'next.csv', next, '--dry-run', '--json'),
    );
    expect(document).toMatchObject({ entries: 3, written: 2, same: 1, removed: 1, dryRun: true });
    expect(document.differences).toHaveLength(3);
    expect(document.actions.map(({ about }) => about)).toEqual([
      'write 2 entries into m/prefixes_v4',
      'remove 1 entry from m/prefixes_v4',
    ]);
    expect(raw('prefixes_v4')).toEqual(before);
  });

  it('takes standard input', () => {
    const args = ['map', 'import', 'm/prefixes_v4', '-', '--replace', '--format', 'csv'];
    const result = netkit(args, { env: ground.bpffs.env, input: next });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    expect(ground.netkit('map', 'diff', 'm/prefixes_v4', file('next.csv', next)).status).toBe(0);
  });

  it('empties a map for a file without entries', () => {
    replaced('prefixes_v4', 'none.json', '[]');
    expect(raw('prefixes_v4')).toEqual([]);
  });

  it('works in a map that is full, and per CPU', () => {
    replaced('percpu_flows', 'four.csv', 'key,value\n1,1\n2,2\n3,3\n4,4\n');
    const result = replaced('percpu_flows', 'five.csv', 'key,value\n4,4\n5,5\n6,6\n7,7\n');
    expect(result.stdout).toMatch(/: 3 written, 3 removed, 1 the same$/m);
    const { entries } = documentOf(
      documents['map dump'],
      ground.does('map', 'dump', 'm/percpu_flows', '--json'),
    );
    expect(entries.sort((a, b) => Number(a.key) - Number(b.key))).toEqual(
      [4, 5, 6, 7].map((key) => ({ key, value: key })),
    );
  });

  it('makes what is left out of an array zero', () => {
    ground.does('map', 'update', 'm/counts', '3', '33');
    ground.does('map', 'update', 'm/counts', '4', '44');
    replaced('counts', 'one.csv', 'key,value\n4,44\n');
    const { entries } = documentOf(documents['map dump'], ground.does('map', 'dump', 'm/counts', '--json'));
    expect(entries.map(({ value }) => value)).toEqual([0, 0, 0, 0, 44, 0, 0, 0]);
  });
});
