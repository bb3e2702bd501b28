/** `netkit replace` under numbered packets, about a million a second: none is lost, and none is judged twice. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { BpfMap } from '../../src/ebpf/map.js';
import type { KernelCapabilityName } from '../support/known-kernels.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { type SentPackets, underTraffic } from '../support/sending.js';
import { withoutFreplace } from '../support/tail-chain.js';
import { fixture, type Ground } from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';

/** Of each kind; NETKIT_TEST_REPLACEMENTS=100 makes a hundred of each. */
const replacements = Number(process.env['NETKIT_TEST_REPLACEMENTS'] ?? 8);
const leastEach = 1000;

vi.setConfig({ testTimeout: 60_000 + replacements * 5_000 });

interface Kind {
  readonly what: string;
  /** To be loaded; the object's table of programs asks for `last`. */
  readonly programs: readonly string[];
  /** In the order in which packets meet them. */
  readonly attached: readonly string[];
  readonly more: readonly string[];
  readonly needs: readonly KernelCapabilityName[];
}

const perCpu = z.array(z.object({ packets: z.coerce.bigint(), sum: z.coerce.bigint() }));

describeAsRoot(
  '`netkit replace` under a million packets a second',
  () => {
    let judging: string;
    let numbering: string;

    compileBeforeAll(async (objects) => {
      judging = await objects.compile('test/fixtures/traffic.bpf.c');
      numbering = await objects.compile('test/fixtures/numbering.bpf.c');
    });

    const sending = (ground: Ground, work: () => Promise<void>): Promise<SentPackets> =>
      underTraffic(ground.veth.a, numbering, work);

    const judgedMap = (ground: Ground): BpfMap =>
      BpfMap.fromPin(join(ground.bpffs.root.path, 'netkit/f/maps/judged'));

    function judgedBy(map: BpfMap, release: number): { readonly packets: bigint; readonly sum: bigint } {
      const values = perCpu.parse(map.get(release));
      return {
        packets: values.reduce((total, { packets }) => total + packets, 0n),
        sum: values.reduce((total, { sum }) => total + sum, 0n),
      };
    }

    const kinds: readonly Kind[] = [
      {
        what: 'an XDP link',
        programs: ['alone', 'last'],
        attached: ['alone'],
        more: ['--direct'],
        needs: [],
      },
      {
        what: 'a chain of tail calls',
        programs: ['entry', 'last'],
        attached: ['entry'],
        more: ['--direct'],
        needs: [],
      },
      {
        what: 'a chain of two members by tail calls',
        programs: ['ahead', 'behind', 'last'],
        attached: ['ahead', 'behind'],
        more: [],
        needs: [],
      },
      { what: 'a tcx link', programs: ['ingress', 'last'], attached: ['ingress'], more: [], needs: ['tcx'] },
    ];

    for (const { what, programs, attached, more, needs } of kinds) {
      const name = `has each packet judged once, by the old or the new program of ${what}`;
      itWith({ kernelHas: ['live-frames', ...needs] }, name, async () => {
        await onGround(async (ground) => {
          const only = programs.flatMap((program) => ['--only', program]);
          ground.does('load', judging, '--name', 'f', ...only, '--set', 'release=0');
          if (attached.includes('ingress')) {
            // A veth takes redirected frames only where there is an XDP program.
            ground.does('load', fixture('pass'), '--name', 'pass');
            ground.does('attach', 'pass', ...ground.place, '--direct');
          }
          for (const program of attached) ground.does('attach', `f/${program}`, ...ground.place, ...more);
          using judged = judgedMap(ground);
          const total = (): { packets: bigint; sum: bigint } => {
            const all = { packets: 0n, sum: 0n };
            for (let release = 0; release <= replacements; release++) {
              const { packets, sum } = judgedBy(judged, release);
              all.packets += packets;
              all.sum += sum;
            }
            return all;
          };
          // The same work for this machine, but nothing is replaced.
          const control = await sending(ground, async () => {
            for (let release = 1; release <= replacements; release++)
              await ground.manages('replace', 'f', judging, '--dry-run');
          });
          const before = total();
          expect(Number(before.packets)).toBe(control.sent);
          const replaced = await sending(ground, async () => {
            for (let release = 1; release <= replacements; release++) {
              await ground.manages('replace', 'f', judging, '--set', `release=${release}`);
              const deadline = performance.now() + 10_000;
              while (judgedBy(judged, release).packets < leastEach && performance.now() < deadline)
                await sleep(5);
            }
          });
          const after = total();
          const each = Array.from(
            { length: replacements },
            (_, index) => judgedBy(judged, index + 1).packets,
          );
          const perSecond = Math.round(replaced.generated / replaced.seconds);
          console.log(
            `${replacements} replacements, ${replaced.generated} packets, ${perSecond} a second: ` +
              `${replaced.queueDrops} dropped by the queue (control: ${control.queueDrops} of ${control.generated}), ` +
              `least under one program: ${each.reduce((least, count) => (count < least ? count : least))}`,
          );
          expect(replaced.redirectErrors).toBe(0);
          expect(replaced.sent + replaced.queueDrops).toBe(replaced.generated);
          expect(Number(after.packets - before.packets)).toBe(replaced.sent);
          const generated = BigInt(replaced.generated);
          // Their numbers, from 0 on.
          if (replaced.queueDrops === 0)
            expect(after.sum - before.sum).toBe((generated * (generated - 1n)) / 2n);
          expect(replaced.queueDrops / replaced.generated).toBeLessThanOrEqual(
            control.queueDrops / control.generated,
          );
          for (const count of each) expect(Number(count)).toBeGreaterThanOrEqual(leastEach);
          expect(ground.entry('f/.bss', '0')).toMatchObject({ missed: 0 });
          expect(missedBy(ground)).toBe(0n);
        }, withoutFreplace);
      });
    }
  },
  { tools: ['clang', 'taskset'] },
);

/** Packets that did not get to a member of the chain by tail calls, if there is one. */
function missedBy(ground: Ground): bigint {
  const pin = ground.bpffs.pins().find((each) => /^netkit\/_chain\/.*\/way$/.test(each));
  if (pin === undefined) return 0n;
  using way = BpfMap.fromPin(join(ground.bpffs.root.path, pin));
  const ways = z.array(z.object({ missed: z.coerce.bigint() })).parse(way.get(0));
  return ways.reduce((total, { missed }) => total + missed, 0n);
}
