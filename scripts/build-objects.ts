/** Compiles the network functions of `bpf/` into the folder given, which the package ships: using them needs no compiler. */
import { mkdirSync, readdirSync } from 'node:fs';
import { NetkitError } from '../src/base/errors.js';
import { compile } from '../src/build/clang.js';

const sources = readdirSync('bpf').filter((file) => file.endsWith('.bpf.c'));
const [folder = 'dist/bpf'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
try {
  const { warnings } = await compile({ sources: sources.map((file) => `bpf/${file}`), output: `${folder}/` });
  for (const { file, line, message } of warnings) process.stderr.write(`${file}:${line}: ${message}\n`);
  if (warnings.length > 0) process.exitCode = 1;
} catch (error) {
  if (!(error instanceof NetkitError)) throw error;
  process.stderr.write(`the functions of bpf/ are not built: ${error.message}\n`);
  // Without a compiler everything else still works; a package is not made without them (scripts/check-pack.mjs).
  if (error.code !== 'tool-missing') process.exitCode = 1;
}
