// `npm test [-- filter...]`: every test that this user can run here, a list of those that did not run and why, and last
// the line `N passed, N failed, N skipped`. NETKIT_TEST_BRIEF has a part of the tests of whole commands.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { briefTests } from './brief-tests.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const isRoot = process.getuid?.() === 0;
const isCi = process.env.CI === 'true';
const filters = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const unit = { name: 'unit and lint', projects: ['unit', 'lint'], root: false };
// One vitest after the other: both look at the same kernel objects.
const others = [
  { name: 'kernel', projects: ['kernel'], root: true },
  { name: 'e2e', projects: ['e2e'], root: true },
];
const total = { passed: 0, failed: 0, skipped: 0 };
const notes = [];
const problems = [];
const leftOut = process.env.NETKIT_TEST_BRIEF === undefined ? [] : notInBrief();
if (isRoot) {
  // Those have no use for a second processor: the unit tests, which touch no kernel object, run beside them, and are shown after.
  const shown = join(folder, 'unit.log');
  const beside = run(unit, shown);
  for (const stage of others) count(stage, await run(stage));
  const ended = await beside;
  console.log(readFileSync(shown, 'utf8'));
  count(unit, ended);
} else {
  count(unit, await run(unit));
  for (const stage of others) leaveOut(stage);
}
if (total.passed + total.failed + total.skipped === 0) {
  problem(filters.length > 0 ? `no test matches ${filters.join(' ')}` : 'no test ran');
}
for (const file of leftOut) notes.push(`${file} (the whole file): this is a brief run`);
if (isCi && !isRoot) {
  problem('CI=true, and the tests that need root did not run');
}
report();

/** Runs the tests of a stage, with their output in the file `shown` if there is one. @returns how that ended */
async function run(stage, shown) {
  const file = join(folder, `${stage.projects[0]}.json`);
  const started = Date.now();
  const output = shown === undefined ? 'inherit' : openSync(shown, 'w');
  const vitest = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=./test/support/summary-reporter.ts',
      ...stage.projects.map((project) => `--project=${project}`),
      ...(filters.length > 0 ? ['--passWithNoTests'] : []),
      ...leftOut.map((each) => `--exclude=${each}`),
      ...filters,
    ],
    { stdio: ['ignore', output, output], env: { ...process.env, NETKIT_TEST_SUMMARY: file } },
  );
  const [status, signal] = await new Promise((resolve) => vitest.once('close', (...how) => resolve(how)));
  if (shown !== undefined) closeSync(output);
  return { file, status, signal, seconds: (Date.now() - started) / 1000 };
}

function count(stage, { file, status, signal, seconds }) {
  console.log(`${stage.name}: ${seconds.toFixed(1)} s\n`);
  const summary = read(file);
  total.passed += summary?.passed ?? 0;
  total.failed += summary?.failed ?? 0;
  total.skipped += summary?.skipped ?? 0;
  for (const { test, reason } of summary?.skips ?? []) {
    if (reason === undefined) {
      problem(`${test} is skipped and says no reason`);
    } else {
      notes.push(`${test}: ${reason}`);
    }
  }
  // With filters vitest may find nothing to do in a stage, and then reports nothing.
  const nothingToDo = summary === undefined && filters.length > 0 && status === 0;
  if (!nothingToDo && (status !== 0 || summary === undefined) && (summary?.failed ?? 0) === 0) {
    problem(`the ${stage.name} tests ended with ${signal ?? `status ${status}`}`);
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Counts each test file of a stage that needs root as one that was skipped. */
function leaveOut(stage) {
  for (const file of stage.projects.flatMap(filesOf)) {
    total.skipped++;
    notes.push(`${file} (the whole file): needs root`);
  }
}

function notInBrief() {
  const files = filesOf('e2e');
  for (const file of briefTests)
    if (!files.includes(file)) problem(`a brief run wants ${file}, which is not there`);
  return files.filter((file) => !briefTests.includes(file));
}

function filesOf(project) {
  return readdirSync(join(root, 'test', project), { recursive: true })
    .map((name) => `test/${project}/${name}`)
    .filter((file) => file.endsWith('.test.ts'))
    .sort();
}

function problem(text) {
  total.failed++;
  problems.push(text);
}

function report() {
  if (notes.length > 0) {
    console.log(`Did not run:\n${notes.map((note) => `  ${note}`).join('\n')}`);
  }
  if (problems.length > 0) {
    console.log(`Failed beside the tests:\n${problems.map((text) => `  ${text}`).join('\n')}`);
  }
  const counts = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
  // .ci/run adds this up with its other checks, and prints the one line of that form itself.
  console.log(process.env.NETKIT_CI_STAGE === undefined ? counts : `tests: ${counts}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
