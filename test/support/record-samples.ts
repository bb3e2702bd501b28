// Measures the same thing again and again, for test/fixtures/bench: what the noise of a machine looks like. `node scripts/run.mjs
// test/support/record-samples.ts program|computing SLICES [SECONDS]` writes the document to standard output.
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { load } from '../../src/ebpf/load.js';
import type { Program } from '../../src/ebpf/program.js';
import { ObjectSpec } from '../../src/obj/spec.js';

const [kind = 'computing', slices = '100', seconds = '0.04'] = process.argv.slice(2);

/** Nanoseconds that one run of a tc program takes: the mean of as many calls as fit. */
function runs(program: Program, until: number): number {
  const data = new Uint8Array(64);
  let sum = 0;
  let calls = 0;
  do {
    sum += program.testRun({ data, repeat: 10_000 }).nsPerRun;
    calls++;
  } while (performance.now() < until);
  return sum / calls;
}

/** Rounds of work a second, in user space. */
function rounds(until: number): number {
  const text = 'x'.repeat(256);
  const started = performance.now();
  let done = 0;
  do {
    for (let time = 0; time < 50; time++) hash('sha1', text);
    done += 50;
  } while (performance.now() < until);
  return Math.round((done * 1000) / (performance.now() - started));
}

using object = kind === 'program' ? load(await ObjectSpec.read('test/fixtures/objects/tc.bpf.o')) : undefined;
const [program] = object?.programs.values() ?? [];
const measure = (until: number): number => (program === undefined ? rounds(until) : runs(program, until));

/** Time of all CPUs in ticks, and how much of it the hypervisor gave to others. */
function ticks(): { readonly all: number; readonly stolen: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  const fields = line.split(/\s+/).slice(1, 9).map(Number);
  return { all: fields.reduce((sum, one) => sum + one, 0), stolen: fields[7] ?? 0 };
}

measure(performance.now() + 500);
const before = ticks();
const values = Array.from({ length: Number(slices) }, () =>
  Number(measure(performance.now() + Number(seconds) * 1000).toPrecision(6)),
);
const after = ticks();
const load1 = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
const steal = (after.stolen - before.stolen) / (after.all - before.all);
const record = { kind, seconds: Number(seconds), load: load1, steal: Number(steal.toFixed(4)), values };
process.stdout.write(`${JSON.stringify(record)}\n`);
