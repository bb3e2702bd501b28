// Interfaces and network namespaces that come and go, as rtnetlink and inotify tell of them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import type { InterfaceEvent } from '../../../src/host/interface-event.js';
import { InterfaceEvents } from '../../../src/host/interface-events.js';
import { netnsDirectory } from '../../../src/host/netns.js';
import { expectUnchangedAfterAll } from '../../support/kernel-state.js';
import { emulated } from '../../support/known-kernels.js';
import { ipBatch, makeNetns, run, type TestNetns, uniqueName } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

/** How long a test waits for what is to come, and for what is not to come. */
const patienceMs = emulated ? 100_000 : 10_000;
const quietMs = emulated ? 1500 : 150;
/** What the issue allows between a change and its telling. */
const latencyMs = emulated ? 2000 : 100;
const pairsAtOnce = emulated ? 40 : 200;

/** Collects what is told. */
class Listener implements Disposable {
  readonly events: InterfaceEvent[] = [];
  readonly source = new InterfaceEvents((events) => {
    this.events.push(...events);
    for (const look of this.#looks) look();
  });
  readonly #looks = new Set<() => void>();

  constructor(...refs: (string | null)[]) {
    this.source.follow(refs);
  }

  /** What was told so far, shortly: `appeared x0`, `renamed x0 x1`. */
  get words(): string[] {
    return this.events.map(wordsOf);
  }

  /** Waits until this was told. */
  async heard(words: string): Promise<void> {
    await this.until(() => this.words.includes(words), words);
  }

  async until(isSo: () => boolean, what: string): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#looks.delete(look);
        reject(new Error(`not told: ${what}; but: ${this.words.join(', ')}`));
      }, patienceMs);
      const look = () => {
        if (!isSo()) return;
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
    });
  }

  [Symbol.dispose](): void {
    this.source[Symbol.dispose]();
  }
}

function wordsOf(event: InterfaceEvent): string {
  switch (event.kind) {
    case 'renamed':
      return `renamed ${event.before} ${event.ifname}`;
    case 'netns-appeared':
    case 'netns-gone':
      return `${event.kind} ${event.netns}`;
    case 'lost':
      return `lost ${event.netns}`;
    case 'blind':
      return `blind ${event.netns}: ${event.error.message}`;
    default:
      return `${event.kind} ${event.ifname}`;
  }
}

const ip = (netns: TestNetns, ...lines: string[]): void => ipBatch(lines, netns);

/** Of those that are not told of again: `lo` comes with its namespace. */
const withoutLo = (words: readonly string[]): string[] => words.filter((word) => !word.endsWith(' lo'));

