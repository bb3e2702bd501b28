// What a test file is about, for the matrix that `npm run test:vm` prints: capability × kernel. capabilities.json has the rows in
// their order, and the names of the files of each, without folder and `.test.ts`; `*` stands for any text. A test sees to it
// that each file of test/kernel and test/e2e is about exactly one.
import { readFileSync } from 'node:fs';

/** @type {Record<string, string[]>} */
const capabilities = JSON.parse(readFileSync(new URL('capabilities.json', import.meta.url), 'utf8'));

const patterns = Object.entries(capabilities).flatMap(([capability, names]) =>
  names.map((name) => ({ capability, pattern: new RegExp(`^${name.replaceAll('*', '.*')}$`) })),
);

/** @param file the path of a file of tests */
function capabilityOf(file) {
  const name = file
    .split('/')
    .at(-1)
    .replace(/\.test\.ts$/, '');
  return patterns.find(({ pattern }) => pattern.test(name))?.capability;
}

/**
 * @param cases by kernel, what `outcome` has of each test
 * @returns the lines of a table: for each capability and kernel how many passed, failed and could not run
 */
export function capabilityMatrix(cases) {
  const kernels = [...cases.keys()];
  const width = Math.max(...Object.keys(capabilities).map((name) => name.length)) + 2;
  const rows = [`${'capability'.padEnd(width)}${kernels.map((name) => name.padEnd(22)).join('')}`];
  for (const capability of Object.keys(capabilities)) {
    const counts = kernels.map((name) => {
      const own = cases.get(name).filter(({ test }) => capabilityOf(test.split(' > ')[0]) === capability);
      const of = (verdict) => own.filter((each) => each.verdict === verdict).length;
      return { passed: of('passed'), failed: of('failed'), cannot: of('cannot') };
    });
    if (counts.every(({ passed, failed, cannot }) => passed + failed + cannot === 0)) {
      continue;
    }
    rows.push(
      `${capability.padEnd(width)}${counts.map((count) => cell(count).padEnd(22)).join('')}`.trimEnd(),
    );
  }
  return rows;
}

function cell({ passed, failed, cannot }) {
  if (passed + failed + cannot === 0) {
    return 'not run';
  }
  const words = [
    [passed, 'passed'],
    [failed, 'FAILED'],
    [cannot, 'cannot'],
  ];
  return words.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(', ');
}
