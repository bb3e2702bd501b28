// What a machine's tests came to.
import { readFileSync } from 'node:fs';

/**
 * @param log the lines of case-log.mjs
 * @param machine whether it `timedOut`, how many `minutes` it had, and QEMU's `ending`
 * @returns whether the tests `ended`; numbers of tests passed, failed and skipped; what failed and why; how many were
 *   skipped for which reason; of each test whether it `passed`, `failed`, or `cannot` run there
 */
export function outcome(log, { timedOut, minutes, ending }) {
  const result = {
    ended: false,
    passed: 0,
    failed: 0,
    skipped: 0,
    failures: [],
    reasons: new Map(),
    slow: [],
    cases: [],
  };
  const fail = (what, errors) => {
    result.failed++;
    result.failures.push({ what, errors });
  };
  const running = new Set();
  let file = 'before the first file';
  for (const record of records(log)) {
    if (record.file !== undefined) {
      file = record.file;
    } else if (record.start !== undefined) {
      running.add(record.start);
    } else if (record.problem !== undefined) {
      fail('beside the tests', [record.problem]);
    } else if (record.end) {
      result.ended = true;
    } else {
      running.delete(record.test);
      addCase(result, record, fail);
    }
  }
  if (!result.ended) {
    const last = `; running was ${running.size > 0 ? [...running].join(', ') : file}`;
    fail(
      timedOut
        ? `stopped after ${minutes} minutes${last}`
        : `the machine ended before its tests did (QEMU: ${ending})${last}`,
      [],
    );
  } else if (result.passed + result.failed === 0) {
    fail('no test ran', []);
  }
  result.slow.sort((a, b) => b.seconds - a.seconds);
  return result;
}

function addCase(result, { test, state, reason, seconds, errors }, fail) {
  result.slow.push({ test, seconds });
  if (state === 'passed') {
    result.passed++;
    result.cases.push({ test, verdict: 'passed' });
  } else if (state === 'skipped' && reason !== undefined) {
    result.skipped++;
    result.reasons.set(reason, (result.reasons.get(reason) ?? 0) + 1);
    result.cases.push({ test, verdict: 'cannot' });
  } else {
    result.cases.push({ test, verdict: 'failed' });
    fail(test, state === 'skipped' ? ['skipped without a reason'] : errors);
  }
}

function records(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  // The last line may be half written.
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      return [];
    }
  });
}