describeAsRoot('events of interfaces', () => {
  expectUnchangedAfterAll();

  it('tell what appears, comes up, is renamed, goes down and is deleted, in order, and nothing that was there', async () => {
    using netns = makeNetns();
    ip(netns, 'link add old0 type veth peer name old1');
    using listener = new Listener(netns.name);
    ip(netns, 'link add x0 type veth peer name x1');
    ip(netns, 'link set x0 up', 'link set x0 down', 'link set x0 name y0', 'link del y0');
    await listener.heard('gone x1');
    expect(listener.words).toEqual([
      'appeared x1',
      'appeared x0',
      'up x0',
      'down x0',
      'renamed x0 y0',
      'gone y0',
      'gone x1',
    ]);
    expect(new Set(listener.events.map(({ netns: ref }) => ref))).toEqual(new Set([netns.name]));
  });

  it('do not take a port that leaves its bridge for one that is gone', async () => {
    using netns = makeNetns();
    ip(netns, 'link add br0 type bridge', 'link add x0 type veth peer name x1');
    using listener = new Listener(netns.name);
    ip(netns, 'link set x0 master br0', 'link set x0 nomaster', 'link set x1 up');
    await listener.heard('up x1');
    await sleep(quietMs);
    expect(listener.words).toEqual(['up x1']);
  });

  it('tell of an interface that moves to another namespace, in both', async () => {
    using a = makeNetns();
    using b = makeNetns();
    ip(a, 'link add x0 type veth peer name x1');
    using listener = new Listener(a.name, b.name);
    ip(a, `link set x0 netns ${b.name}`);
    await listener.heard('appeared x0');
    await listener.heard('gone x0');
    const moved = listener.events.filter(({ kind }) => kind === 'gone' || kind === 'appeared');
    expect(moved.map(({ kind, netns }) => `${kind} ${netns}`).sort()).toEqual([
      `appeared ${b.name}`,
      `gone ${a.name}`,
    ]);
  });

  it(`come within ${latencyMs} ms of the change, twenty times`, async () => {
    using netns = makeNetns();
    using listener = new Listener(netns.name);
    const latencies: number[] = [];
    for (let count = 0; count < 20; count++) {
      ip(netns, `link add x${count} type veth peer name y${count}`);
      const changed = performance.now();
      await listener.heard(`appeared x${count}`);
      latencies.push(performance.now() - changed);
      // Also when the event loop sleeps, and the heartbeat is far.
      await sleep(37);
    }
    expect(Math.max(...latencies), latencies.map((ms) => ms.toFixed(1)).join(' ')).toBeLessThan(latencyMs);
  });

  it(`tell of each of ${pairsAtOnce} pairs that are made at once, once, and of each when they go`, async () => {
    using netns = makeNetns();
    using listener = new Listener(netns.name);
    const names = Array.from({ length: pairsAtOnce }, (_, index) => `p${index}`);
    ip(netns, ...names.map((name) => `link add ${name} type veth peer name ${name}x`));
    const told = (kind: string) => listener.events.filter((event) => event.kind === kind);
    await listener.until(() => told('appeared').length >= 2 * pairsAtOnce, 'all of them');
    const all = names.flatMap((name) => [name, `${name}x`]).sort();
    expect(
      told('appeared')
        .map((event) => 'ifname' in event && event.ifname)
        .sort(),
    ).toEqual(all);
    ip(netns, ...names.map((name) => `link del ${name}`));
    await listener.until(() => told('gone').length >= 2 * pairsAtOnce, 'all that are gone');
    await sleep(quietMs);
    expect(
      told('gone')
        .map((event) => 'ifname' in event && event.ifname)
        .sort(),
    ).toEqual(all);
  });

  it('end with what there is after 1000 changes that nobody had the time to read, and say that some were lost', async () => {
    using netns = makeNetns();
    ip(netns, 'link add gone0 type veth peer name gone1', 'link add stays0 type veth peer name stays1');
    using listener = new Listener(netns.name);
    // Without returning to the event loop.
    ip(netns, 'link del gone0', 'link set stays0 up', 'link add new0 type veth peer name new1');
    for (let count = 0; count < 4; count++) {
      const toggles = Array.from({ length: 250 }, () => ['link set stays1 up', 'link set stays1 down']);
      ip(netns, ...toggles.flat());
    }
    ip(netns, 'link set new1 name late1', 'link set new0 up');
    await listener.heard(`lost ${netns.name}`);
    await listener.heard('up new0');
    await sleep(quietMs);
    const present = new Set(['lo', 'gone0', 'gone1', 'stays0', 'stays1']);
    for (const event of listener.events) {
      if (event.kind === 'appeared') present.add(event.ifname);
      if (event.kind === 'gone') present.delete(event.ifname);
      if (event.kind !== 'renamed') continue;
      present.delete(event.before);
      present.add(event.ifname);
    }
    expect([...present].sort()).toEqual(['late1', 'lo', 'new0', 'stays0', 'stays1']);
    ip(netns, 'link add after0 type veth peer name after1');
    await listener.heard('appeared after0');
  });

  it('follow 1000 changes in a row while the event loop is free', async () => {
    using netns = makeNetns();
    ip(netns, 'link add x0 type veth peer name x1');
    using listener = new Listener(netns.name);
    const lines = Array.from({ length: 500 }, () => 'link set x0 up\nlink set x0 down').join('\n');
    const batch = netns.inside(() => spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] }));
    batch.stdin.end(`${lines}\nlink set x1 up\n`);
    await listener.heard('up x1');
    const toggles = listener.words.filter((word) => word.endsWith(' x0'));
    if (listener.words.includes(`lost ${netns.name}`)) expect(toggles.length).toBeGreaterThan(0);
    else expect(toggles).toHaveLength(1000);
    expect(toggles.at(-1)).toBe('down x0');
  });
});

