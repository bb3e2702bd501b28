import { lengthyTests } from '../lengthy-tests.mjs';

/** Test files that stay out of the virtual machines, and why; `--filter` with their name runs them all the same. */
export const leftOut = {
  ...lengthyTests,
  'test/kernel/build.test.ts': 'compiles only, for no kernel in particular',
  'test/e2e/build.test.ts': 'compiles only, for no kernel in particular',
  'test/e2e/inspect.test.ts': 'reads object files only',
  'test/e2e/gen-types.test.ts': 'reads object files only, and compiles TypeScript',
};
