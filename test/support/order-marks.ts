/** Programs that write down in which order they run: copies of test/fixtures/order.bpf.c with one pair of maps. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scope } from '../../src/base/scope.js';
import { compile } from '../../src/build/clang.js';
import { load } from '../../src/ebpf/load.js';
import type { BpfMap } from '../../src/ebpf/map.js';
import type { Program } from '../../src/ebpf/program.js';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';

/** Makes programs `1`, `2`, … of one kind. Disposing closes them and their maps. */
export class MarkedPrograms implements Disposable {
  readonly #scope = new Scope();
  readonly #path: string;
  readonly #name: string;
  #maps: ReadonlyMap<string, BpfMap> | undefined;

  private constructor(path: string, name: string, folder: string) {
    this.#path = path;
    this.#name = name;
    this.#scope.defer(() => rmSync(folder, { recursive: true }));
  }

  /** @param name of the program in order.bpf.c */
  static async compile(name: string): Promise<MarkedPrograms> {
    const folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
    const output = join(folder, 'order.bpf.o');
    await compile({ sources: ['test/fixtures/order.bpf.c'], output, cwd: packageRoot() });
    return new MarkedPrograms(output, name, folder);
  }

  /** A program that signs with `mark`. */
  make(mark: number): Program {
    const spec = ObjectSpec.readSync(this.#path);
    spec.only([this.#name]);
    spec.globals.set('mark', String(mark));
    const object = this.#scope.use(load(spec, this.#maps === undefined ? {} : { reuse: this.#maps }));
    this.#maps ??= new Map(['count', 'marks'].map((name) => [name, object.map(name)] as const));
    return object.program(this.#name);
  }

  /** The marks since the last call, in the order in which they were written. */
  taken(): number[] {
    const count = this.#maps?.get('count');
    const marks = this.#maps?.get('marks');
    if (count === undefined || marks === undefined) throw new Error('no program was made');
    const written = Array.from({ length: Number(count.get(0)) }, (_, at) => Number(marks.get(at)));
    count.set(0, 0);
    return written;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
