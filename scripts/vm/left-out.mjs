/** Test files that stay out of the virtual machines, and why: each would take minutes under emulation. */
export const leftOut = {
  'test/kernel/build.test.ts': 'compiles only, for no kernel in particular',
  'test/e2e/build.test.ts': 'compiles only, for no kernel in particular',
  'test/e2e/killed.test.ts': 'kills some hundred commands: an hour; --filter=killed runs it all the same',
  'test/e2e/xdp-chain-killed.test.ts':
    'kills some hundred commands; --filter=xdp-chain-killed runs it all the same',
  'test/e2e/replace-killed.test.ts': 'kills a hundred imports at moments that emulation stretches',
  'test/e2e/batch-atomic.test.ts': 'kills some forty batches',
  'test/e2e/order.test.ts': 'runs some four hundred commands; order-kinds.test.ts has each kind of hook',
  'test/e2e/order-concurrent.test.ts': 'runs ten commands at a time on two processors that are emulated',
  'test/e2e/inspect.test.ts': 'reads object files only',
  'test/e2e/gen-types.test.ts': 'reads object files only, and compiles TypeScript',
};
