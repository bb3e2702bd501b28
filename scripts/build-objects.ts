/**
 * Compiles the network functions of `bpf/` into the folder given, into its folder `parts` what netkit itself is made
 * of, and into `bench` what `netkit bench` sends and drops packets with. The package ships them: using them needs no compiler.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { NetkitError } from '../src/base/errors.js';
import { compile } from '../src/build/clang.js';

const sources = readdirSync('bpf').filter((file) => file.endsWith('.bpf.c'));
const [folder = 'dist/bpf'] = process.argv.slice(2);
for (const inner of ['parts', 'bench']) mkdirSync(`${folder}/${inner}`, { recursive: true });

/** Each version of libxdp's protocol has a dispatcher of its own. */
const dispatchers = ['2', '3'].map((version) => ({
  sources: ['bpf/parts/xdp-dispatcher.bpf.c'],
  output: `${folder}/parts/xdp-dispatcher-${version}.bpf.o`,
  defines: [`DISPATCHER_VERSION=${version}`],
}));
try {
  const functions = { sources: sources.map((file) => `bpf/${file}`), output: `${folder}/` };
  const parts = {
    sources: ['xdp-tail-root', 'reuseport-program'].map((part) => `bpf/parts/${part}.bpf.c`),
    output: `${folder}/parts/`,
  };
  const bench = {
    sources: readdirSync('bpf/bench')
      .filter((file) => file.endsWith('.bpf.c'))
      .map((file) => `bpf/bench/${file}`),
    output: `${folder}/bench/`,
  };
  for (const options of [functions, ...dispatchers, parts, bench]) {
    const { warnings } = await compile(options);
    for (const { file, line, message } of warnings) process.stderr.write(`${file}:${line}: ${message}\n`);
    if (warnings.length > 0) process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof NetkitError)) throw error;
  process.stderr.write(`the functions of bpf/ are not built: ${error.message}\n`);
  // Without a compiler everything else still works; a package is not made without them (scripts/check-pack.mjs).
  if (error.code !== 'tool-missing') process.exitCode = 1;
}
