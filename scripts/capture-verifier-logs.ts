/**
 * Writes what this kernel's verifier says of the programs in test/fixtures/refused, as the unit tests read it:
 * `node scripts/run.mjs scripts/capture-verifier-logs.ts FOLDER [TEXT]`. With TEXT, appends those with that text in
 * `clang14/stack.bpf.o:padding`; without it, all but the slow ones. Needs to be root.
 */
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verify } from '../src/ebpf/verify.js';
import { packageRoot } from '../src/host/package-root.js';
import { ObjectSpec } from '../src/obj/spec.js';

/** Of a log that is longer, the beginning and the end. */
const longest = 8_000;
const [folder = '.', chosen] = process.argv.slice(2);
const objects = join(packageRoot(), 'test/fixtures/refused/objects');

for (const compiler of readdirSync(objects)) {
  const output = join(folder, `${compiler}.txt`);
  if (chosen === undefined) writeFileSync(output, '');
  for (const file of readdirSync(join(objects, compiler))) {
    const spec = ObjectSpec.readSync(join(objects, compiler, file));
    for (const { name } of spec.programs) {
      const label = `${compiler}/${file}:${name}`;
      if (chosen === undefined ? file === 'complex.bpf.o' : !label.includes(chosen)) continue;
      const verification = verify(spec, name);
      process.stdout.write(`${label}: ${verification.outcome}\n`);
      if (verification.outcome !== 'refused') continue;
      const log = shortened(verification.log);
      appendFileSync(output, `=== ${file.replace(/\.bpf\.o$/, '')} ${name}\n${log.trimEnd()}\n`);
    }
  }
}

function shortened(log: string): string {
  if (log.length <= longest) return log;
  const half = longest / 2;
  return `${log.slice(0, log.lastIndexOf('\n', half) + 1)}${log.slice(log.indexOf('\n', log.length - half) + 1)}`;
}
