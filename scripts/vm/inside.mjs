// Runs inside of a virtual machine: the tests that need a kernel. `inside.mjs [--quick] [--name=PATTERN] [filter...]`
import { appendFileSync } from 'node:fs';
import { startVitest } from 'vitest/node';
import { CaseLog } from './case-log.mjs';
import { leftOut } from './left-out.mjs';

/** Emulation makes everything about this much slower. */
const slowness = 10;
const log = '/run/netkit-vm/cases.jsonl';

// What is missing in there fails, unless the kernel is known to be without.
process.env.CI = 'true';
// The checkout's own folder would go with the machine.
process.env.NETKIT_TEST_RESULTS = '/run/netkit-vm';
const words = process.argv.slice(2);
const name = words.find((word) => word.startsWith('--name='))?.slice('--name='.length);
const filters = words.filter((word) => !word.startsWith('--'));
// One after the other: both look at the same kernel objects.
const stages = [
  { project: 'kernel', filters },
  { project: 'e2e', filters: words.includes('--quick') && filters.length === 0 ? ['operate'] : filters },
];
let failed = false;
for (const stage of stages) {
  const vitest = await startVitest('test', stage.filters, {
    project: [stage.project],
    watch: false,
    cliExclude: filters.length > 0 ? [] : Object.keys(leftOut),
    passWithNoTests: filters.length > 0,
    ...(name === undefined ? {} : { testNamePattern: name }),
    testTimeout: 60_000 * slowness,
    hookTimeout: 60_000 * slowness,
    reporters: [['default', { summary: false }], new CaseLog(log, name)],
  });
  failed ||= process.exitCode !== undefined && process.exitCode !== 0;
  await vitest.close();
}
// Without this line the run was cut short.
appendFileSync(log, `${JSON.stringify({ end: true })}\n`);
process.exit(failed ? 1 : 0);
