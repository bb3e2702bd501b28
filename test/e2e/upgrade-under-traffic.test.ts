/** `netkit upgrade` under numbered packets, about a million a second: to good releases, and to bad ones that go again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { isThorough } from '../support/sampling.js';
import { leastPerSecond, type SentPackets, underTraffic } from '../support/sending.js';
import { withoutFreplace } from '../support/tail-chain.js';
import { documentOf, errorOf, fixture, type Ground } from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { Judging, judgingKinds, missedBy, type Tally } from './upgrade-ground.js';

/** Of each kind; fifty with NETKIT_TEST_THOROUGH, or another number in NETKIT_TEST_UPGRADES. */
const upgrades = Number(process.env['NETKIT_TEST_UPGRADES'] ?? (emulated ? 5 : isThorough ? 50 : 3));
const leastEach = emulated ? 100 : 1000;
/** So many packets the bad release is a good one: for a part of a second. */
const faulty = emulated ? 500 : 300_000;

vi.setConfig({ testTimeout: emulated ? 900_000 : 90_000 + upgrades * 8_000 });

const probe = { map: 'outcomes', key: 'MALFORMED', op: '==', value: 0 };
const good = { probe, settle: '300ms' };
/** The bad release counts its first fault long before this is over. */
const strict = { probe, settle: '5s' };
/** Not to be reached. */
const never = { probe: { ...probe, key: 'TAKEN', op: '>', value: 1e15 }, settle: '700ms' };
/** To be reached. */
const reached = { probe: { ...probe, key: 'TAKEN', op: '>', value: 0 }, settle: '300ms' };

