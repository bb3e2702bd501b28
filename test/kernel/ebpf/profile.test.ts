import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookAvailable } from '../../../src/ebpf/feature.js';
import type { LoadedObject } from '../../../src/ebpf/loaded-object.js';
import { type Counter, hardwareCounters, isCounted } from '../../../src/ebpf/profile/counters.js';
import { syntheticPacket } from '../../../src/ebpf/profile/empty-program.js';
import { type Profile, type ProfileOptions, profile } from '../../../src/ebpf/profile/index.js';
import { median } from '../../../src/ebpf/profile/measurement.js';
import type { Program } from '../../../src/ebpf/program.js';
import { uapi } from '../../../src/sys/uapi.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../support/kernel-state.js';
import { loadSource } from '../../support/load-source.js';
import { describeAsRoot, itWith } from '../../support/requirements.js';

const packet = syntheticPacket();
const programs = ['slow', 'slow_tc'];

/** Machines that have no hardware counters can try the ways to them with this one. */
const cpuClock: Counter = {
  name: 'cpu-clock',
  type: uapi.PERF_TYPE_SOFTWARE,
  config: uapi.PERF_COUNT_SW_CPU_CLOCK,
};

/** Runs a program all the while that it is measured, `times` runs a turn. */
async function underLoad(
  program: Program,
  options: ProfileOptions,
  times: number,
): Promise<Profile & { ran: number }> {
  let [ran, over] = [0, false];
  const measuring = profile(program, options).finally(() => {
    over = true;
  });
  while (!over) {
    program.testRun({ data: packet, repeat: times });
    ran += times;
    await nextTurn();
  }
  return { ...(await measuring), ran };
}

describeAsRoot(
  'measuring a program',
  () => {
    let before: KernelState;
    let object: LoadedObject;
    beforeAll(async () => {
      before = snapshotKernelState();
      object = await loadSource('test/fixtures/slow.bpf.c');
    });
    afterAll(async () => {
      object[Symbol.dispose]();
      await expectUnchanged(before);
    });

    const mayTrace = () => hookAvailable('fentry').available === true;
    const hasCounters = () => hardwareCounters.some(isCounted);

    it.each(programs)(
      'takes the best way that this machine has for %s, and says why not a better one',
      async (name) => {
        const { measurement, passedOver } = await underLoad(object.program(name), { seconds: 0.3 }, 20);
        const expected = !mayTrace() ? 'statistics' : hasCounters() ? 'counters' : 'fentry';
        expect(measurement.tier).toBe(expected);
        expect(passedOver.map(({ tier }) => tier)).toEqual(
          { counters: [], fentry: ['counters'], statistics: ['counters', 'fentry'] }[expected],
        );
        for (const { reason } of passedOver) expect(reason).toMatch(/hardware counters|lets nobody attach/);
        expect(measurement.counters.length > 0).toBe(expected === 'counters');
        expect(measurement.nsPerRun).toBeGreaterThan(0);
      },
    );

    it.each(['statistics', ...(mayTrace() ? (['fentry'] as const) : [])] as const)(
      'by %s counts the very runs that there were',
      async (tier) => {
        const program = object.program('slow_tc');
        const measuring = profile(program, { seconds: 1, tier });
        program.testRun({ data: packet, repeat: 123 });
        const { measurement } = await measuring;
        expect(measurement).toMatchObject({ tier, runs: 123n });
      },
    );

    it('by entry and exit is refused where the kernel bars it, and nothing of it stays', async () => {
      const measuring = profile(object.program('slow'), { seconds: 0.1, tier: 'fentry' });
      if (mayTrace())
        await expect(measuring).resolves.toMatchObject({ measurement: { tier: 'fentry', runs: 0n } });
      else await expect(measuring).rejects.toMatchObject({ code: 'unsupported' });
    });

    it('by counters reads them around each run, and shows none that the machine does not have', async () => {
      const program = object.program('slow_tc');
      if (!hasCounters()) {
        await expect(profile(program, { seconds: 0.1, tier: 'counters' })).rejects.toMatchObject({
          code: 'unsupported',
          message: 'this machine has no hardware counters',
        });
      }
      if (!mayTrace()) return;
      const none: Counter = { name: 'none', type: 0x7fff_fff0, config: 0 };
      const counters = [none, cpuClock, { ...cpuClock, name: 'again' }];
      const measuring = profile(program, { seconds: 1, tier: 'counters', counters });
      program.testRun({ data: packet, repeat: 500 });
      const { measurement } = await measuring;
      expect(measurement).toMatchObject({ tier: 'counters', runs: 500n });
      expect(measurement.counters.map(({ name }) => name)).toEqual(['cpu-clock', 'again']);
      for (const { total, perRun } of measurement.counters) {
        expect(total).toBeGreaterThan(0n);
        expect(perRun).toBeGreaterThan(0);
      }
    });

    it('says that there was no run rather than a time', async () => {
      const { measurement } = await profile(object.program('slow'), { seconds: 0.1, tier: 'statistics' });
      expect(measurement).toMatchObject({ runs: 0n, nsPerRun: undefined });
    });

    it('ends when it is interrupted', async () => {
      const signal = AbortSignal.timeout(50);
      for (const tier of ['statistics', 'test-run'] as const) {
        const measuring = profile(object.program('slow'), { seconds: 60, tier, signal });
        await expect(measuring).rejects.toMatchObject({ code: 'interrupted' });
      }
    });

    describe('on a machine that measures time', () => {
      itWith(
        { timing: true },
        'gives the nanoseconds of `prog run` within 15 %, by statistics and by test runs',
        async () => {
          for (const name of programs) {
            const program = object.program(name);
            const bare = (): number =>
              median(
                Array.from({ length: 7 }, () => program.testRun({ data: packet, repeat: 3000 }).nsPerRun),
              );
            const ratios: Record<'statistics' | 'test-run', number[]> = { statistics: [], 'test-run': [] };
            for (let round = 0; round < 5; round++) {
              // Both within a moment, so that what slows the machine down slows down both.
              const direct = bare();
              expect(direct).toBeGreaterThan(1000);
              const watched = await underLoad(program, { seconds: 0.3, tier: 'statistics' }, 2000);
              ratios.statistics.push((watched.measurement.nsPerRun ?? 0) / direct);
              const own = await profile(program, { seconds: 0.3, tier: 'test-run' });
              ratios['test-run'].push((own.measurement.nsPerRun ?? 0) / direct);
            }
            for (const [tier, found] of Object.entries(ratios)) {
              const ratio = median(found);
              process.stderr.write(`${name}: by ${tier} ${(ratio * 100).toFixed(1)} % of prog run\n`);
              expect(Math.abs(ratio - 1), `${name} by ${tier}: ${found}`).toBeLessThan(0.15);
            }
          }
        },
      );
    });
  },
  { tools: ['clang'] },
);
