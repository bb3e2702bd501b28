/** What the cases of every kind of hook stand on: the compiled programs, a cgroup, a network namespace, and the count. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { Scope } from '../../../../src/base/scope.js';
import type { Attachment, Holder } from '../../../../src/ebpf/attach/index.js';
import { type HookName, hookAvailable } from '../../../../src/ebpf/feature.js';
import { type LoadOptions, load } from '../../../../src/ebpf/load.js';
import type { LoadedObject } from '../../../../src/ebpf/loaded-object.js';
import type { Program } from '../../../../src/ebpf/program.js';
import { atLeast } from '../../../../src/host/kernel.js';
import { packageRoot } from '../../../../src/host/package-root.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';
import { declare, invoke } from '../../../../src/sys/call.js';
import { TestCgroup } from '../../../support/cgroup.js';
import { makeNetns, type TestNetns } from '../../../support/netns.js';
import { makeProbedLibrary, type ProbedLibrary } from '../../../support/probed-library.js';

declare('libc', ['int getpgid(int pid)']);

const fixtures = join(packageRoot(), 'test/fixtures');

/** One row of the section table. */
export interface HookCase {
  /** The section name. */
  readonly hook: string;
  /** The Linux version that brought it, beyond the oldest that netkit supports. */
  readonly since?: readonly [number, number];
  /** The feature that has to be there, by netkit's own table, which has tests of its own. */
  readonly has?: HookName;
  /** Anything else that a kernel may be without: then what. */
  readonly lacks?: () => string | undefined;
  readonly prove: (bench: Bench) => Holder | 'none' | Promise<Holder | 'none'>;
  /** What is to be refused where the kernel lacks it, if the proof needs more than netkit to get there. */
  readonly tryInVain?: (bench: Bench) => void;
}

/** Why this kernel is known not to have a hook; undefined where it has to work. */
export function knownLack({ since, has, lacks }: HookCase): string | undefined {
  if (since !== undefined && !atLeast(...since)) return `came with Linux ${since.join('.')}`;
  const feature = has === undefined ? undefined : hookAvailable(has);
  return feature?.available === false ? feature.reason : lacks?.();
}

/** Everything that is made once for all cases. */
export class Bench implements Disposable {
  readonly netns: TestNetns;
  readonly cgroup: TestCgroup;
  /** A library with the function `netkit_probed` and the probe `netkit_test:hit`; loaded in this process. */
  readonly library: string;
  readonly probed: ProbedLibrary;
  readonly #scope: Scope;

  private constructor(folder: string, scope: Scope) {
    this.#scope = scope;
    this.netns = scope.use(makeNetns({ ipv6: true }));
    this.cgroup = scope.use(new TestCgroup());
    this.probed = makeProbedLibrary(folder);
    this.library = this.probed.path;
  }

  static make(): Bench {
    using scope = new Scope();
    const folder = mkdtempSync(join(tmpdir(), 'netkit-hooks-'));
    scope.defer(() => rmSync(folder, { recursive: true, force: true }));
    return new Bench(folder, scope.move());
  }

  spec(name = 'hooks'): ObjectSpec {
    return ObjectSpec.readSync(join(fixtures, `objects/${name}.bpf.o`));
  }

  /** Loads the program of a section, which counts what this process does. */
  load(hook: string, also: readonly string[] = [], options: LoadOptions = {}): Counted {
    const spec = this.spec();
    const program = spec.programs.find(
      ({ section }) => section === hook || (section.startsWith(`${hook}/`) && !also.includes(section)),
    );
    if (program === undefined) throw new Error(`the fixture has no program of section ${hook}`);
    return this.loadNamed(program.name, also, options);
  }

  loadNamed(name: string, also: readonly string[] = [], options: LoadOptions = {}): Counted {
    const spec = this.spec();
    spec.globals.set('only_process', process.pid);
    spec.only([name, ...also]);
    return new Counted(load(spec, options), name);
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/** A loaded object with one program that counts how often it ran. */
export class Counted implements Disposable {
  readonly object: LoadedObject;
  readonly program: Program;

  constructor(object: LoadedObject, name: string) {
    this.object = object;
    this.program = object.program(name);
  }

  hits(): number {
    return hitsOf(this.object);
  }

  [Symbol.dispose](): void {
    this.object[Symbol.dispose]();
  }
}

export function hitsOf(object: LoadedObject): number {
  const value = object.map('.bss').get(0);
  const hits = typeof value === 'object' && value !== null && 'hits' in value ? value.hits : undefined;
  return Number(hits);
}

/**
 * The proof of one hook: `fire` does nothing to the count before, raises it while attached, and does nothing again after.
 * @returns who held the attachment
 */
export async function proveFiring(
  hits: () => number,
  attach: () => Attachment,
  fire: () => void,
): Promise<Holder> {
  fire();
  expect(hits(), 'before it was attached').toBe(0);
  const attachment = attach();
  try {
    fire();
    await until(() => hits() > 0, 'it did not fire');
  } finally {
    attachment[Symbol.dispose]();
  }
  // The kernel lets go of a link a little after its last descriptor.
  let quiet = hits();
  await until(() => {
    const before = hits();
    fire();
    quiet = hits();
    return quiet === before;
  }, 'it fires after it was detached');
  return attachment.holder;
}

export async function until(condition: () => boolean, what: string, patienceMs = 3000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(what);
    await sleep(10);
  }
}

/** One system call of this process that nothing else makes it do. */
export function callGetpgid(): void {
  // Of 0 no security module is asked.
  invoke('getpgid', [process.pid]);
}
