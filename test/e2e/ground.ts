import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { functionDocument } from '../../src/cli/describe.js';
import { documents } from '../../src/cli/schema/documents.js';
import type { LoadedFunctionInfo } from '../../src/cli/schema/index.js';
import { listFunctions } from '../../src/cnf/inventory.js';
import { StateStore } from '../../src/cnf/store.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { type CliResult, netkit, netkitHere, type RunningCli, startNetkit } from '../support/cli.js';
import { kernelLacks } from '../support/known-kernels.js';
import { makeVethPair, run, type TestNetns, type VethEnd, type VethPair } from '../support/netns.js';

/** Where a test operates netkit: pins and state of its own, and two hosts joined by a veth pair. `b` is the one defended. */
export class Ground implements Disposable {
  readonly bpffs: TestBpffs;
  readonly veth: VethPair;
  /** For commands on the defended interface. */
  readonly netns: TestNetns;
  readonly ifname: string;
  /** The words that name the defended interface to a command. */
  readonly place: readonly string[];
  /** Of every command. */
  readonly env: Readonly<Record<string, string>>;
  readonly #scope: Scope;

  constructor(bpffs: TestBpffs, veth: VethPair, scope: Scope, env: Readonly<Record<string, string>>) {
    this.bpffs = bpffs;
    this.env = { ...bpffs.env, ...env };
    this.veth = veth;
    this.netns = veth.b.netns;
    this.ifname = veth.b.ifname;
    this.place = [this.ifname, '--netns', this.netns.name];
    this.#scope = scope;
  }

  /** Runs netkit on these pins and this state, whatever its status. */
  netkit(...args: string[]): CliResult {
    return netkit(args, { env: this.env });
  }

  /** Runs netkit by its code in this process: for what is asked often, and is looked at elsewhere as it is built. */
  netkitHere(...args: string[]): Promise<CliResult> {
    return netkitHere(args, this.env);
  }

  /** Runs netkit, which must succeed. */
  does(...args: string[]): CliResult {
    return this.#expecting(0, args, {});
  }

  /** Runs netkit, which must end with this status, one line of what is wrong, and perhaps a hint. */
  refuses(status: number, ...args: string[]): CliResult {
    const result = this.#expecting(status, args, {});
    if (args.includes('--json')) return result;
    const [first = '', second, ...more] = result.stderr.trimEnd().split('\n');
    expect(first).toMatch(/^netkit: \S/);
    if (second !== undefined) expect(second).toMatch(/^hint: \S/);
    expect(more).toEqual([]);
    return result;
  }

  /** `does`, with more in its environment. */
  doesWith(env: Readonly<Record<string, string>>, ...args: string[]): CliResult {
    return this.#expecting(0, args, env);
  }

  start(...args: string[]): RunningCli {
    return startNetkit(args, { env: this.env });
  }

  /** `start`, with more in its environment. */
  startWith(env: Readonly<Record<string, string>>, ...args: string[]): RunningCli {
    return startNetkit(args, { env: { ...this.env, ...env } });
  }

