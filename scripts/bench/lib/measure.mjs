// Runs the variants round by round, in random order, and keeps every sample.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const peakMemoryHook = fileURLToPath(new URL('peak-memory.cjs', import.meta.url));

/** Milliseconds; the longest steps work on ten million entries. */
const stepTimeout = 300_000;

/**
 * A chain is a list of steps that belong in this order, such as load before attach; each step has a `name` and a
 * `command`, and `peak: true` to measure memory in place of time, or `rate: true` when the command itself measures and
 * prints a number. In each round the steps of all chains are mixed at
 * random, so that neither a slow moment of the machine nor the order favours one of them.
 * @returns samples by the name of the step, one a round: milliseconds, for memory MB, or the number printed
 */
export function measure(chains, rounds, onRound) {
  const samples = new Map(chains.flat().map(({ name }) => [name, []]));
  // The first round fills the page cache and is thrown away.
  for (let round = 0; round <= rounds; round++) {
    const waiting = chains.map((chain) => [...chain]);
    while (waiting.length > 0) {
      const at = Math.floor(Math.random() * waiting.length);
      const step = waiting[at].shift();
      if (waiting[at].length === 0) waiting.splice(at, 1);
      const sample = step.peak ? peakMemory(step) : step.rate ? printedRate(step) : duration(step);
      if (round > 0) samples.get(step.name).push(sample);
    }
    onRound(round, rounds);
  }
  return samples;
}

/** From the start of the process until it ended. */
function duration({ name, command: { file, args, env } }) {
  const start = process.hrtime.bigint();
  const result = spawnSync(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: stepTimeout });
  const end = process.hrtime.bigint();
  check(name, result);
  return Number(end - start) / 1e6;
}

/**
 * The kernel's own mark of the most memory that was resident, read by the process as it exits. The ru_maxrss of
 * getrusage would be no less than what the benchmark itself had resident when it forked.
 */
function peakMemory({ name, command: { file, args, env } }) {
  const result = spawnSync(file, ['--require', peakMemoryHook, ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    timeout: stepTimeout,
  });
  check(name, result);
  return Number(result.output[3].toString()) / 1024;
}

function printedRate({ name, command: { file, args, env } }) {
  const result = spawnSync(file, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: stepTimeout,
  });
  check(name, result);
  const rate = Number(result.stdout);
  if (!(rate > 0)) throw new Error(`${name}: '${result.stdout.trim()}' is no rate`);
  return rate;
}

function check(name, { status, signal, stderr, error }) {
  if (status === 0) return;
  throw new Error(`${name}: ${error?.message ?? signal ?? `status ${status}`}: ${String(stderr).trim()}`);
}

/**
 * The median of a list, and its 95 % interval: the values so far from both ends that the median of what they are drawn from
 * lies beyond them less than once in twenty times, whatever its distribution (the sign test). Fewer than six have none.
 */
export function summarize(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  const beyond = mostBeyond(sorted.length);
  return beyond < 0 ? { median } : { median, low: sorted[beyond], high: sorted[sorted.length - 1 - beyond] };
}

/** How many values may be left out at either end; −1 when leaving out none is too many. */
function mostBeyond(count) {
  let probability = 2 ** -count;
  let sum = probability;
  let beyond = 0;
  for (; 2 * sum <= 0.05 && beyond < count / 2; beyond++) {
    probability *= (count - beyond) / (beyond + 1);
    sum += probability;
  }
  return beyond - 1;
}

function quantile(sorted, share) {
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

/** What the machine and the programs were. */
export function machine() {
  const cpu = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  const kernel = /^[\d.]+/.exec(readFileSync('/proc/sys/kernel/osrelease', 'utf8'))?.[0];
  return { kernel, node: process.version, cpu, at: new Date().toISOString() };
}
