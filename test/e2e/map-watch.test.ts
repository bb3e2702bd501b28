import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { type CliResult, netkit, type RunningCli, startNetkit } from '../support/cli.js';
import { EventSource } from '../support/events.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';
import { errorOf } from './ground.js';

interface Line {
  readonly event: string;
  readonly cpu: number | null;
  readonly key: unknown;
  readonly value: unknown;
  readonly before: unknown;
  readonly lost: number | null;
}

const packet = '00'.repeat(64);

describeAsRoot('netkit map watch', () => {
  let source: EventSource;
  let bpffs: TestBpffs;

  beforeAll(async () => {
    source = await EventSource.compile();
  });
  afterAll(() => source[Symbol.dispose]());
  beforeEach(() => {
    bpffs = makeBpffs();
    does('load', source.object, '--name', 'ev', '--map-size', 'events=65536');
    return () => {
      does('unload', '--all', '--yes');
      bpffs[Symbol.dispose]();
    };
  });

  function does(...args: string[]): CliResult {
    const result = netkit(args, { env: bpffs.env });
    expect(result.status, `netkit ${args.join(' ')}: ${result.stdout}${result.stderr}`).toBe(0);
    return result;
  }
  const refuses = (status: number, ...args: string[]) => {
    const result = netkit([...args, '--json'], { env: bpffs.env });
    expect(result.status, `netkit ${args.join(' ')}: ${result.stdout}${result.stderr}`).toBe(status);
    return errorOf(result);
  };
  const start = (...args: string[]): RunningCli => startNetkit(['map', 'watch', ...args], { env: bpffs.env });
  /** Starts a watch and waits until it reads. */
  async function watching(...args: string[]): Promise<RunningCli> {
    const watch = start(...args, '--log-level', 'debug');
    await watch.output(/debug: watching/);
    return watch;
  }
  const produce = (program: string, times = 1) =>
    does('prog', 'run', `ev/${program}`, '--hex', packet, '--repeat', String(times));
  const pin = (map: string) => join(bpffs.root.path, 'netkit/ev/maps', map);
  function linesOf(result: CliResult): Line[] {
    const lines = result.jsonLines();
    for (const line of lines.slice(0, 20)) expectValid('map watch', line);
    return lines as Line[];
  }

  it('prints the records of a ring buffer by their type, in columns', () => {
    produce('produce', 3);
    const { stdout, stderr } = does('map', 'watch', 'ev/events', '--count', '3');
    const rows = [
      ['NUMBER', 'TWICE', 'CPU'],
      ['0', '0', 'N'],
      ['1', '2', 'N'],
      ['2', '4', 'N'],
    ];
    // Numbers of 64 bits may get 20 digits.
    const line = ([number = '', twice = '', cpu = '']: string[]) =>
      `${number.padEnd(20)}  ${twice.padEnd(20)}  ${cpu}\n`;
    expect(stdout.replace(/\d+$/gm, 'N')).toBe(rows.map(line).join(''));
    expect(stderr).toBe('');
  });

  it('prints them as they come, until Ctrl-C, with one JSON document a line', async () => {
    using watch = await watching('ev/events', '--json');
    produce('produce');
    await watch.output(/"number":0,/);
    produce('produce', 2);
    await watch.output(/"number":2,/);
    const result = await watch.stop();
    expect(result.status).toBe(130);
    const value = (number: number) => ({ number, twice: number * 2, cpu: expect.any(Number) });
    const none = { schemaVersion: 1, cpu: null, key: null, before: null, lost: null };
    expect(linesOf(result)).toEqual(
      [0, 1, 2].map((number) => ({ ...none, event: 'record', value: value(number) })),
    );
  });

  it('leaves what it does not print in the buffer', () => {
    produce('produce', 5);
    expect(linesOf(does('map', 'watch', 'ev/events', '--json', '--count', '2'))).toHaveLength(2);
    const rest = linesOf(does('map', 'watch', 'ev/events', '--json', '--for', '0.3'));
    expect(rest.map(({ value }) => value)).toMatchObject([{ number: 2 }, { number: 3 }, { number: 4 }]);
  });

  it('says how many records were lost, and loses none without saying so', async () => {
    using watch = await watching('ev/events', '--json', '--for', '3');
    const total = 30_000;
    produce('produce', total);
    const lines = linesOf(await watch.ended);
    const records = lines.filter(({ event }) => event === 'record').length;
    const lost = lines.reduce((sum, line) => sum + (line.lost ?? 0), 0);
    expect(records).toBeGreaterThan(1000);
    expect(records + lost).toBe(total);
  });

  it('says it on standard error for people', async () => {
    using watch = await watching('ev/events', '--count', '1000');
    // It cannot read meanwhile.
    watch.process.kill('SIGSTOP');
    produce('produce', 3000);
    watch.process.kill('SIGCONT');
    const { stderr } = await watch.ended;
    expect(stderr).toMatch(/^netkit: warning: \d+ records lost$/m);
  });

  it('says once that nothing counts the lost records of a ring', () => {
    // Of an id nothing tells what is beside it.
    const id = String((does('map', 'show', 'ev/events', '--json').json() as { map: { id: number } }).map.id);
    const { stderr } = does('map', 'watch', `id:${id}`, '--for', '0.1');
    expect(stderr).toMatch(/^netkit: nothing counts the records that find no room in id:\d+: .*\n$/);
    expect(does('map', 'watch', `id:${id}`, '--lost', 'ev/events_lost', '--for', '0.1').stderr).toBe('');
    expect(refuses(2, 'map', 'watch', 'ev/events', '--lost', 'ev/others').code).toBe('usage');
    expect(refuses(3, 'map', 'watch', 'ev/events', '--lost', 'ev/nothing').code).toBe('not-found');
  });

  it('finds the type by the stored object, by a program that uses the map, and by name', () => {
    produce('other');
    produce('other');
    produce('other');
    const first = (...args: string[]) =>
      linesOf(does('map', 'watch', ...args, '--count', '1', '--json', '-q'))[0]?.value;
    expect(first('ev/others')).toEqual({ kind: 7, text: expect.any(Array) });
    expect(first(pin('others'), '--type', 'u64')).toBe(0x61_0007);
    expect(first(pin('others'), '--type', 'struct other', '--types', source.object)).toMatchObject({
      kind: 7,
    });
    const unknown = refuses(3, 'map', 'watch', 'ev/others', '--type', 'struct othr');
    expect(unknown).toMatchObject({ code: 'not-found', hint: expect.stringContaining('other') });
    expect(refuses(2, 'map', 'watch', 'ev/others', '--type', 'nonsense').code).toBe('usage');
  });

  it('shows records of another size as bytes, and says so once', () => {
    produce('mixed', 12);
    const { stdout, stderr } = does('map', 'watch', 'ev/events', '--for', '0.3');
    expect(stdout.match(/^hex:[0-9a-f]{80}$/gm)).toHaveLength(2);
    expect(stdout.split('\n')).toHaveLength(10);
    expect(stderr).toBe(
      'netkit: warning: a record of 40 bytes is no struct event, which has 24: such records are shown as bytes\n' +
        'netkit: 2 records had another size than the type\n',
    );
  });

  it('prints the records of a perf event array with their CPU, and leaves no reader behind', async () => {
    using watch = await watching('ev/samples', '--json');
    produce('sample', 3);
    await watch.output(/"number":2,/);
    expect(refuses(5, 'map', 'watch', 'ev/samples')).toMatchObject({
      code: 'conflict',
      hint: expect.stringContaining('--take-over'),
    });
    const lines = linesOf(await watch.stop());
    expect(lines).toHaveLength(3);
    for (const { cpu, value } of lines) expect(value).toMatchObject({ cpu });
    using next = await watching('ev/samples');
    produce('sample');
    await next.output(/^CPU {2}NUMBER/);
  });

  it('does not read beside another process unless told to', async () => {
    using watch = await watching('ev/events', '--json');
    const refused = refuses(5, 'map', 'watch', 'ev/events', '--for', '0.1');
    expect(refused).toMatchObject({ code: 'conflict', details: { readers: [{ pid: watch.process.pid }] } });
    does('map', 'watch', 'ev/events', '--for', '0.1', '--take-over');
  });

  it('prints what changes in any other map', async () => {
    using watch = await watching('ev/events_lost', '--interval', '0.05', '--json', '--count', '1');
    produce('produce', 5000);
    const [line, ...more] = linesOf(await watch.ended);
    expect(more).toEqual([]);
    expect(line).toMatchObject({ event: 'changed', key: 0, before: 0 });
    expect(line?.value).toBeGreaterThan(100);

    using people = await watching('ev/events_lost', '--interval', '0.05');
    produce('produce', 10);
    await people.output(/^changed {2}0 {2}\d+ -> \d+$/m);
    expect((await people.stop()).status).toBe(130);
    expect(refuses(2, 'map', 'watch', 'ev/events_lost', '--interval', '0.001').code).toBe('usage');
    does(
      'map',
      'create',
      join(bpffs.root.path, 'queue'),
      '--type',
      'queue',
      '--value-type',
      'u64',
      '--max-entries',
      '2',
    );
    expect(refuses(6, 'map', 'watch', join(bpffs.root.path, 'queue'))).toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/^watch does not work on the queue map /),
    });
  });

  it('ends quietly when nobody reads on, and is not stopped by a slow reader', async () => {
    produce('produce', 2000);
    const command = [
      process.execPath,
      join(packageRoot(), 'bin/netkit.js'),
      'map',
      'watch',
      'ev/events',
      '--json',
    ];
    const shell = (script: string) => {
      const child = spawn('bash', ['-c', `set -o pipefail; ${script}`, ...command], {
        env: { ...process.env, ...bpffs.env },
      });
      return Promise.all([text(child.stdout), text(child.stderr)]);
    };
    const [head, headError] = await shell('"$0" "$@" | head -n 1; echo "status ${PIPESTATUS[0]}"');
    expect(head).toMatch(/^\{.*"number":0,.*\}\nstatus 0\n$/);
    expect(headError).toBe('');
    produce('produce', 2000);
    const [slow] = await shell('"$0" "$@" --count 1000 | (sleep 1; wc -l)');
    expect(slow.trim()).toBe('1000');
  });

  it('goes on when the function is unloaded: the map lives while it is watched', async () => {
    using watch = await watching('ev/events', '--json');
    run('rm', [join(bpffs.root.path, 'netkit/ev/maps/events')]);
    produce('produce');
    await watch.output(/"number":0,/);
    await watch.stop();
  });

  it('in the library: a reader that waits keeps neither timers nor the end of the process waiting', async () => {
    const library = pathToFileURL(join(packageRoot(), 'dist/index.js')).href;
    const script = (body: string) => `
        import { BpfMap, RingBuffer } from ${JSON.stringify(library)};
        const ring = new RingBuffer(BpfMap.fromPin(${JSON.stringify(pin('events'))}));
        ${body}`;
    const ends = async (body: string) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script(body)]);
      const started = performance.now();
      const closed = new Promise((resolve) => child.on('close', resolve));
      const [out, error, status] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
      return { out, error, status, seconds: (performance.now() - started) / 1000 };
    };
    const soon = { seconds: expect.toSatisfy((seconds) => Number(seconds) < 5) };
    const waiting = 'ring.batches().next();';
    expect(await ends(`${waiting} setTimeout(() => process.exit(7), 50);`)).toMatchObject({
      ...soon,
      status: 7,
    });
    expect(await ends(`${waiting} setTimeout(() => ring[Symbol.dispose](), 50);`)).toMatchObject({
      ...soon,
      error: '',
    });
    expect(await ends('')).toMatchObject({ ...soon, status: 0, error: '' });
    produce('produce', 2);
    const once = 'for await (const batch of ring) { console.log(batch.length); break; }';
    expect(await ends(once)).toMatchObject({ ...soon, status: 0, out: '2\n', error: '' });
  });
});
