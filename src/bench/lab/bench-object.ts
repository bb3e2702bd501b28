/** The programs that benchmarks send and drop packets with: they come with netkit, compiled. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { packageRoot } from '../../host/package-root.js';
import { ObjectSpec } from '../../obj/spec.js';

export type BenchObjectName =
  | 'sender'
  | 'drop'
  | 'maps'
  | 'chain'
  | 'latency'
  | 'upgrade'
  | 'probes'
  | 'sockmap';

/** @throws NetkitError `not-found` in a checkout that was built without clang */
export function benchObject(name: BenchObjectName): ObjectSpec {
  const path = join(packageRoot(), 'dist/bpf/bench', `${name}.bpf.o`);
  if (existsSync(path)) return ObjectSpec.readSync(path);
  throw new NetkitError('not-found', `'${path}', which benchmarks need, is missing`, {
    hint: 'build netkit with clang installed: npm run build',
  });
}
