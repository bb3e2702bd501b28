import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scope } from '../../src/base/scope.js';
import { compile } from '../../src/build/clang.js';
import { load } from '../../src/ebpf/load.js';
import type { LoadedObject } from '../../src/ebpf/loaded-object.js';
import { packageRoot } from '../../src/host/package-root.js';
import { type Codec, codecFor, type Value } from '../../src/obj/codec/index.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { makeBpffs, type TestBpffs } from './bpffs.js';

const packet = new Uint8Array(64);

/** test/fixtures/events.bpf.c, compiled once. */
export class EventSource implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), `netkit-test-${process.pid}-`));
  readonly object = join(this.folder, 'events.bpf.o');

  static async compile(): Promise<EventSource> {
    const source = new EventSource();
    const { warnings } = await compile({
      sources: ['test/fixtures/events.bpf.c'],
      output: source.object,
      cwd: packageRoot(),
    });
    if (warnings.length > 0) throw new Error(JSON.stringify(warnings));
    return source;
  }

  /** Loads it. @param ringBytes of `events` @param slowTurns loads `slow` too, with so many turns */
  load(ringBytes = 64 * 1024, slowTurns?: number): Producer {
    const spec = ObjectSpec.readSync(this.object);
    spec.setMapSize('events', ringBytes);
    if (slowTurns !== undefined) {
      spec.globals.set('slow_turns', slowTurns);
      spec.only(spec.programs.map(({ name }) => name));
    }
    return new Producer(spec, load(spec));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Its programs, which write a record a run. */
export class Producer implements Disposable {
  readonly loaded: LoadedObject;
  readonly #spec: ObjectSpec;

  constructor(spec: ObjectSpec, loaded: LoadedObject) {
    this.#spec = spec;
    this.loaded = loaded;
  }

  codec(struct = 'event'): Codec {
    const type = this.#spec.btf?.find(struct, 'struct');
    if (this.#spec.btf === undefined || type === undefined) throw new Error(`no struct ${struct}`);
    return codecFor(this.#spec.btf, type.id);
  }

  /** Runs a program in the kernel, on this CPU. */
  run(program: string, times = 1): void {
    this.loaded.program(program).testRun({ data: packet, repeat: times });
  }

  /** How many records were attempted. */
  attempts(): bigint {
    const value = this.loaded.map('attempts').get(0);
    if (typeof value !== 'object' || Array.isArray(value) || typeof value.number !== 'bigint') {
      throw new Error(`attempts: ${String(value)}`);
    }
    return value.number;
  }

  [Symbol.dispose](): void {
    this.loaded[Symbol.dispose]();
  }
}

/** Runs programs in other processes, beside this one. */
export class Elsewhere implements Disposable {
  readonly bpffs: TestBpffs;
  readonly #data: string;
  readonly #scope: Scope;

  constructor(producer: Producer, programs: readonly string[]) {
    using scope = new Scope();
    this.bpffs = scope.use(makeBpffs());
    this.#data = join(this.bpffs.folder, 'packet');
    writeFileSync(this.#data, packet);
    for (const name of programs) producer.loaded.program(name).pin(join(this.bpffs.root.path, name));
    this.#scope = scope.move();
  }

  /** @returns when the program has run so often */
  run(program: string, times: number, cpu?: number): Promise<void> {
    const [command = '', ...args] = this.#command(program, times, cpu);
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    return new Promise((resolve, reject) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`${status}: ${said}`))));
    });
  }

  /** Likewise, while this process waits. */
  runSync(program: string, times: number, cpu?: number): void {
    const [command = '', ...args] = this.#command(program, times, cpu);
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${status}: ${stderr}`);
  }

  #command(program: string, times: number, cpu: number | undefined): string[] {
    const pinned = ['pinned', join(this.bpffs.root.path, program)];
    const run = ['bpftool', 'prog', 'run', ...pinned, 'data_in', this.#data, 'repeat', String(times)];
    return cpu === undefined ? run : ['taskset', '-c', String(cpu), ...run];
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}

/** The number in a record of `struct event`, which must be whole. */
export function numberOf(record: Value): number {
  if (typeof record !== 'object' || Array.isArray(record)) throw new Error(`a record: ${String(record)}`);
  const { number, twice } = record;
  if (typeof number !== 'bigint' || twice !== number * 2n)
    throw new Error(`half a record: ${number}, ${twice}`);
  return Number(number);
}

/** What `work` throws, or undefined. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
