/** cgroups of a test, and this process in them. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from '../../src/host/cgroup.js';
import { uniqueName } from './netns.js';

/** A cgroup of its own below the root of the tree. Disposing removes it. */
export class TestCgroup implements Disposable {
  readonly path: string;

  constructor() {
    const root = cgroupRoot();
    if (root === undefined) throw new Error('no cgroup v2 tree is mounted');
    this.path = join(root, uniqueName());
    mkdirSync(this.path);
  }

  /** Runs `work` with this whole process in the cgroup. */
  inside<T>(work: () => T): T {
    const root = cgroupRoot() ?? '';
    const before = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    writeFileSync(join(this.path, 'cgroup.procs'), String(process.pid));
    try {
      return work();
    } finally {
      writeFileSync(join(root, before, 'cgroup.procs'), String(process.pid));
    }
  }

  [Symbol.dispose](): void {
    rmdirSync(this.path);
  }
}
