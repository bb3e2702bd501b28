import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { netkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftool, bpftoolDump, documentOf, fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

const formats = ['json', 'ndjson', 'csv', 'nkmap'] as const;

describeAsRoot('map export and map import', () => {
  const owned = new Scope();
  let kernel: KernelState;
  let ground: Ground;
  let folder: string;
  let numbers: string;

  beforeAll(async () => {
    kernel = snapshotKernelState();
    const objects = owned.use(new Objects());
    folder = objects.folder;
    ground = owned.use(makeGround());
    numbers = await objects.compile('test/fixtures/entries.bpf.c');
    ground.does('load', numbers, '--name', 'e', '--map-size', 'numbers=300000');
    ground.does('load', numbers, '--name', 'f', '--map-size', 'numbers=300000');
    for (const name of ['a', 'b']) ground.does('load', fixture('maps'), '--name', name);
    const update = (map: string, key: string, value: string) =>
      ground.does('map', 'update', `a/${map}`, key, value);
    update('flows', 'saddr=10.0.0.1,sport=4000,protocol=17', 'packets=18446744073709551615,bytes=1');
    update('flows', 'daddr=192.168.0.255,pad=[1,2,3]', 'bytes=7');
    update('counts', '3', '33');
    update('percpu_counts', '1', 'packets=3,bytes=4');
    update('percpu_flows', '10', '18446744073709551615');
    update('recent', '1', '2');
    update('recent_percpu', '5', '6');
    update('prefixes_v4', '10.0.0.0/8', '{"action":"DROP","note":1}');
    update('prefixes_v4', '0.0.0.0/0', '{"action":77,"note":0}');
    update('prefixes_v6', '2001:db8::/32', 'PASS');
  });
  afterAll(async () => {
    owned[Symbol.dispose]();
    await expectUnchanged(kernel);
  });

  const pin = (map: string) => {
    const [name = '', which = ''] = map.split('/');
    return join(ground.bpffs.root.path, 'netkit', name, 'maps', which);
  };
  const raw = (map: string) =>
    bpftoolDump(pin(map))
      .map(({ key, value }) => `${key} ${value}`)
      .sort();
  const at = (name: string) => join(folder, name);
  /** Runs netkit with a standard input that stays open. */
  const fed = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const entry = join(packageRoot(), 'bin/netkit.js');
    const child = spawn(process.execPath, [entry, ...args], {
      env: { ...process.env, ...ground.bpffs.env, ...env },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    const stderr = text(child.stderr);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    return { child, ended: ended.then(async (status) => ({ status, stderr: await stderr })) };
  };

  describe('keep every byte', () => {
    it.each(formats)('of maps of all kinds, as %s', (format) => {
      for (const map of [
        'flows',
        'counts',
        'percpu_counts',
        'percpu_flows',
        'recent',
        'recent_percpu',
        'prefixes_v4',
        'prefixes_v6',
        'tenants',
        'stages',
      ]) {
        const file = at(`${map}.${format}`);
        const exported = ground.does('map', 'export', `a/${map}`, file);
        expect(exported.stdout).toMatch(new RegExp(`^\\d+ entr(y|ies) of a/${map} in ${file}\n$`));
        ground.does('map', 'import', `b/${map}`, file, '--replace');
        expect(ground.netkit('map', 'diff', `b/${map}`, file).stdout, map).toBe('');
        if (map === 'stages' || map === 'tenants') continue;
        expect(dumpOf('b', map), map).toEqual(dumpOf('a', map));
      }
    });

    const dumpOf = (name: string, map: string) => {
      const text = JSON.stringify(bpftool('map', 'dump', 'pinned', pin(`${name}/${map}`)));
      const entries: unknown = JSON.parse(text);
      return Array.isArray(entries)
        ? entries
            .map((each) => JSON.stringify({ key: each.key, value: each.value, values: each.values }))
            .sort()
        : entries;
    };

    it('of a map without types, by words given for them', () => {
      const made = at('untyped');
      ground.does(
        'map',
        'create',
        join(ground.bpffs.root.path, 'untyped'),
        '--type',
        'hash',
        '--key-size',
        '4',
        '--value-size',
        '4',
        '--max-entries',
        '9',
      );
      const reference = join(ground.bpffs.root.path, 'untyped');
      const words = ['--key-type', 'ipv4', '--value-type', 'be32'];
      writeFileSync(`${made}.csv`, 'key,value\n10.0.0.1,258\n');
      ground.does('map', 'import', reference, `${made}.csv`, ...words);
      expect(bpftoolDump(reference)).toEqual([{ key: '0a000001', value: '00000102' }]);
      expect(ground.does('map', 'export', reference, '--format', 'csv', ...words).stdout).toBe(
        'key,value\n10.0.0.1,258\n',
      );
      expect(ground.does('map', 'export', reference).stdout).toBe(
        '{"key":"hex:0a000001","value":"hex:00000102"}\n',
      );
      execFileSync('rm', [reference]);
    });
  });

  describe('map export', () => {
    it('writes NDJSON to standard output, or what is asked for', () => {
      expect(ground.does('map', 'export', 'a/recent').stdout).toBe('{"key":1,"value":2}\n');
      expect(ground.does('map', 'export', 'a/recent', '-', '--format', 'csv').stdout).toBe(
        'key,value\n1,2\n',
      );
      expect(JSON.parse(ground.does('map', 'export', 'a/recent', '--format', 'json').stdout)).toEqual([
        { key: 1, value: 2 },
      ]);
    });

    it('says what it wrote', () => {
      const file = at('said.ndjson');
      const document = documentOf(
        documents['map export'],
        ground.does('map', 'export', 'a/flows', file, '--json'),
      );
      expect(document).toMatchObject({ file, format: 'ndjson', entries: 2, bytes: statSync(file).size });
    });

    it('needs to know the format, and standard output for itself', () => {
      expect(ground.refuses(2, 'map', 'export', 'a/flows', at('flows.txt')).stderr).toMatch(
        /does not tell a format/,
      );
      expect(ground.refuses(2, 'map', 'export', 'a/flows', '-', '--json').stderr).toMatch(/standard output/);
      expect(existsSync(at('flows.txt'))).toBe(false);
    });

    it('leaves the old file when it fails, and nothing beside it', () => {
      const own = at('own');
      mkdirSync(own);
      const file = join(own, 'old.csv');
      writeFileSync(file, 'old');
      ground.refuses(6, 'map', 'export', 'a/queue', file);
      ground.refuses(6, 'map', 'export', 'a/filter', file);
      ground.refuses(3, 'map', 'export', 'a/none', file);
      expect(readFileSync(file, 'utf8')).toBe('old');
      expect(readdirSync(own)).toEqual(['old.csv']);
      expect(ground.refuses(3, 'map', 'export', 'a/flows', join(own, 'none/x.csv')).stderr).toMatch(
        /there is no directory/,
      );
      expect(ground.refuses(2, 'map', 'export', 'a/flows', own, '--format', 'csv').stderr).toMatch(
        /directory/,
      );
    });

    it('refuses queues and stacks, which reading would empty', () => {
      ground.does('map', 'push', 'a/queue', '5');
      const result = ground.refuses(6, 'map', 'export', 'a/queue', '-');
      expect(result.stderr).toMatch(/reading a value takes it out of the queue/);
      expect(ground.does('map', 'pop', 'a/queue').stdout).toMatch(/5/);
      ground.refuses(6, 'map', 'export', 'a/stack', '-');
    });

    it('keeps the mode of the file, and writes through a symbolic link', () => {
      const file = at('linked.csv');
      writeFileSync(file, 'old', { mode: 0o640 });
      symlinkSync(file, at('link.csv'));
      ground.does('map', 'export', 'a/recent', at('link.csv'));
      expect(readFileSync(file, 'utf8')).toBe('key,value\n1,2\n');
      expect(statSync(file).mode & 0o777).toBe(0o640);
    });

    it('works on the map that it opened when its pin names another one meanwhile, and says so', async () => {
      const pipe = at('out.pipe');
      execFileSync('mkfifo', [pipe]);
      const running = ground.runs(['map', 'export', 'a/recent', pipe, '--format', 'csv']);
      // It has the map when it waits for somebody to open the pipe.
      await sleep(1500);
      execFileSync('mv', [pin('a/recent'), pin('a/was')]);
      execFileSync('mv', [pin('b/recent'), pin('a/recent')]);
      const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'ignore'] });
      expect(await text(reader.stdout)).toBe('key,value\n1,2\n');
      const result = await running;
      execFileSync('mv', [pin('a/recent'), pin('b/recent')]);
      execFileSync('mv', [pin('a/was'), pin('a/recent')]);
      expect(result?.status).toBe(0);
      expect(result?.stderr).toMatch(
        /^netkit: warning: a\/recent names another map now \(id:\d+\): .*\(id:\d+\)$/m,
      );
    });
  });

  describe('map import', () => {
    const entries = (count: number) => {
      const lines = Array.from({ length: count }, (_, key) => `{"key":${key},"value":${key * 2}}`);
      return `${lines.join('\n')}\n`;
    };
    const count = (map: string) =>
      documentOf(documents['map dump'], ground.does('map', 'dump', map, '--json')).entries.length;

    beforeEach(() => {
      writeFileSync(at('none.json'), '[]');
      ground.does('map', 'import', 'e/numbers', at('none.json'), '--replace');
    });

    it('adds and overwrites, and keeps what else is there', () => {
      ground.does('map', 'update', 'e/numbers', '7', '1');
      ground.does('map', 'update', 'e/numbers', '1000000', '1');
      const result = netkit(['map', 'import', 'e/numbers', '-'], {
        env: ground.bpffs.env,
        input: entries(100),
      });
      expect(result.stdout).toBe('100 entries of standard input written to e/numbers\n');
      expect(count('e/numbers')).toBe(101);
      expect(ground.entry('e/numbers', '7')).toBe(14);
    });

    it('reads standard input in every format, and pipes by their names', () => {
      for (const [format, input] of [
        ['csv', 'key,value\n1,5\n'],
        ['json', '[{"key":1,"value":5}]'],
        ['ndjson', '{"key":1,"value":5}'],
      ] as const) {
        ground.does('map', 'update', 'e/numbers', '1', '0');
        const args = ['map', 'import', 'e/numbers', '-', '--format', format];
        expect(netkit(args, { env: ground.bpffs.env, input }).status).toBe(0);
        expect(ground.entry('e/numbers', '1')).toBe(5);
      }
      const entry = join(packageRoot(), 'bin/netkit.js');
      const script = `'${process.execPath}' '${entry}' map import e/numbers <(printf 'key,value\\n1,6\\n') --format csv`;
      execFileSync('bash', ['-c', script], { env: { ...process.env, ...ground.bpffs.env } });
      expect(ground.entry('e/numbers', '1')).toBe(6);
    });

    it('says what it would do, and does nothing', () => {
      ground.does('map', 'update', 'e/numbers', '1', '5');
      ground.does('map', 'update', 'e/numbers', '9', '9');
      writeFileSync(at('dry.csv'), 'key,value\n1,6\n2,7\n9,9\n');
      const before = raw('e/numbers');
      const result = ground.does('map', 'import', 'e/numbers', at('dry.csv'), '--dry-run');
      expect(result.stdout).toBe('~ 1 5 -> 6\n+ 2 7\n');
      expect(result.stderr).toMatch(/would write 2 entries; 1 is there already/);
      const document = documentOf(
        documents['map import'],
        ground.does('map', 'import', 'e/numbers', at('dry.csv'), '--dry-run', '--json'),
      );
      expect(document).toMatchObject({
        entries: 3,
        written: 2,
        same: 1,
        removed: null,
        dryRun: true,
        differences: [
          { kind: 'changed', key: 1, from: 5, to: 6 },
          { kind: 'added', key: 2, from: null, to: 7 },
        ],
      });
      expect(raw('e/numbers')).toEqual(before);
      ground.does('map', 'import', 'e/numbers', at('dry.csv'));
      expect(raw('e/numbers')).toHaveLength(3);
    });

    it('pushes values into a queue, and opens references of maps of maps and program arrays', () => {
      writeFileSync(at('queue.ndjson'), '{"value":5}\n{"value":6}\n');
      expect(
        ground.does('map', 'import', 'b/queue', at('queue.ndjson'), '--dry-run').stdout.split('\n'),
      ).toHaveLength(3);
      ground.does('map', 'import', 'b/queue', at('queue.ndjson'));
      expect(ground.does('map', 'pop', 'b/queue').stdout).toBe('5\n');
      writeFileSync(at('stages.csv'), 'key,value\n0,a/maps\n2,a/tail\n');
      ground.does('map', 'import', 'b/stages', at('stages.csv'));
      const id = (name: string) =>
        Object(bpftool('prog', 'show', 'pinned', join(ground.bpffs.root.path, 'netkit/a/progs', name))).id;
      expect(ground.entry('b/stages', '0')).toBe(`id:${id('maps')}`);
      expect(ground.entry('b/stages', '2')).toBe(`id:${id('tail')}`);
      writeFileSync(
        at('tenants.ndjson'),
        `{"key":0,"value":"a/tenant_a"}\n{"key":1,"value":"${pin('b/tenant_a')}"}\n`,
      );
      ground.does('map', 'import', 'b/tenants', at('tenants.ndjson'), '--atomic');
      const inner = (map: string) => Object(bpftool('map', 'show', 'pinned', pin(map))).id;
      expect(ground.entry('b/tenants', '0')).toBe(`id:${inner('a/tenant_a')}`);
      expect(ground.entry('b/tenants', '1')).toBe(`id:${inner('b/tenant_a')}`);
    });

    it('shows a count and a rate on a terminal when it takes longer than a second, and nothing otherwise', async () => {
      const pipe = at('slow.pipe');
      execFileSync('mkfifo', [pipe]);
      const entry = join(packageRoot(), 'bin/netkit.js');
      const line = `stty cols 100; '${process.execPath}' '${entry}' map import e/numbers ${pipe} --format ndjson`;
      const terminal = spawn('script', ['-qec', line, '/dev/null'], {
        env: { ...process.env, ...ground.bpffs.env, TERM: 'xterm' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const shown = text(terminal.stdout);
      const writer = createWriteStream(pipe);
      writer.write(entries(50_000));
      await sleep(3500);
      writer.end();
      expect(await shown).toMatch(/writing e\/numbers: 3\d,\d{3} entries, [\d,]+ a second/);
      writeFileSync(at('quick.ndjson'), entries(10));
      const quick = `stty cols 100; '${process.execPath}' '${entry}' map import e/numbers ${at('quick.ndjson')}`;
      const { stdout } = spawnSync('script', ['-qec', quick, '/dev/null'], {
        env: { ...process.env, ...ground.bpffs.env, TERM: 'xterm' },
        encoding: 'utf8',
      });
      expect(stdout).toBe(`10 entries of ${at('quick.ndjson')} written to e/numbers\r\n`);
    });

    it('with --atomic, interrupted in the middle: the map as before, and nothing left in the temporary folder', async () => {
      const temporary = at('tmp');
      mkdirSync(temporary, { recursive: true });
      ground.does('map', 'update', 'e/numbers', '3', '33');
      const running = fed(['map', 'import', 'e/numbers', '-', '--atomic'], { TMPDIR: temporary });
      running.child.stdin.write(entries(100_000));
      const deadline = performance.now() + 20_000;
      while (count('e/numbers') < 1000 && performance.now() < deadline) await sleep(20);
      expect(count('e/numbers')).toBeGreaterThan(1000);
      running.child.kill('SIGINT');
      const result = await running.ended;
      expect(result.status).toBe(130);
      expect(result.stderr).toMatch(/interrupted \(the map is as it was\)/);
      expect(raw('e/numbers')).toEqual(['03000000 2100000000000000']);
      expect(readdirSync(temporary)).toEqual([]);
    });

    it('keeps standard input in a file without a name, gone even when it is killed', async () => {
      const temporary = at('spool');
      mkdirSync(temporary, { recursive: true });
      const { child, ended } = fed(['map', 'import', 'e/numbers', '-', '--replace'], { TMPDIR: temporary });
      child.stdin.write(entries(10_000));
      const deadline = performance.now() + 20_000;
      const spools = () =>
        readdirSync(`/proc/${child.pid}/fd`).filter((fd) => {
          try {
            return execFileSync('readlink', [`/proc/${child.pid}/fd/${fd}`], { encoding: 'utf8' }).includes(
              temporary,
            );
          } catch {
            return false;
          }
        });
      while (spools().length === 0 && performance.now() < deadline) await sleep(50);
      expect(spools()).toHaveLength(1);
      expect(readdirSync(temporary)).toEqual([]);
      child.kill('SIGKILL');
      await ended;
      expect(readdirSync(temporary)).toEqual([]);
      expect(count('e/numbers'), 'nothing is written before the whole of it is checked').toBe(0);
    });

    it('works on the map that it opened when its pin goes or names another map, and says so', async () => {
      for (const [other, says] of [
        [pin('f/numbers'), /names another map now/],
        [undefined, /is gone/],
      ] as const) {
        const running = fed(['map', 'import', 'e/numbers', '-', '--format', 'csv']);
        running.child.stdin.write('key,value\n1,11\n');
        await sleep(1500);
        execFileSync('mv', [pin('e/numbers'), pin('e/was')]);
        if (other !== undefined) execFileSync('mv', [other, pin('e/numbers')]);
        running.child.stdin.end('2,22\n');
        const result = await running.ended;
        if (other !== undefined) execFileSync('mv', [pin('e/numbers'), other]);
        execFileSync('mv', [pin('e/was'), pin('e/numbers')]);
        expect(result.stderr).toMatch(says);
        expect(result.status).toBe(0);
        expect(ground.entry('e/numbers', '2')).toBe(22);
      }
      expect(count('f/numbers')).toBe(0);
    });
  });
});
