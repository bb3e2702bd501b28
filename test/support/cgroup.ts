/** cgroups of a test, and this process in them. */
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachTypes } from '../../src/base/kernel-words.js';
import { Program } from '../../src/ebpf/program.js';
import { queriedPrograms } from '../../src/ebpf/queried-programs.js';
import { cgroupRoot } from '../../src/host/cgroup.js';
import type { AttachTypeWord } from '../../src/obj/sections.js';
import { SysError } from '../../src/sys/errno.js';
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

/**
 * The names of the programs that are attached to a cgroup. `bpftool cgroup show` of bpftool 7.1 shows none on kernels that do
 * not know all the attach types that it asks for.
 */
export function programsOnCgroup(path: string): string[] {
  const fd = openSync(path, 'r');
  try {
    return attachTypes
      .filter((type) => type.startsWith('cgroup_'))
      .flatMap((type) => programsAt(fd, type).map(nameOf));
  } finally {
    closeSync(fd);
  }
}

function programsAt(fd: number, attachType: AttachTypeWord): number[] {
  try {
    return queriedPrograms({ fd, attachType, most: 64, about: `ask what is on ${attachType}` });
  } catch (error) {
    if (error instanceof SysError && error.errnoName === 'EINVAL') return [];
    throw error;
  }
}

function nameOf(id: number): string {
  using program = Program.fromId(id);
  return program.info().name;
}
