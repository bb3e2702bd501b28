/** Loads fixtures in a process of its own, whose terminal shows what libbpf prints: `load-probe.ts NAME…`. */
import { join } from 'node:path';
import { NetkitError } from '../../../src/base/errors.js';
import { load } from '../../../src/ebpf/load.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';

function outcomeOf(name: string): string {
  try {
    using _object = load(ObjectSpec.readSync(join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`)));
    return 'loaded';
  } catch (error) {
    if (error instanceof NetkitError) return error.code;
    throw error;
  }
}

for (const name of process.argv.slice(2)) process.stdout.write(`${name} ${outcomeOf(name)}\n`);
