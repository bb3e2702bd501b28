/** Test files that stay out of the virtual machines, and why: each would take minutes under emulation. */
export const leftOut = {
  'test/kernel/build.test.ts': 'compiles only, for no kernel in particular',
  'test/e2e/build.test.ts': 'compiles only, for no kernel in particular',
  'test/e2e/inspect.test.ts': 'reads object files only',
};