describeAsRoot(
  '`netkit upgrade` under a million packets a second',
  () => {
    let object: string;
    let numbering: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/traffic.bpf.c', ['GRADED']);
      numbering = await objects.compile('test/fixtures/numbering.bpf.c');
    });

    /** Sends while `work` goes on, and looks that every packet was judged once. */
    async function judgedOnce(
      judging: Judging,
      releases: number,
      work: () => Promise<void>,
    ): Promise<SentPackets> {
      const before = judging.judgedUpTo(releases);
      const sent = await underTraffic(judging.ground.veth.a, numbering, work);
      const after = judging.judgedUpTo(releases);
      expect(sent.redirectErrors).toBe(0);
      expect(sent.sent + sent.queueDrops).toBe(sent.generated);
      expect(Number(after.packets - before.packets)).toBe(sent.sent);
      // Their numbers, from 0 on.
      const generated = BigInt(sent.generated);
      if (sent.queueDrops === 0) expect(after.sum - before.sum).toBe((generated * (generated - 1n)) / 2n);
      expect(judging.ground.entry('f/.bss', '0')).toMatchObject({ missed: 0 });
      expect(missedBy(judging.ground)).toBe(0n);
      return sent;
    }

    function expectAsSteady(what: string, sent: SentPackets, control: SentPackets): void {
      const perSecond = Math.round(sent.generated / sent.seconds);
      console.log(
        `${what}: ${sent.generated} packets, ${perSecond} a second, ${sent.queueDrops} dropped by the queue ` +
          `(control: ${control.queueDrops} of ${control.generated})`,
      );
      expect(perSecond).toBeGreaterThanOrEqual(leastPerSecond);
      // What comes before the programs, and does not know of upgrades; a busy machine drops more at one time than at another.
      const queueShare = control.queueDrops / control.generated;
      expect(sent.queueDrops / sent.generated).toBeLessThanOrEqual(
        isThorough ? queueShare : Math.max(queueShare, 0.01),
      );
    }

    for (const kind of judgingKinds) {
      const name = `loses none at ${kind.what}, and a bad release goes within the settle time with its maps as they were`;
      itWith({ kernelHas: ['live-frames', ...kind.needs] }, name, async () => {
        await onGround(async (ground) => {
          const judging = new Judging(ground, object, kind);
          // A veth takes redirected frames only where there is an XDP program.
          if (kind.hook !== 'xdp') {
            ground.does('load', fixture('pass'), '--name', 'pass');
            ground.does('attach', 'pass', ...ground.place, '--direct');
          }
          judging.declares({ release: 0, seen: 100 });
          ground.does('apply', '-f', judging.manifest);

          // The same work for this machine, but nothing is upgraded.
          const control = await judgedOnce(judging, upgrades + 2, async () => {
            for (let release = 1; release <= upgrades; release++) {
              judging.declares({ release, seen: 100 });
              await ground.manages('upgrade', '-f', judging.manifest, '--dry-run');
            }
          });

          const upgraded = await judgedOnce(judging, upgrades + 2, async () => {
            for (let release = 1; release <= upgrades; release++) {
              // Kept and migrated in turn.
              const seen = 100 + Math.floor(release / 2);
              const health = release % 2 === 0 ? good : reached;
              const {
                health: [found],
              } = documentOf(documents.upgrade, succeeded(await judging.upgrades({ release, seen, health })));
              expect(found).toMatchObject({ healthy: true });
              expect(found?.afterMs).toBeGreaterThanOrEqual(300);
              await judgedMany(judging, release);
            }
          });
          expectAsSteady(`${upgrades} upgrades of ${kind.what}`, upgraded, control);
          for (let release = 0; release <= upgrades; release++) {
            const { packets } = judging.judged(release);
            expect(Number(packets)).toBeGreaterThanOrEqual(leastEach);
            // In the map that is migrated too none is missing.
            expect([release, judging.seen(release)]).toEqual([release, packets]);
          }

          const ids = judging.mapIds();
          const old = programsOf(ground);
          const bad = { release: upgrades + 1, faulty, seen: 500 };
          let returned = 0;
          const goneBack = await judgedOnce(judging, upgrades + 2, async () => {
            await judgedMany(judging, upgrades);
            const { message, details } = refused(await judging.upgrades({ ...bad, health: strict }));
            expect(message).toMatch(
              /^f is not healthy: outcomes\[MALFORMED\] is \d+ since the swap, to be == 0;/,
            );
            returned = afterMs(details);
            expect(returned).toBeGreaterThan(0);
            expect(returned).toBeLessThan(5000);
            expect(Number(judging.judged(upgrades + 1).packets)).toBeGreaterThan(faulty);
            await judgedMore(judging, upgrades);
            const late = refused(
              await judging.upgrades({ ...bad, release: upgrades + 2, faulty: 0, health: never }),
            );
            expect(late.message).toMatch(/TAKEN\] is \d+ since the swap, to be > 1000000000000000 after 700/);
            expect(afterMs(late.details)).toBeGreaterThanOrEqual(700);
            expect(afterMs(late.details)).toBeLessThan(emulated ? 60_000 : 1500);
            await judgedMore(judging, upgrades);
          });
          expectAsSteady(`bad release of ${kind.what}, back after ${returned} ms`, goneBack, control);
          // The kept map is one for both, and has what both wrote; the migrated one is that of the old release.
          expect(judging.mapIds()).toEqual(ids);
          expect(programsOf(ground)).toEqual(old);
          for (const release of [upgrades + 1, upgrades + 2]) {
            expect(Number(judging.judged(release).packets)).toBeGreaterThanOrEqual(leastEach);
            expect(judging.seen(release)).toBeUndefined();
          }
          for (let release = 0; release <= upgrades; release++)
            expect([release, judging.seen(release)]).toEqual([release, judging.judged(release).packets]);
          ground.does('delete', 'f', '--yes');
        }, withoutFreplace);
      });
    }
  },
  { tools: ['clang', 'taskset'] },
);

function succeeded(result: Awaited<ReturnType<Judging['upgrades']>>) {
  expect(result.status, result.stderr).toBe(0);
  return result;
}

function refused(result: Awaited<ReturnType<Judging['upgrades']>>) {
  expect(result.status, result.stdout + result.stderr).toBe(1);
  const error = errorOf(result);
  expect(error.code).toBe('unhealthy');
  return error;
}

function afterMs(details: Record<string, unknown>): number {
  const { health } = details;
  const [first]: unknown[] = Array.isArray(health) ? health : [];
  return Number(Object(first).afterMs);
}

async function judgedMany(judging: Judging, release: number): Promise<void> {
  await until(() => judging.judged(release).packets >= leastEach);
}

/** Whether a release judges packets again. */
async function judgedMore(judging: Judging, release: number): Promise<void> {
  const { packets }: Tally = judging.judged(release);
  await until(() => judging.judged(release).packets >= packets + BigInt(leastEach));
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error('not within 10 seconds');
    await sleep(5);
  }
}

function programsOf(ground: Ground): number[] {
  const { programs, links } = ground.listed('f');
  return [...programs.map(({ id }) => id), ...links.map(({ program }) => program.id)].map(Number);
}
