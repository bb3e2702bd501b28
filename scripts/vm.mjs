// `npm run test:vm -- [KERNEL...] [--quick] [--fresh] [--jobs=N] [--minutes=N] [--filter=TEXT] [--name=PATTERN]
// [--verbose]`: the kernel and end-to-end tests on other kernels, each in a virtual machine. Without KERNEL, on all of them.
//   --quick     only test/kernel and the end-to-end tests of operating a function
//   --filter    only test files whose path contains this text
//   --name      only tests whose whole name fits this regular expression
//   --fresh     fetches the newest kernels of the suites instead of using those in the cache
//   --jobs      how many machines at a time; 1 unless told
//   --minutes   after which a machine is stopped; 20 unless told
//   --run       runs this shell command instead of the tests, and prints what it prints
//   --verbose   prints the machines' consoles; they are always in .cache/vm/KERNEL/console.log
// NETKIT_TEST_THOROUGH and NETKIT_TEST_SEED are what they are to `npm test`.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { capabilityMatrix } from './vm/capabilities.mjs';
import { initramfs } from './vm/initramfs.mjs';
import { busybox, kernel, suites } from './vm/kernels.mjs';
import { leftOut } from './vm/left-out.mjs';
import { runMachine } from './vm/machine.mjs';
import { outcome } from './vm/outcome.mjs';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const known = Object.keys(suites);
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    run: { type: 'string' },
    name: { type: 'string' },
    filter: { type: 'string', multiple: true, default: [] },
    jobs: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '20' },
  },
});
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`vm: there is no kernel ${unknown.join(' ')}; those known are ${known.join(' ')}`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error(
    "vm: needs root: tests inside are root, and read the host's files as whoever started the machine",
  );
  process.exit(2);
}

for (const [signal, status] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
  // Its machines end with it.
  process.on(signal, () => process.exit(status));
}
const waiting = positionals.length > 0 ? [...positionals] : [...known];
const order = [...waiting];
const results = new Map();
await Promise.all(
  Array.from({ length: Number(options.jobs) }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      results.set(name, await testUntilEnd(name).catch(couldNotRun));
      report(name, results.get(name));
    }
  }),
);
matrix();
const failed = [...results.values()].some((result) => result.failed > 0);
process.exitCode = failed ? 1 : 0;

/**
 * A machine that goes down under its tests (a panic, or QEMU's own end) is started once more, for the causes of that were
 * emulation's until now (scripts/vm/machine.mjs). It is said, with the end of its console; the second time it is a failure.
 */
async function testUntilEnd(name) {
  const first = await test(name);
  if (options.run !== undefined || first.ended || first.timedOut) return first;
  report(name, first);
  say(name, 'the machine went down by itself, and is started once more');
  return test(name);
}

async function test(name) {
  const folder = join(root, '.cache/vm', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'results'), { recursive: true });
  const { release, image, modules } = kernel(name, options.fresh);
  const settings = {
    CHECKOUT: root,
    MINUTES: options.minutes,
    COMMAND:
      options.run ?? [...passedOn(), process.execPath, 'scripts/vm/inside.mjs', ...narrowed()].join(' '),
  };
  const initial = join(folder, 'initramfs');
  writeFileSync(initial, initramfs(modules, busybox(), settings));
  say(name, `Linux ${release} …`);
  const started = Date.now();
  const minutes = Number(options.minutes);
  const { timedOut, ending } = await runMachine({
    image,
    initramfs: initial,
    folder,
    timeoutMs: minutes * 60_000,
    onLine: (line) => {
      if (options.verbose || options.run !== undefined || /^netkit-vm: /.test(line)) {
        say(name, line);
      }
    },
  });
  rmSync(initial);
  keepResults(join(folder, 'results'));
  if (options.run !== undefined) {
    const ended = {
      passed: 0,
      failed: timedOut ? 1 : 0,
      skipped: 0,
      failures: [],
      reasons: new Map(),
      slow: [],
      cases: [],
    };
    return { release, seconds: (Date.now() - started) / 1000, folder, ...ended };
  }
  const result = outcome(join(folder, 'results/cases.jsonl'), { timedOut, minutes, ending });
  return { release, seconds: (Date.now() - started) / 1000, folder, timedOut, ...result };
}