  /** Runs netkit beside other work. @returns undefined when SIGKILL ended it */
  async runs(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CliResult | undefined> {
    using running = startNetkit(args, { env: { ...this.env, ...env } });
    try {
      return await running.ended;
    } catch (error) {
      if (running.process.signalCode === 'SIGKILL') return undefined;
      throw error;
    }
  }

  /** {@link Ground.runs} for what must succeed. */
  async manages(...args: string[]): Promise<CliResult> {
    const result = await this.runs(args);
    expect(result?.status, `netkit ${args.join(' ')}: ${result?.stderr}`).toBe(0);
    if (result === undefined) throw new Error('killed');
    return result;
  }

  /** {@link Ground.ping} beside other work. */
  async pings(count = 2): Promise<number> {
    const { a, b } = this.veth;
    const args = ['-n', '-q', '-c', String(count), '-i', '0.005', '-W', '0.2', b.address];
    const child = a.netns.inside(() => spawn('ping', args, { stdio: ['ignore', 'pipe', 'ignore'] }));
    const output = await text(child.stdout);
    return Number(/(\d+) received/.exec(output)?.[1]);
  }

  /** The words of a command, in which `@` stands for {@link place}, and others for what they are given. */
  wordsOf(command: string, meanings: Readonly<Record<string, readonly string[]>> = {}): string[] {
    return command.split(' ').flatMap((word) => (word === '@' ? this.place : (meanings[word] ?? [word])));
  }

  /** Attaches to the defended interface. */
  attach(reference: string, ...more: string[]): CliResult {
    return this.does('attach', reference, ...this.place, ...more);
  }

  /** What `list --json` says, by its code in this process: it is asked more often than anything else. */
  list(): readonly LoadedFunctionInfo[] {
    const { root, stateDir } = this.bpffs;
    const functions = listFunctions(root.path, new StateStore(stateDir)).map(functionDocument);
    return documents.list.parse(JSON.parse(JSON.stringify({ functions, pending: [] }))).functions;
  }

  /** One function of `list --json`. */
  listed(name: string): LoadedFunctionInfo {
    const found = this.list().find((each) => each.name === name);
    if (found === undefined) throw new Error(`list has no ${name}`);
    return found;
  }

  /** How many of `count` echo requests to the defended host are answered. */
  ping(count = 5): number {
    const { a, b } = this.veth;
    const args = ['-n', '-q', '-c', String(count), '-i', '0.005', '-W', '0.2', b.address];
    const result = a.netns.inside(() => spawnSync('ping', args, { encoding: 'utf8', timeout: 30_000 }));
    const received = /(\d+) received/.exec(result.stdout)?.[1];
    if (received === undefined) throw new Error(`ping: ${result.stderr}`);
    return Number(received);
  }

  /** Pings the defended host every 5 ms until it is stopped. */
  traffic(): Traffic {
    const { a, b } = this.veth;
    return new Traffic(a.netns, b.address);
  }

  /** One entry of a map, as `map get --json` has it. */
  entry(map: string, key: string): unknown {
    return documentOf(documents['map get'], this.does('map', 'get', map, key, '--json')).value;
  }

  /** Everything on the defended interface that netkit could have put there, one text a thing. */
  hooks(): string[] {
    return hooksOf(this.netns);
  }

  /** Nothing of netkit's is left but its lock. */
  expectOnlyLock(): void {
    expect(this.bpffs.pins()).toEqual([]);
    expect(readdirSync(this.bpffs.root.path)).not.toContain('netkit');
    expect(readdirSync(this.bpffs.stateDir)).toEqual(['lock']);
  }

  #expecting(status: number, args: string[], env: Readonly<Record<string, string>>): CliResult {
    const result = netkit(args, { env: { ...this.env, ...env } });
    const all = `netkit ${args.join(' ')}: ${result.status}\n${result.stdout}${result.stderr}`;
    expect(result.status, all).toBe(status);
    expect(result.stdout + result.stderr, 'no log of libbpf, and no stack trace').not.toMatch(
      /libbpf: |\n {4}at /,
    );
    return result;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/** Echo requests that go on until they are stopped. */
export class Traffic implements Disposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<string>;

  constructor(from: TestNetns, address: string) {
    const args = ['-n', '-q', '-i', '0.005', '-W', '0.2', address];
    const child = from.inside(() => spawn('ping', args, { stdio: ['ignore', 'pipe', 'ignore'] }));
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.on('close', () => resolve(output)));
  }