describeAsRoot('events of network namespaces', () => {
  expectUnchangedAfterAll();

  it('tell of one that is deleted and made again, which does not live on meanwhile', async () => {
    using scope = new Scope();
    const name = uniqueName();
    run('ip', ['netns', 'add', name]);
    scope.defer(() => void run('ip', ['netns', 'del', name]));
    using own = makeNetns();
    // Its end in the namespace that goes takes it along, as soon as nobody holds that any more.
    ip(own, `link add a0 type veth peer name b0 netns ${name}`);
    using listener = new Listener(name, own.name);
    run('ip', ['netns', 'del', name]);
    await listener.heard('gone a0');
    expect(withoutLo(listener.words)).toEqual(['gone b0', `netns-gone ${name}`, 'gone a0']);
    const made = performance.now();
    run('ip', ['netns', 'add', name]);
    await listener.heard(`netns-appeared ${name}`);
    expect(performance.now() - made).toBeLessThan(latencyMs);
    run('ip', ['-n', name, 'link', 'add', 'c0', 'type', 'veth', 'peer', 'name', 'd0']);
    await listener.heard('appeared c0');
  });

  it('tell of one that is replaced at once', async () => {
    using scope = new Scope();
    const name = uniqueName();
    run('ip', ['netns', 'add', name]);
    scope.defer(() => void run('ip', ['netns', 'del', name]));
    using listener = new Listener(name);
    for (let count = 1; count <= 5; count++) {
      run('ip', ['netns', 'del', name]);
      run('ip', ['netns', 'add', name]);
      run('ip', ['-n', name, 'link', 'add', `c${count}`, 'type', 'veth', 'peer', 'name', 'd']);
      await listener.heard(`appeared c${count}`);
    }
    const namespaces = listener.words.filter((word) => word.startsWith('netns-'));
    expect(namespaces).toEqual(
      Array(5)
        .fill([`netns-gone ${name}`, `netns-appeared ${name}`])
        .flat(),
    );
  });

  it('wait for one that was never there, with the interfaces that it then has', async () => {
    const name = uniqueName();
    using listener = new Listener(name, '/proc/4194305/ns/net', '/no/such/folder/ns');
    await sleep(quietMs);
    expect(listener.words).toEqual([]);
    using scope = new Scope();
    run('ip', ['netns', 'add', name]);
    scope.defer(() => void run('ip', ['netns', 'del', name]));
    await listener.heard('appeared lo');
    expect(listener.words).toEqual([`netns-appeared ${name}`, 'appeared lo']);
  });

  it('tell within two seconds of one that was unmounted under its name, and of one whose process ended', async () => {
    using netns = makeNetns();
    using scope = new Scope();
    const name = uniqueName();
    run('ip', ['netns', 'add', name]);
    scope.defer(() => void run('ip', ['netns', 'del', name]));
    using unmounted = new Listener(name);
    // Which fails while somebody has the file open.
    run('umount', [join(netnsDirectory, name)]);
    const holder = netns.inside(() => spawn('sleep', ['60']));
    const ofProcess = `/proc/${holder.pid}/ns/net`;
    scope.defer(() => void holder.kill('SIGKILL'));
    using listener = new Listener(ofProcess);
    holder.kill('SIGKILL');
    await listener.heard(`netns-gone ${ofProcess}`);
    await unmounted.heard(`netns-gone ${name}`);
  });

  it('end for what is no longer wanted, and go on for the rest', async () => {
    using a = makeNetns();
    using b = makeNetns();
    using listener = new Listener(a.name, b.name);
    listener.source.follow([b.name, null]);
    ip(a, 'link add a0 type veth peer name a1');
    ip(b, 'link add b0 type veth peer name b1');
    await listener.heard('appeared b0');
    await sleep(quietMs);
    expect(listener.words).toEqual(['appeared b1', 'appeared b0']);
  });

  it('say once that a file is no network namespace, and go on', async () => {
    using listener = new Listener('/etc/hostname');
    await sleep(2500);
    expect(listener.words).toEqual([
      "blind /etc/hostname: '/etc/hostname' is an ordinary file, not a network namespace",
    ]);
  });

  it('leave nothing open when they end, also at once, and tell nothing more', async () => {
    using netns = makeNetns();
    for (let count = 0; count < 50; count++) new Listener(netns.name, null)[Symbol.dispose]();
    const listener = new Listener(netns.name, 'not-there', null);
    ip(netns, 'link add a0 type veth peer name a1');
    listener[Symbol.dispose]();
    listener[Symbol.dispose]();
    await sleep(quietMs);
    expect(listener.words).toEqual([]);
    expect(() => listener.source.follow([])).toThrow(TypeError);
  });
});
