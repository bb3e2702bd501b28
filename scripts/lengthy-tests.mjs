/**
 * Test files that kill commands at each of their steps, or run many at a time, and take minutes. `npm test` runs them all.
 * They are left out of virtual machines, which emulation makes slow. The numbers are those of a usual run, which looks at a
 * sample of the steps; with NETKIT_TEST_THOROUGH there are several times as many.
 */
export const lengthyTests = {
  'test/e2e/killed.test.ts': 'kills some hundred commands',
  'test/e2e/killed-hooks.test.ts': 'kills some hundred and thirty commands',
  'test/e2e/killed-kinds.test.ts': 'kills some seventy commands',
  'test/e2e/killed-plans.test.ts': 'kills eight commands at some of their steps',
  'test/e2e/killed-update.test.ts': 'kills some hundred commands',
  'test/e2e/killed-tables.test.ts': 'kills some sixty commands',
  'test/e2e/killed-all.test.ts': 'kills two commands at each of their steps',
  'test/e2e/killed-reboot.test.ts': 'kills five commands at each of their steps',
  'test/e2e/killed-replace.test.ts': 'kills some thirty commands',
  'test/e2e/apply-killed.test.ts': 'kills some thirty commands',
  'test/e2e/apply-killed-upgrade.test.ts': 'kills some thirty commands',
  'test/e2e/apply-killed-random.test.ts': 'kills sixteen commands',
  'test/e2e/apply-killed-reboot.test.ts': 'kills twenty commands, with a reboot after each',
  'test/e2e/killed-moves.test.ts': 'kills some forty commands',
  'test/e2e/xdp-chain-killed.test.ts': 'kills some fifty commands',
  'test/e2e/xdp-tail-chain-killed.test.ts': 'kills some fifty commands',
  'test/e2e/confirm-killed.test.ts': 'kills some forty commands',
  'test/e2e/replace-killed.test.ts': 'kills imports, at moments that a slower machine stretches',
  'test/e2e/batch-atomic.test.ts': 'kills some thirty batches',
  'test/e2e/bench-cli.test.ts': 'starts some two hundred commands',
  'test/e2e/bench-killed.test.ts': 'kills some ten benchmarks while they measure',
  'test/e2e/bench-latency.test.ts': 'measures for half a minute',
  'test/e2e/bench-maps.test.ts': 'measures for half a minute',
  'test/e2e/bench-probes.test.ts': 'attaches every kind of probe some ten times',
  'test/e2e/bench-sockmap.test.ts': 'measures for half a minute',
  'test/e2e/bench-program.test.ts': 'measures for most of a minute',
  'test/e2e/watch-burst.test.ts': 'makes six hundred interfaces',
  'test/e2e/order.test.ts': 'runs some four hundred commands; order-kinds.test.ts has each kind of hook',
  'test/e2e/order-concurrent.test.ts': 'runs ten commands at a time',
  'test/e2e/concurrent.test.ts': 'runs ten commands at a time',
  'test/e2e/foreign-survives.test.ts': 'runs some two hundred commands',
};
