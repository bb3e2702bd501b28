import { spawnSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { bpffsMounts, isBpffs } from '../../src/host/mounts.js';
import { listNetns } from '../../src/host/netns.js';
import { listPins, testFolderPrefix } from './bpffs.js';
import { type BpfObjects, isForeignProcess, withoutForeign } from './foreign-objects.js';
import { run } from './netns.js';

/**
 * What of netkit's work could be left in the kernel and on this machine: one line for each program, map, link, BTF,
 * pin, bpf mount, named namespace, queueing discipline, filter and XDP program of the host's interfaces, and each
 * descriptor of this process that holds one of them. What belongs to processes outside of this test run is left out.
 */
export type KernelState = ReadonlySet<string>;

/** Takes a snapshot, in about 20 ms. */
export function snapshotKernelState(): KernelState {
  return new Set([
    ...bpfObjects(),
    ...mountsAndPins(),
    ...namespaces(),
    ...hostInterfaces(),
    ...ownDescriptors(),
  ]);
}

/**
 * Compares with a snapshot taken before. The kernel releases programs and maps a little after their last user went, so
 * a difference counts only when it lasts for `patienceMs`. Throws with every line that is left or gone.
 */
export async function expectUnchanged(before: KernelState, patienceMs = 2000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const differences = compareStates(before, snapshotKernelState());
    if (differences.length === 0) return;
    if (performance.now() > deadline)
      throw new Error(`the kernel's state changed:\n${differences.join('\n')}`);
    await sleep(25);
  }
}

/** Runs `work` and checks that it left nothing and took nothing away. */
export async function leavingNothing<T>(work: () => T | Promise<T>): Promise<T> {
  const before = snapshotKernelState();
  const result = await work();
  await expectUnchanged(before);
  return result;
}

/**
 * Has the tests of this block leave nothing and take nothing away together. To be called before what the block prepares in
 * hooks of its own, whose ends are then over when it looks.
 */
export function expectUnchangedAfterAll(): void {
  let before: KernelState | undefined;
  beforeAll(() => {
    before = snapshotKernelState();
  });
  afterAll(async () => {
    if (before !== undefined) await expectUnchanged(before);
  });
}

/** The lines that differ, as «left: …» and «gone: …». */
export function compareStates(before: KernelState, after: KernelState): string[] {
  return [
    ...[...after].filter((line) => !before.has(line)).map((line) => `  left: ${line}`),
    ...[...before].filter((line) => !after.has(line)).map((line) => `  gone: ${line}`),
  ];
}

function bpfObjects(): string[] {
  const [programs, maps, links, btfs] = bpftoolBatch(['prog show', 'map show', 'link show', 'btf show']);
  const objects: BpfObjects = {
    prog: programs ?? [],
    // A program array that somebody opens by its id, as a listing does, just while its last user lets it go is never
    // freed: seen on 6.18 with bpftool alone (60 of 60, loading and unloading beside `bpftool map list`). A snapshot is
    // such a listing, so it would make the leaks that it finds.
    // libbpf's own probes, made by each load and gone a moment later, are none of it either.
    map: (maps ?? []).filter(({ type, name }) => type !== 'prog_array' && !/^libbpf_/.test(String(name))),
    link: links ?? [],
    // Those of the kernel and its modules come and go with modules.
    btf: (btfs ?? []).filter((entry) => entry.kernel !== true),
  };
  return withoutForeign(objects).map(({ kind, entry }) => {
    const words = ['type', 'name', 'devname', 'attach_type'].map((key) => entry[key]);
    return [kind, entry.id, ...words.filter((word) => word !== undefined)].join(' ');
  });
}

/** The output of several bpftool commands, started once. */
function bpftoolBatch(commands: readonly string[]): Record<string, unknown>[][] {
  const result = spawnSync('bpftool', ['-j', 'batch', 'file', '-'], {
    input: commands.join('\n'),
    encoding: 'utf8',
  });
  if (result.error !== undefined) throw result.error;
  return records(JSON.parse(result.stdout)).map((answer) => records(answer.output));
}

function mountsAndPins(): string[] {
  return bpffsMounts()
    .filter((path) => isBpffs(path) && !ofForeignProcess(path.match(testFolder)?.[1], 10))
    .flatMap((path) => [`bpffs at ${path}`, ...listPins(path).map((pin) => `pin ${path}/${pin}`)]);
}

const testFolder = new RegExp(`^${testFolderPrefix}([0-9]+)-`);

function namespaces(): string[] {
  const names = listNetns().map(({ name }) => name);
  // uniqueName() of another test process
  return names
    .filter((name) => !ofForeignProcess(/^nk([0-9a-z]+)-/.exec(name)?.[1], 36))
    .map((name) => `netns ${name}`);
}

function ofForeignProcess(digits: string | undefined, base: number): boolean {
  return digits !== undefined && isForeignProcess(Number.parseInt(digits, base));
}

function hostInterfaces(): string[] {
  const lines: string[] = [];
  for (const link of records(JSON.parse(run('ip', ['-j', '-d', 'link', 'show'])))) {
    lines.push(`interface ${link.ifname}`);
    if (link.xdp !== undefined) lines.push(`xdp on ${link.ifname} ${JSON.stringify(link.xdp)}`);
  }
  for (const qdisc of records(JSON.parse(run('tc', ['-j', 'qdisc', 'show'])))) {
    const dev = String(qdisc.dev);
    lines.push(`qdisc ${qdisc.kind} ${qdisc.handle} on ${dev}`);
    if (qdisc.kind !== 'clsact' && qdisc.kind !== 'ingress') continue;
    for (const side of qdisc.kind === 'clsact' ? ['ingress', 'egress'] : ['ingress']) {
      for (const filter of records(JSON.parse(run('tc', ['-j', 'filter', 'show', 'dev', dev, side])))) {
        lines.push(`filter on ${dev} ${side} ${JSON.stringify(filter)}`);
      }
    }
  }
  return lines;
}

function ownDescriptors(): string[] {
  const lines: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (/^anon_inode:bpf|^net:\[|^\/run\/netns\/|perf_event|^\/sys\/fs\/bpf/.test(target)) {
        lines.push(`descriptor ${fd} of this process: ${target}`);
      }
    } catch {
      // The descriptor of the listing itself.
    }
  }
  return lines;
}

/** The objects of a JSON array, without assuming anything of them. */
function records(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) =>
    typeof entry === 'object' && entry !== null ? [Object.fromEntries(Object.entries(entry))] : [],
  );
}
