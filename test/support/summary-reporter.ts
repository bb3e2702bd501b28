import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

/** What one run of vitest came to; `scripts/test.mjs` adds these up. */
export interface Summary {
  passed: number;
  failed: number;
  skipped: number;
  /** Each skipped test by its full name, with the reason that it gave. */
  skips: { test: string; reason: string | undefined }[];
}

/**
 * Writes a `Summary` as JSON to the file that `NETKIT_TEST_SUMMARY` names. vitest's own JSON report leaves out why a
 * test was skipped.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const summary: Summary = { passed: 0, failed: unhandled.length, skipped: 0, skips: [] };
    for (const module of modules) {
      // Errors of the file itself: it does not import, or a hook outside the tests threw.
      summary.failed += module.errors().length;
      for (const suite of module.children.allSuites()) {
        summary.failed += suite.errors().length;
      }
      for (const test of module.children.allTests()) {
        add(summary, module, test);
      }
    }
    const file = process.env.NETKIT_TEST_SUMMARY;
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(summary));
    }
  }
}

function add(summary: Summary, module: TestModule, test: TestCase): void {
  const result = test.result();
  switch (result.state) {
    case 'passed':
      summary.passed++;
      break;
    case 'skipped':
      if (result.note === undefined && wasCutOff(test)) {
        summary.failed++;
        break;
      }
      summary.skipped++;
      summary.skips.push({
        test: `${relative(process.cwd(), module.moduleId)} > ${test.fullName}`,
        reason: result.note ?? groupReason(test),
      });
      break;
    // A test that never ran (the run was cut short) has not passed.
    default:
      summary.failed++;
  }
}

/** Whether a hook around this test failed, so that it never ran. */
function wasCutOff(test: TestCase): boolean {
  for (let around = test.parent; ; around = around.parent) {
    if (around.errors().length > 0) {
      return true;
    }
    if (around.type === 'module') {
      return false;
    }
  }
}

/** The reason that `describeWith` puts into the name of a group that it skips. */
function groupReason(test: TestCase): string | undefined {
  return /\[(needs [^\]]+)\]/.exec(test.fullName)?.[1];
}