/** Words for inside.mjs, of a shell. */
function narrowed() {
  const name = options.name?.replaceAll("'", "'\\''");
  return [
    ...(options.quick ? ['--quick'] : []),
    ...(name === undefined ? [] : [`'--name=${name}'`]),
    ...options.filter,
  ];
}

/** Settings of the tests, as words in front of a command of the shell. */
function passedOn() {
  return ['NETKIT_TEST_THOROUGH', 'NETKIT_TEST_SEED'].flatMap((name) =>
    process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`],
  );
}

/** What tests wrote for the documentation: docs/hooks-matrix.md is made of it. */
function keepResults(folder) {
  mkdirSync(join(root, 'test-results'), { recursive: true });
  for (const file of readdirSync(folder).filter((name) => /^hooks-.*\.json$/.test(name))) {
    copyFileSync(join(folder, file), join(root, 'test-results', file));
  }
}

/** That one kernel cannot be fetched or booted says nothing of the others. */
function couldNotRun(error) {
  const failures = [{ what: 'before the tests', errors: [error.message] }];
  return {
    release: '?',
    seconds: 0,
    passed: 0,
    failed: 1,
    skipped: 0,
    failures,
    reasons: new Map(),
    slow: [],
    cases: [],
  };
}

function report(name, { seconds, ended, passed, failed, skipped, failures, folder, slow }) {
  for (const { what, errors } of failures) {
    say(name, `FAILED ${what}`);
    for (const line of errors.flatMap((text) => text.split('\n').slice(0, 12))) {
      say(name, `    ${line}`);
    }
  }
  if (folder !== undefined && !ended && !options.verbose && options.run === undefined) {
    const tail = readFileSync(join(folder, 'console.log'), 'utf8').trimEnd().split('\n').slice(-30);
    say(name, `the end of ${join(folder, 'console.log')}:\n${tail.join('\n')}`);
  }
  if (options.verbose) {
    for (const { test, seconds } of slow.slice(0, 10)) {
      say(name, `${seconds.toFixed(1).padStart(7)} s  ${test}`);
    }
  }
  say(name, `${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds.toFixed(0)} s`);
}

/** Kernel by kernel, then capability by kernel, and below it the reasons why tests could not run where. */
function matrix() {
  const columns = (cells) =>
    `${cells[0].padEnd(8)}${cells[1].padEnd(24)}${cells
      .slice(2)
      .map((cell) => cell.padStart(9))
      .join('')}`;
  console.log(`\n${columns(['kernel', 'release', 'passed', 'failed', 'skipped', 'seconds'])}`);
  const reasons = new Map();
  for (const name of order) {
    const { release, passed, failed, skipped, seconds, reasons: own } = results.get(name);
    console.log(columns([name, release, ...[passed, failed, skipped, seconds.toFixed(0)].map(String)]));
    for (const [reason, count] of own) {
      // The release in it would make one reason into several.
      const text = reason.replace(/ \(this is [^)]*\)/, '');
      reasons.set(text, [...(reasons.get(text) ?? []), `${name} (${count})`]);
    }
  }
  if (options.run === undefined) {
    const cases = new Map(order.map((name) => [name, results.get(name).cases]));
    console.log(`\n${capabilityMatrix(cases).join('\n')}`);
  }
  if (reasons.size > 0) {
    console.log('\nCannot, because a test');
    for (const [reason, where] of reasons) {
      console.log(`  ${reason}: on ${where.join(', ')}`);
    }
  }
  if (options.filter.length === 0) {
    console.log('\nLeft out everywhere:');
    for (const [file, reason] of Object.entries(leftOut)) {
      console.log(`  ${file}: ${reason}`);
    }
  }
}

function say(name, text) {
  console.log(`${name.padEnd(5)}| ${text}`);
}
