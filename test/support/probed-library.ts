/** A library with a function `netkit_probed`, and the probe `netkit_test:hit`, loaded in this process. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/host/package-root.js';
import { ffi } from '../../src/sys/call.js';

export interface ProbedLibrary {
  readonly path: string;
  readonly call: (number: number) => number;
  readonly hit: (number: number) => void;
  /** What the probe's semaphore says. */
  readonly watched: () => number;
}

/** Compiles it into a folder, and loads it for as long as this process lasts. */
export function makeProbedLibrary(folder: string): ProbedLibrary {
  const path = join(folder, 'probed.so');
  const source = join(packageRoot(), 'test/fixtures/hooks/probed.c');
  execFileSync('clang', ['-shared', '-fPIC', '-O1', '-o', path, source]);
  const library = ffi().load(path);
  const call = library.func('int netkit_probed(int x)');
  const hit = library.func('void netkit_hit(int number)');
  const watched = library.func('unsigned short netkit_watched()');
  return {
    path,
    call: (number) => Number(call(number)),
    hit: (number) => {
      hit(number);
    },
    watched: () => Number(watched()),
  };
}
