import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftool, documentOf, fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

const dumpedDocument = z.object({ entries: z.array(z.unknown()) });

describeAsRoot('map dump', () => {
  const owned = new Scope();
  const many = 150_000;
  let kernel: KernelState;
  let ground: Ground;

  beforeAll(async () => {
    kernel = snapshotKernelState();
    const objects = owned.use(new Objects());
    ground = owned.use(makeGround());
    ground.does('load', fixture('maps'), '--name', 'm');
    const object = await objects.compile('test/fixtures/entries.bpf.c');
    ground.does('load', object, '--name', 'e', '--map-size', `numbers=${many}`);
    const lines = Array.from({ length: many }, (_, key) => `{"key":${key},"value":${BigInt(key) << 40n}}\n`);
    const result = netkit(['map', 'import', 'e/numbers', '-'], {
      env: ground.bpffs.env,
      input: lines.join(''),
    });
    expect(result.stderr).toBe('');
    ground.does('map', 'update', 'm/flows', 'saddr=10.0.0.1,sport=4000', 'packets=5,bytes=700');
    ground.does('map', 'update', 'm/percpu_counts', '1', 'packets=3');
  });
  afterAll(async () => {
    owned[Symbol.dispose]();
    await expectUnchanged(kernel);
  });

  const dumped = (map: string, ...more: string[]) =>
    documentOf(documents['map dump'], ground.does('map', 'dump', map, '--json', ...more)).entries;

  it('prints a table, a column a member of keys and values', () => {
    expect(ground.does('map', 'dump', 'm/flows').stdout).toBe(
      'SADDR     DADDR    SPORT  DPORT  PROTOCOL  PAD      PACKETS  BYTES\n' +
        '10.0.0.1  0.0.0.0  4000   0      0         [0,0,0]  5        700\n',
    );
    expect(ground.does('map', 'dump', 'm/recent').stdout).toBe('no entries\n');
  });

  it('prints every entry of a large map, in columns that the first ones decide', () => {
    const lines = ground.does('map', 'dump', 'e/numbers').stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(many + 1);
    expect(lines[0]).toMatch(/^KEY +VALUE$/);
    const column = lines[0]?.indexOf('VALUE') ?? 0;
    const seen = new Set<number>();
    for (const line of lines.slice(1)) {
      const [, key = '', value = ''] = /^(\d+) +(\d+)$/.exec(line) ?? [];
      expect(BigInt(value)).toBe(BigInt(key) << 40n);
      if (line.indexOf(value, key.length) !== column) expect(key.length).toBeGreaterThan(column - 2);
      seen.add(Number(key));
    }
    expect(seen.size).toBe(many);
  });

  it('prints one JSON document of every entry, and 64-bit numbers as strings when wanted', () => {
    const entries = dumped('e/numbers', '--json-strings');
    expect(entries).toHaveLength(many);
    for (const { key, value } of entries) expect(value).toBe(String(BigInt(Number(key)) << 40n));
    expect(dumped('m/recent')).toEqual([]);
  });

  it('sums the values of all CPUs, or shows each', () => {
    const cpus = dumped('m/percpu_counts', '--per-cpu').map(({ value }) => value);
    expect(cpus).toHaveLength(4);
    const [, second] = cpus;
    if (!Array.isArray(second)) throw new Error('a list of one value a CPU');
    for (const each of second) expect(each).toEqual({ packets: 3, bytes: 0 });
    expect(dumped('m/percpu_counts')[1]?.value).toEqual({ packets: 3 * second.length, bytes: 0 });
    const text = ground.does('map', 'dump', 'm/percpu_counts', '--per-cpu').stdout.split('\n');
    expect(text[0]).toMatch(/^KEY +CPU +PACKETS +BYTES$/);
    expect(text).toHaveLength(4 * second.length + 2);
  });

  it('shows references as ids', () => {
    const [found] = [
      bpftool('map', 'show', 'pinned', join(ground.bpffs.root.path, 'netkit/m/maps/tenant_a')),
    ];
    expect(dumped('m/tenants')).toEqual([{ key: 2, value: `id:${Object(found).id}` }]);
    expect(dumped('m/stages')[0]?.value).toMatch(/^id:\d+$/);
  });

  it('is refused where nothing can be listed, with the reason and without a document begun', () => {
    for (const [map, says] of [
      ['queue', /no keys/],
      ['stack', /no keys/],
      ['filter', /may be in it/],
      ['events', /stream of records/],
      ['samples', /perf events/],
    ] as const) {
      for (const more of [[], ['--json']]) {
        const result = ground.refuses(6, 'map', 'dump', `m/${map}`, ...more);
        expect(result.stderr, map).toMatch(says);
        expect(result.stdout, map).toBe('');
      }
    }
  });

  it('prints the same to a terminal: few entries laid out, many as they come', () => {
    const entry = join(packageRoot(), 'bin/netkit.js');
    const shown = (args: string): string => {
      const line = `stty cols 100; '${process.execPath}' '${entry}' map dump ${args} --no-color`;
      const { stdout } = spawnSync('script', ['-qec', line, '/dev/null'], {
        encoding: 'utf8',
        env: { ...process.env, ...ground.bpffs.env, TERM: 'xterm' },
        maxBuffer: 64 << 20,
      });
      return stdout.replaceAll('\r\n', '\n');
    };
    expect(shown('m/tenants --json')).toMatch(/^\{\n {2}"schemaVersion": 1,\n/);
    const { entries } = dumpedDocument.parse(JSON.parse(shown('e/numbers --json')));
    expect(entries).toHaveLength(many);
    expect(shown('e/numbers').trimEnd().split('\n')).toHaveLength(many + 1);
  });

  it('ends quietly when its reader has seen enough', () => {
    const entry = join(packageRoot(), 'bin/netkit.js');
    for (const args of ['dump e/numbers', 'dump e/numbers --json', 'export e/numbers']) {
      const script = `'${process.execPath}' '${entry}' map ${args} | head -n 3 >/dev/null; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', script], {
        encoding: 'utf8',
        env: { ...process.env, ...ground.bpffs.env },
      });
      expect({ args, stdout, stderr }).toEqual({ args, stdout: '0\n', stderr: '' });
    }
  });

  it('says that writing failed when the disk is full', () => {
    const entry = join(packageRoot(), 'bin/netkit.js');
    const script = `'${process.execPath}' '${entry}' map dump e/numbers >/dev/full`;
    const { status, stderr } = spawnSync('bash', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, ...ground.bpffs.env },
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^netkit: standard output cannot be written: .*ENOSPC/);
  });
});
