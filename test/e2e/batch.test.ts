import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { packageRoot } from '../../src/host/package-root.js';
import type { CliResult } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { expectValid } from '../support/schema.js';
import { fixture, type Ground, makeGround } from './ground.js';

const netkitPath = join(packageRoot(), 'bin/netkit.js');

describeAsRoot('netkit batch', () => {
  let before: KernelState;
  let ground: Ground;
  let file: string;

  beforeAll(() => {
    before = snapshotKernelState();
    ground = makeGround();
    file = join(ground.bpffs.folder, 'commands');
    ground.does('load', fixture('maps'), '--name', 'm');
  });
  afterAll(async () => {
    try {
      ground.does('unload', '--all', '--yes');
      expect(ground.bpffs.pins()).toEqual([]);
    } finally {
      ground[Symbol.dispose]();
    }
    await expectUnchanged(before);
  });
  beforeEach(() => {
    does(['unload m', `load ${fixture('maps')} --name m`]);
  });

  function write(lines: readonly string[] | string): void {
    writeFileSync(file, typeof lines === 'string' ? lines : lines.map((line) => `${line}\n`).join(''));
  }
  function does(lines: readonly string[] | string, ...options: string[]): CliResult {
    write(lines);
    return ground.does('batch', file, ...options);
  }
  function refuses(status: number, lines: readonly string[] | string, ...options: string[]): CliResult {
    write(lines);
    return ground.refuses(status, 'batch', file, ...options);
  }
  /** What `map dump` prints, in the order of keys. */
  const dump = (map: string) =>
    ground.does('map', 'dump', map).stdout.split('\n').slice(1).sort().join('\n').trim();

  it('does commands in their order, and prints results but no words', () => {
    const { stdout, stderr } = does([
      '# two entries',
      'map update m/counts 1 11',
      "netkit map update 'm/counts' 2 \\",
      '  22   # the second one',
      '',
      'map get m/counts 1',
      'map update m/counts 1 111 exist',
      'map get m/counts 1',
      'map get m/counts 2',
    ]);
    expect(stdout).toBe('11\n111\n22\n');
    expect(stderr).toBe('netkit: 6 commands done\n');
    expect(does(['map update m/counts 1 1'], '--quiet').stderr).toBe('');
  });

  it('gives for each command the document that the command prints by itself', () => {
    const commands = [
      'map update m/percpu_flows 10 7',
      'map update m/percpu_flows 10 8 noexist',
      'map update m/percpu_flows 10 9',
      'map update m/percpu_flows hex:0000000b 0x10 noexist',
      'map get m/percpu_flows 11',
      'map delete m/percpu_flows 12',
      'map delete m/percpu_flows 12 --if-exists',
      'map delete m/percpu_flows 10',
      `map update m/flows '{"saddr":"10.0.0.1","dport":80}' 'packets=1,bytes=18446744073709551615'`,
      'map update m/flows saddr=10.0.0.1,dport=80 2 exist',
      'map update m/flows saddr=10.0.0.2 2 exist',
      'map update m/prefixes_v4 10.0.0.0/8 DROP',
      'map update m/prefixes_v4 10.0.0.1/8 DROP',
      'map update m/prefixes_v4 10.0.0.0/16 PASS',
      'map dump m/prefixes_v4',
      'map update m/percpu_counts 3 5',
      'map get m/percpu_counts 3',
      'map update m/counts 8 1',
      'map delete m/counts 1',
      'map update m/counts -1 1',
      'map update m/counts 1',
      'map update m/counts 1 0x11 --value-type u64',
      'map update m/nothing 1 1',
      'map update nothing/counts 1 1',
      'map push m/queue 4',
      'map pop m/queue',
      'map show m/counts',
      'nonsense',
    ];
    const alone = commands.map((command) => {
      const words = spawnSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' }).stdout;
      const { status, stdout, stderr } = ground.netkit(...words.split('\0').slice(0, -1), '--json');
      const error = status === 0 ? null : JSON.parse(stderr).error;
      return { status, result: stdout === '' ? null : stdout.replaceAll('\n', ''), error };
    });
    ground.does('unload', 'm');
    ground.does('load', fixture('maps'), '--name', 'm');
    write(commands);
    const { status, stdout } = ground.netkit('batch', file, '--continue', '--json');
    expect(status).toBe(5);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(commands.length);
    lines.forEach((line, index) => {
      const document: unknown = JSON.parse(line);
      // Without one of its fields, the document of a push is that of a pop, and so on.
      if (!/map (push|pop)/.test(line)) expectValid('batch', document);
      const { line: number, command, ...became } = Object(document);
      expect({ number, command }).toEqual({ number: index + 1, command: commands[index] });
      // As text: numbers keep all their digits.
      const wanted = alone[index];
      expect(became, command).toMatchObject({ status: wanted?.status, error: wanted?.error });
      const ids = (text: string) => text.replaceAll(/"(id|btfId|memoryBytes)":\d+/g, '"$1":0');
      expect(ids(line), command).toContain(ids(`"result":${wanted?.result},"error"`));
    });
  });

  it('lets what reads see all writes before it, and nothing after it', () => {
    const lines: string[] = [];
    const wanted: string[] = [];
    for (let round = 0; round < 50; round++) {
      for (let index = 0; index < 8; index++)
        lines.push(`map update m/counts ${index} ${round * 100 + index}`);
      lines.push(`map get m/counts ${round % 8}`);
      wanted.push(String(round * 100 + (round % 8)));
    }
    expect(does(lines).stdout.trim().split('\n')).toEqual(wanted);
  });

  it('stops at the first failure, in the middle of many writes too, and says how far it came', () => {
    const lines = Array.from({ length: 200 }, (_, index) => `map update m/percpu_flows ${index} ${index}`);
    const { stderr } = refuses(5, lines);
    expect(stderr).toBe(
      `netkit: ${file}:65: m/percpu_flows is full: it holds 64 entries (64 commands before it done, 135 after it not)\n`,
    );
    expect(dump('m/percpu_flows').split('\n')).toHaveLength(64);
    const error = JSON.parse(refuses(5, lines, '--json').stderr).error;
    expect(error).toMatchObject({
      code: 'conflict',
      details: { file, line: 65, done: 64, failed: 1, left: 135 },
    });
  });

  it('goes on with --continue, and names each failure by its line', () => {
    const lines = Array.from({ length: 70 }, (_, index) => `map update m/percpu_flows ${index} ${index}`);
    write([...lines, 'map get m/percpu_flows 99', 'map update m/percpu_flows 3 33', 'oops']);
    const { status, stderr } = ground.netkit('batch', file, '--continue');
    expect(status).toBe(5);
    const named = [...stderr.matchAll(/^netkit: .*:(\d+): /gm)].map(([, line]) => Number(line));
    expect(named).toEqual([65, 66, 67, 68, 69, 70, 71, 73]);
    expect(stderr).toMatch(/: 8 of 73 commands failed, the first in line 65\n$/);
    expect(ground.does('map', 'get', 'm/percpu_flows', '3', '--per-cpu').stdout).toMatch(/^ +0 +33$/m);
  });

  it('writes to the map that a reference means at that line', () => {
    does([
      'map update m/counts 1 1',
      'unload m',
      `load ${fixture('maps')} --name m`,
      'map update m/counts 2 2',
      'map update m/flows saddr=10.0.0.1 1',
    ]);
    expect(dump('m/counts')).toMatch(/^0 +0\n1 +0\n2 +2\n/);
    const { stderr } = refuses(3, ['map update m/counts 1 1', 'unload m', 'map update m/counts 3 3']);
    expect(stderr).toContain(`${file}:3: no function 'm' is loaded`);
    ground.does('load', fixture('maps'), '--name', 'm');
  });

  it('writes to more maps than it keeps open at once', () => {
    const pins = Array.from({ length: 130 }, (_, index) => join(ground.bpffs.root.path, `many${index}`));
    try {
      const create = '--type hash --key-type u32 --value-type u32 --max-entries 4';
      does(pins.map((pin) => `map create ${pin} ${create}`));
      does([1, 2].flatMap((key) => pins.map((pin, index) => `map update ${pin} ${key} ${index * key}`)));
      const { stdout } = does([1, 2].flatMap((key) => pins.map((pin) => `map get ${pin} ${key}`)));
      expect(stdout.trim().split('\n').map(Number)).toEqual(
        [1, 2].flatMap((key) => pins.map((_, index) => index * key)),
      );
      const refused = [...pins, ...pins.slice(0, 3)].map(
        (pin, index) => `map update ${pin} ${index === 130 ? 'x' : 3} 3`,
      );
      expect(refuses(2, refused).stderr).toContain(`${file}:131: key: `);
      // What is refused only when it is written, because another map is opened, is that line's fault.
      const full = [4, 5, 6].map((key) => `map update ${pins[63]} ${key} 4`);
      const others = pins.slice(0, 63).map((pin) => `map update ${pin} 1 1`);
      const { stderr } = refuses(5, [...others, ...full, `map update ${pins[64]} 1 1`]);
      expect(stderr).toMatch(/commands:65: .*many63/);
    } finally {
      for (const pin of pins) rmSync(pin, { force: true });
    }
  });

  it('tells with --dry-run what would be done, and does nothing', () => {
    const { stdout, stderr } = does(
      [
        'map update m/counts 1 5',
        'unload m',
        `load ${fixture('pass')} --name p`,
        'attach p eth0',
        'map update m/counts 1 6',
        'map get m/counts 1',
      ],
      '--dry-run',
    );
    expect(stdout).toMatch(/^would write 1 5 into m\/counts\nwould forget m\n/);
    expect(stdout).toContain('would load the programs and maps of p');
    expect(stderr).toContain(`${file}:4: not looked at: it depends on line 3`);
    expect(stderr).toContain(`${file}:5: not looked at: it depends on line 2`);
    expect(dump('m/counts')).toMatch(/^0 +0\n1 +0\n/);
  });

  it.each([
    ['nonsense', 2, "unknown command 'nonsense'"],
    ['map', 2, 'netkit map: a command is missing'],
    ['map get "m', 2, 'a double quote has no end on its line'],
    ['map get m/counts \0', 2, 'the line holds a NUL character'],
    ['map get m/counts', 2, 'map get: KEY is missing'],
    ['map get m/counts 1 --help', 2, 'help is for people'],
    ['--version', 2, '--version is a command by itself'],
    ['help', 2, 'help is for people'],
    ['batch -', 2, 'a batch cannot hold another one'],
    ['map watch m/events', 2, "'map watch' goes on until it is stopped"],
    ['bench drop --quick', 2, "'bench drop' measures"],
    ['build x.c --watch', 2, "'build --watch' goes on until it is stopped"],
    ['list --json', 2, '--json is for the whole batch'],
    ['list --bpffs=/tmp', 2, '--bpffs is for the whole batch'],
    ['list --state-dir /tmp', 2, '--state-dir is for the whole batch'],
    ['unload --all', 2, 'a batch asks nobody'],
    ['map get m/nothing 1', 3, "function 'm' has no map 'nothing'"],
  ])('names the line of %j, with status %i', (line, status, message) => {
    const { stderr } = refuses(status, `map get m/counts 1\n${line}\nlist\n`);
    expect(stderr).toMatch(/^netkit: .*\/commands:2: /);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/1 command before it done, 1 after it not\)\n/);
  });

  it('takes --netns and --yes in a line', () => {
    does([`load ${fixture('pass')} --name p`, `attach p ${ground.ifname} --netns ${ground.netns.name}`]);
    expect(ground.listed('p').links).toHaveLength(1);
    does(['unload --all --yes']);
    expect(ground.list()).toEqual([]);
    ground.does('load', fixture('maps'), '--name', 'm');
  });

  it('killed in the middle of a command, leaves no half of it, and keeps what was done before', () => {
    write(['map update m/counts 1 7', `load ${fixture('pass')} --name p`, 'map update m/counts 2 7']);
    expect(() => ground.doesWith({ NETKIT_TEST_KILL_STEP: '2' }, 'batch', file)).toThrow(/SIGKILL/);
    expect(ground.does('recover').stdout).toContain(
      `load ${fixture('pass')} --name p' had been killed: undone`,
    );
    expect(ground.list().map(({ name }) => name)).toEqual(['m']);
    expect(dump('m/counts')).toMatch(/^0 +0\n1 +7\n2 +0\n/);
  });

  it('of more than a million lines stays in little memory', () => {
    const line = Array.from({ length: 8 }, (_, index) => `map update m/counts ${index} ${index}\n`).join('');
    write(line.repeat(160_000));
    const hook = join(packageRoot(), 'scripts/bench/lib/peak-memory.cjs');
    const { output, status } = spawnSync(process.execPath, ['--require', hook, netkitPath, 'batch', file], {
      encoding: 'utf8',
      env: { ...process.env, ...ground.bpffs.env },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    expect(status).toBe(0);
    // KiB. Node alone takes 60 MiB.
    expect(Number(output[3])).toBeLessThan(140 << 10);
  });

  it('says what is wrong with its file', () => {
    expect(ground.refuses(3, 'batch', `${file}-none`).stderr).toContain(`cannot read '${file}-none'`);
    write([]);
    chmodSync(file, 0o600);
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'].join(' ');
    const denied = spawnSync(
      'sh',
      ['-c', `chmod 711 ${ground.bpffs.folder}; ${nobody} ${process.execPath} ${netkitPath} batch ${file}`],
      {
        encoding: 'utf8',
      },
    );
    expect(denied.stderr).toContain(`cannot read '${file}': permission denied`);
    expect(denied.status).toBe(4);
    const folder = join(ground.bpffs.folder, 'folder');
    mkdirSync(folder);
    expect(ground.refuses(2, 'batch', folder).stderr).toContain('it is a directory');
    expect(ground.does('batch', '/dev/null').stderr).toBe('netkit: 0 commands done\n');
    const script = `exec ${process.execPath} ${netkitPath} batch - <&-`;
    const closed = spawnSync('sh', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, ...ground.bpffs.env },
    });
    expect(closed).toMatchObject({ status: 0, stderr: 'netkit: 0 commands done\n' });
  });

  it('does what a pipe has said so far before it waits for more, and holds one lock from its first change to its end', async () => {
    const child = spawn(process.execPath, [netkitPath, 'batch'], {
      env: { ...process.env, ...ground.bpffs.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    using _child = { [Symbol.dispose]: () => child.kill('SIGKILL') };
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const until = async (done: () => boolean) => {
      for (const deadline = performance.now() + 10_000; !done(); ) {
        if (performance.now() > deadline) throw new Error(`it said ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    child.stdin.write('map update m/counts 5 55\nmap get m/counts 5\n');
    await until(() => said === '55\n');
    // Another process puts another map in its place.
    ground.does('unload', 'm');
    ground.does('load', fixture('maps'), '--name', 'm');
    child.stdin.write('map update m/counts 5 55\nmap get m/counts 4\n');
    await until(() => said === '55\n0\n');
    expect(ground.entry('m/counts', '5')).toBe(55);
    // The same by a name and by a path, whatever is in them.
    const pin = join(ground.bpffs.root.path, 'with:colon');
    const create = () =>
      ground.does('map', 'create', pin, '--type', 'array', '--value-type', 'u32', '--max-entries', '4');
    create();
    child.stdin.write(`map update ${pin} 1 11\nmap get ${pin} 1\n`);
    await until(() => said === '55\n0\n11\n');
    rmSync(pin);
    create();
    child.stdin.write(`map update ${pin} 2 22\nmap get ${pin} 1\n`);
    await until(() => said === '55\n0\n11\n0\n');
    expect(ground.entry(pin, '2')).toBe(22);
    rmSync(pin);
    said = '55\n0\n';
    const other = ['load', fixture('pass'), '--name', 'p', '--lock-timeout', '0.1'];
    ground.does(...other);
    ground.does('unload', 'p');
    child.stdin.write(`load ${fixture('pass')} --name q\nmap get m/counts 5\n`);
    await until(() => said === '55\n0\n55\n');
    const refused = ground.netkit(...other);
    expect(refused.status).toBe(5);
    expect(refused.stderr).toContain("'netkit batch' (pid ");
    expect(ground.entry('m/counts', '5')).toBe(55);
    child.stdin.write('unload q\nmap update m/counts 5 56\n');
    child.stdin.end('map get m/counts 5');
    expect(await ended).toBe(0);
    expect(said).toBe('55\n0\n55\n56\n');
    ground.does(...other);
    ground.does('unload', 'p');
  });
});
