/** Named pipes, devices and links in the place of files, and readers that go away. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import { packageRoot } from '../../src/host/package-root.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { fixture, type Ground, makeGround } from './ground.js';
import { Objects } from './objects.js';

const netkitPath = join(packageRoot(), 'bin/netkit.js');

describeAsRoot('pipes in the place of files', () => {
  const owned = new Scope();
  let kernel: KernelState;
  let ground: Ground;
  let folder: string;

  beforeAll(async () => {
    kernel = snapshotKernelState();
    const objects = owned.use(new Objects());
    folder = objects.folder;
    ground = owned.use(makeGround());
    const numbers = await objects.compile('test/fixtures/entries.bpf.c');
    ground.does('load', numbers, '--name', 'e', '--map-size', 'numbers=300000');
    ground.does('load', fixture('maps'), '--name', 'm');
    const lines = Array.from({ length: 200_000 }, (_, key) => `${key},${key}\n`);
    writeFileSync(at('many.csv'), `key,value\n${lines.join('')}`);
    ground.does('map', 'import', 'e/numbers', at('many.csv'));
  });
  afterAll(async () => {
    owned[Symbol.dispose]();
    await expectUnchanged(kernel);
  });

  const at = (name: string) => join(folder, name);
  const pipe = (name: string) => {
    execFileSync('mkfifo', [at(name)]);
    return at(name);
  };
  /** Runs netkit by bash; `$N` in the line is netkit. */
  const shell = (line: string) => {
    const child = spawn('bash', ['-c', line], {
      env: { ...process.env, ...ground.bpffs.env, N: `${process.execPath} ${netkitPath}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = Promise.all([text(child.stdout), text(child.stderr)]);
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    return { child, ended: ended.then(async (status) => [status, ...(await said)] as const) };
  };
  /** Lets it wait, interrupts it, and expects its end soon. */
  const interrupted = async (line: string, signal: NodeJS.Signals = 'SIGINT') => {
    const { child, ended } = shell(line);
    await sleep(1000);
    expect(child.exitCode, line).toBeNull();
    const before = performance.now();
    child.kill(signal);
    const [status, , stderr] = await Promise.race([ended, sleep(10_000).then(() => undefined)]).then(
      (result) => {
        if (result === undefined) child.kill('SIGKILL');
        return result ?? [undefined, '', 'it did not end'];
      },
    );
    expect(status, stderr).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(performance.now() - before).toBeLessThan(2000);
    return stderr;
  };

  describe('that nobody writes or reads', () => {
    it.each([
      ['import', 'exec $N map import m/recent PIPE', /interrupted \(the map is as it was\)$/m],
      ['import --replace', 'exec $N map import m/recent PIPE --replace', /\(the map is as it was\)$/m],
      ['diff', 'exec $N map diff m/recent PIPE', /^netkit: interrupted$/m],
      ['batch', 'exec $N batch PIPE', /interrupted \(0 commands before it done, the rest not read\)$/m],
      ['batch --atomic', 'exec $N batch --atomic PIPE', /interrupted \(nothing was begun\)$/m],
      ['gen', `exec $N gen types ${fixture('maps')} -o PIPE`, /^netkit: interrupted$/m],
      ['export', 'exec $N map export m/recent PIPE', /^netkit: interrupted$/m],
    ])('are let go by Ctrl-C: %s', async (name, line, said) => {
      const path = pipe(`idle-${name.replace(' ', '')}.csv`);
      expect(await interrupted(line.replace('PIPE', path))).toMatch(said);
      expect(statSync(path).isFIFO()).toBe(true);
    });

    it('are let go by SIGTERM', async () => {
      expect(await interrupted(`exec $N map import m/recent ${pipe('term.csv')}`, 'SIGTERM')).toMatch(
        /interrupted \(the map is as it was\)/,
      );
    });

    it.each(['/dev/stdin', '/proc/self/fd/0', '-', '<(exec sleep 4 2>&-)'])(
      'are let go by Ctrl-C: %s',
      async (name) => {
        const line = `exec $N map import m/recent ${name} --format csv < <(exec sleep 4 2>&-)`;
        expect(await interrupted(line)).toMatch(/interrupted \(the map is as it was\)/);
      },
    );

    it('are let go when a writer says something and then falls silent', async () => {
      const path = pipe('silent.csv');
      const line = `{ printf 'key,value\\n1,7\\n'; exec sleep 4; } > ${path} 2>&- & exec $N map import m/counts ${path}`;
      expect(await interrupted(line)).toMatch(/interrupted \((1 entry was written|the map is as it was)/);
    });

    it('are let go when their reader reads nothing', async () => {
      const path = pipe('stuck.csv');
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      expect(await interrupted(`exec $N map export e/numbers ${path}`)).toBe('netkit: interrupted\n');
      closeSync(reader);
      for (const command of ['export e/numbers', 'dump e/numbers', 'dump e/numbers --json'])
        await interrupted(`exec $N map ${command} > >(exec sleep 4 >/dev/null 2>&1)`);
    });
  });

  it('passes entries through named pipes whole, whoever comes first', async () => {
    const path = pipe('through.csv');
    const reading = shell(`exec $N map diff e/numbers ${path}`);
    await sleep(500);
    const writing = shell(`exec $N map export e/numbers ${path}`);
    expect((await writing.ended)[0]).toBe(0);
    expect((await reading.ended).slice(0, 2)).toEqual([0, '']);
    const other = pipe('other.csv');
    const first = shell(`exec $N map export e/numbers ${other}`);
    await sleep(500);
    const [status, stdout, stderr] = await shell(`exec $N map diff e/numbers ${other}`).ended;
    expect([status, stdout], stderr).toEqual([0, '']);
    expect((await first.ended)[0]).toBe(0);
  });

  it('reads devices, and standard input by its names', async () => {
    const input = `< <(printf 'key,value\\n3,9\\n')`;
    for (const name of ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']) {
      const [status, , stderr] = await shell(`$N map import m/counts ${name} --format csv ${input}`).ended;
      expect(status, stderr).toBe(0);
    }
    expect(ground.entry('m/counts', '3')).toBe(9);
    expect(ground.does('map', 'import', 'm/counts', '/dev/null', '--format', 'ndjson').stdout).toMatch(/^0 /);
    ground.does('map', 'export', 'm/counts', '/dev/null', '--format', 'csv');
    expect(ground.refuses(1, 'map', 'export', 'm/counts', '/dev/full', '--format', 'csv').stderr).toMatch(
      /no space is left/,
    );
    const [status, stdout] = await shell(`$N map export m/recent /dev/stdout --format csv | cat`).ended;
    expect([status, stdout.startsWith('key,value\n')]).toEqual([0, true]);
  });

  it('takes back an atomic import that is interrupted while a bad line is taken back, and says so', async () => {
    const path = pipe('bad.csv');
    ground.does('map', 'import', 'e/numbers', at('many.csv'), '--replace');
    const lines = Array.from({ length: 250_000 }, (_, key) => `${key},5\n`);
    writeFileSync(at('bad-source.csv'), `key,value\n${lines.join('')}bad,1\n`);
    let met = 0;
    for (const ms of [0, 20, 40, 80, 150, 250]) {
      const feeding = shell(`cat ${at('bad-source.csv')} > ${path}`);
      const { child, ended } = shell(`exec $N map import e/numbers ${path} --atomic`);
      await feeding.ended;
      await sleep(ms);
      child.kill('SIGINT');
      const [status, , stderr] = await ended;
      if (status === null) continue;
      expect(stderr).toMatch(/\(the map is as it was\)$/m);
      if (status === 130) met++;
    }
    expect(met).toBeGreaterThan(0);
    ground.does('map', 'diff', 'e/numbers', at('many.csv'));
  }, 60_000);

  describe('a batch whose standard output is closed', () => {
    const lines = (count: number) =>
      Array.from({ length: count }, (_, index) => `map update m/counts 5 ${index}\nmap dump m/counts\n`);

    it('stops, says what was done and what not, and fails', async () => {
      writeFileSync(at('long.batch'), lines(5000).join(''));
      const [status, , stderr] = await shell(
        `$N batch ${at('long.batch')} | head -1; exit "\${PIPESTATUS[0]}"`,
      ).ended;
      expect(status, stderr).toBe(1);
      const [, done, left] =
        /^netkit: standard output was closed: (\d+) commands done, (\d+) not\n$/.exec(stderr) ?? [];
      expect(Number(done) + Number(left), stderr).toBe(10_000);
      expect(ground.entry('m/counts', '5')).toBeLessThan(4999);
    });

    it('takes everything back with --atomic', async () => {
      ground.does('map', 'update', 'm/counts', '5', '77');
      const [status, , stderr] = await shell(
        `$N batch --atomic --json ${at('long.batch')} | head -1; exit "\${PIPESTATUS[0]}"`,
      ).ended;
      expect(status, stderr).toBe(1);
      const { error } = JSON.parse(stderr);
      expect(error.message).toMatch(
        /^standard output was closed: nothing is changed: \d+ commands undone, \d+ not$/,
      );
      expect(error.details).toMatchObject({ done: 0, line: expect.any(Number) });
      expect(error.details.undone).toBe(Number(/(\d+) commands undone/.exec(error.message)?.[1]));
      expect(error.details.undone + error.details.failed + error.details.left).toBe(10_000);
      expect(ground.entry('m/counts', '5')).toBe(77);
    });

    it('is no failure of commands that only read', async () => {
      for (const command of ['dump', 'export']) {
        const [status, , stderr] = await shell(
          `$N map ${command} e/numbers | head -1; exit "\${PIPESTATUS[0]}"`,
        ).ended;
        expect([status, stderr]).toEqual([0, '']);
      }
    });
  });

  describe('map export over what is there', () => {
    it('makes what a dangling link names, and keeps the link', () => {
      symlinkSync('nowhere.csv', at('dangling.csv'));
      symlinkSync('dangling.csv', at('chain.csv'));
      ground.does('map', 'export', 'm/recent', at('chain.csv'));
      expect(readFileSync(at('nowhere.csv'), 'utf8')).toMatch(/^key,value\n/);
      expect(lstatSync(at('dangling.csv')).isSymbolicLink()).toBe(true);
      expect(lstatSync(at('chain.csv')).isSymbolicLink()).toBe(true);
      symlinkSync('absent/x.csv', at('lost.csv'));
      expect(ground.refuses(3, 'map', 'export', 'm/recent', at('lost.csv')).stderr).toContain(
        `there is no directory '${at('absent')}'`,
      );
    });

    it('says that links form a loop', () => {
      symlinkSync('loop.csv', at('loop.csv'));
      for (const command of ['export', 'import'])
        expect(ground.refuses(2, 'map', command, 'm/recent', at('loop.csv')).stderr).toContain(
          `'${at('loop.csv')}': its symbolic links form a loop`,
        );
    });

    it('keeps the owner and the mode, and leaves other names of the file alone', () => {
      writeFileSync(at('owned.csv'), 'old');
      linkSync(at('owned.csv'), at('other-name.csv'));
      execFileSync('chmod', ['640', at('owned.csv')]);
      chownSync(at('owned.csv'), 65534, 65533);
      ground.does('map', 'export', 'm/recent', at('owned.csv'));
      const { uid, gid, mode } = statSync(at('owned.csv'));
      expect([uid, gid, mode & 0o777]).toEqual([65534, 65533, 0o640]);
      expect(readFileSync(at('other-name.csv'), 'utf8')).toBe('old');
    });
  });

  it('says which directory is missing where a file is to be written', () => {
    const missing = `there is no directory '${at('no')}'`;
    const source = join(packageRoot(), 'test/fixtures/entries.bpf.c');
    for (const args of [
      ['gen', 'types', fixture('maps'), '-o', at('no/dir/x.ts')],
      ['gen', 'vmlinux', '-o', at('no/vmlinux.h')],
      ['map', 'export', 'm/recent', at('no/x.csv')],
      ['build', source, '-o', at('no/x.bpf.o')],
    ])
      expect(ground.refuses(3, ...args).stderr, args.join(' ')).toContain(missing);
  });
});
