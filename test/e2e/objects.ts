/** Objects that the tests of a block compile once, before the first of them. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { compile } from '../../src/build/clang.js';
import { packageRoot } from '../../src/host/package-root.js';

export class Objects implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), `netkit-test-${process.pid}-`));

  /** Compiles a C file of the project (its path from the root). @returns the object's path */
  async compile(source: string, defines: readonly string[] = []): Promise<string> {
    const output = join(this.folder, `${basename(source).replace(/\.c$/, '')}${defines.join('')}.o`);
    await compile({ sources: [source], output, cwd: packageRoot(), defines });
    return output;
  }

  /** A copy under another name. */
  copy(object: string, name: string): string {
    const path = join(this.folder, `${name}.bpf.o`);
    copyFileSync(object, path);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Has `work` compile what the tests of this block need; the folder is there until the last of them has ended. */
export function compileBeforeAll(work: (objects: Objects) => Promise<void>): void {
  let objects: Objects | undefined;
  beforeAll(async () => {
    objects = new Objects();
    await work(objects);
  });
  afterAll(() => objects?.[Symbol.dispose]());
}
