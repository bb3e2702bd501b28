import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../src/build/clang.js';
import { packageRoot } from '../../src/host/package-root.js';

/** Objects of the sources beside this file, until it ends. */
export class Compiled {
  readonly #folder = mkdtempSync(join(tmpdir(), 'netkit-verdicts-'));

  /** @returns the object's path */
  async object(source: string, name: string, defines: readonly string[]): Promise<string> {
    const output = join(this.#folder, `${name}.bpf.o`);
    const sources = [join(packageRoot(), 'scripts/verdicts', source)];
    await compile({ sources, output, cwd: packageRoot(), defines: [...defines] });
    return output;
  }

  end(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