  async stop(): Promise<{ readonly sent: number; readonly received: number }> {
    this.#process.kill('SIGINT');
    const output = await this.#ended;
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(output) ?? [];
    if (sent === undefined) throw new Error(`ping said: ${output}`);
    return { sent: Number(sent), received: Number(received) };
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}

/** @param env more for the environment of every command */
export function makeGround(env: Readonly<Record<string, string>> = {}): Ground {
  using scope = new Scope();
  const veth = scope.use(makeVethPair());
  const bpffs = scope.use(makeBpffs());
  waitForCarrier(veth.b);
  return new Ground(bpffs, veth, scope.move(), env);
}

/** An end gets its carrier from a kernel worker; until then it looks different from what it looks like afterwards. */
function waitForCarrier({ netns, ifname }: VethEnd): void {
  const deadline = performance.now() + 2000;
  while (!netns.run('ip', ['-o', 'link', 'show', 'dev', ifname]).includes('state UP')) {
    if (performance.now() > deadline) throw new Error(`${ifname} did not come up`);
  }
}

/** Reads a command's `--json` output by its schema, so that nothing is missing and nothing is too much. */
export function documentOf<S extends z.ZodType>(schema: S, result: CliResult): z.infer<S> {
  const { schemaVersion, ...document } = z.looseObject({ schemaVersion: z.int() }).parse(result.json());
  expect(schemaVersion).toBeGreaterThan(0);
  return schema.parse(document);
}

const failure = z.strictObject({
  schemaVersion: z.int(),
  error: z.strictObject({
    code: z.string(),
    message: z.string(),
    hint: z.nullable(z.string()),
    details: z.record(z.string(), z.unknown()),
  }),
});

/** The error that a command with `--json` put on standard error. */
export function errorOf(result: CliResult): z.infer<typeof failure>['error'] {
  return failure.parse(result.jsonError()).error;
}

/** Whether XDP programs go into chains here; where they cannot, each is alone on its interface. */
export const chained = kernelLacks('freplace') === undefined;

/** A compiled fixture. */
export function fixture(name: string): string {
  return join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`);
}

const linkShow = z.array(
  z.looseObject({ ifname: z.string(), xdp: z.optional(z.unknown()), ifindex: z.int() }),
);
const qdiscShow = z.array(z.looseObject({ kind: z.string(), handle: z.string(), dev: z.string() }));

/** Interfaces, XDP programs, qdiscs and filters of a namespace, one text each. */
export function hooksOf(netns: TestNetns): string[] {
  const texts: string[] = [];
  for (const link of linkShow.parse(JSON.parse(netns.run('ip', ['-j', '-d', 'link', 'show'])))) {
    texts.push(`interface ${JSON.stringify(link)}`);
  }
  for (const { kind, handle, dev } of qdiscShow.parse(JSON.parse(netns.run('tc', ['-j', 'qdisc', 'show'])))) {
    texts.push(`qdisc ${kind} ${handle} on ${dev}`);
    if (kind !== 'clsact') continue;
    for (const side of ['ingress', 'egress']) {
      const filters = netns.run('tc', ['filter', 'show', 'dev', dev, side]).split('\n');
      for (const filter of filters)
        if (filter.trim() !== '') texts.push(`${side} of ${dev}: ${filter.trim()}`);
    }
  }
  return texts;
}

/** What bpftool prints as JSON. */
export function bpftool(...args: string[]): unknown {
  return JSON.parse(run('bpftool', ['-j', ...args]));
}

const dumped = z.array(z.looseObject({ key: z.array(z.string()), value: z.array(z.string()) }));

/** Entries of a pinned map by bpftool, key and value in hexadecimal. */
export function bpftoolDump(pin: string): { readonly key: string; readonly value: string }[] {
  const hex = (bytes: readonly string[]) => bytes.map((byte) => byte.slice(2)).join('');
  return dumped
    .parse(bpftool('map', 'dump', 'pinned', pin))
    .map(({ key, value }) => ({ key: hex(key), value: hex(value) }));
}

/** A bare number in little-endian hexadecimal. */
export function littleEndian(value: number, bytes: number): string {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.toString('hex', 0, bytes);
}
