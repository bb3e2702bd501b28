/** `netkit replace` under numbered packets, about a million a second: none is lost, and none is judged twice. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../src/base/scope.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { packageRoot } from '../../src/host/package-root.js';
import type { KernelCapabilityName } from '../support/known-kernels.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { fixture, type Ground, Objects } from './ground.js';
import { onGround } from './hook-ground.js';

/** Of each kind; NETKIT_TEST_REPLACEMENTS=100 makes a hundred of each. */
const replacements = Number(process.env['NETKIT_TEST_REPLACEMENTS'] ?? 8);
/** Packets a second; emulated machines get on more slowly. */
const rate = process.env['NETKIT_TEST_EMULATED'] === undefined ? 1_000_000 : 20_000;
const leastEach = 1000;

vi.setConfig({ testTimeout: 60_000 + replacements * 5_000 });

const report = z.object({
  generated: z.int(),
  sent: z.int(),
  queueDrops: z.int(),
  redirectErrors: z.int(),
  seconds: z.number(),
});
type Report = z.infer<typeof report>;

interface Kind {
  readonly what: string;
  /** To be loaded; the object's table of programs asks for `last`. */
  readonly programs: readonly string[];
  readonly attached: string;
  readonly more: readonly string[];
  readonly needs: readonly KernelCapabilityName[];
}

const perCpu = z.array(z.object({ packets: z.coerce.bigint(), sum: z.coerce.bigint() }));

describeAsRoot(
  '`netkit replace` under a million packets a second',
  () => {
    const owned = new Scope();
    let judging: string;
    let numbering: string;

    beforeAll(async () => {
      const objects = owned.use(new Objects());
      judging = await objects.compile('test/fixtures/traffic.bpf.c');
      numbering = await objects.compile('test/fixtures/numbering.bpf.c');
    });
    afterAll(() => owned[Symbol.dispose]());

    /** Sends while `work` goes on. */
    async function underTraffic(ground: Ground, work: () => Promise<void>): Promise<Report> {
      const { a } = ground.veth;
      const args = [
        'scripts/run.mjs',
        'test/support/numbered-traffic.ts',
        numbering,
        `${a.ifindex}`,
        `${rate}`,
      ];
      // On one CPU, or packets would wait on the CPU that it has left, and the queue be full.
      const child = a.netns.inside(() =>
        spawn('taskset', ['-c', `${firstCpu()}`, process.execPath, ...args], {
          cwd: packageRoot(),
          stdio: ['pipe', 'pipe', 'inherit'],
        }),
      );
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
      try {
        while (!said.includes('sending')) {
          if (child.exitCode !== null) throw new Error('nothing was sent');
          await sleep(5);
        }
        await work();
      } finally {
        child.stdin.end();
        await ended;
      }
      return report.parse(JSON.parse(said.trim().split('\n').at(-1) ?? ''));
    }

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
      { what: 'an XDP link', programs: ['alone', 'last'], attached: 'alone', more: ['--direct'], needs: [] },
      {
        what: 'a chain of tail calls',
        programs: ['entry', 'last'],
        attached: 'entry',
        more: ['--direct'],
        needs: [],
      },
      { what: 'a tcx link', programs: ['ingress', 'last'], attached: 'ingress', more: [], needs: ['tcx'] },
    ];

    for (const { what, programs, attached, more, needs } of kinds) {
      const name = `has each packet judged once, by the old or the new program of ${what}`;
      itWith({ kernelHas: ['live-frames', ...needs] }, name, async () => {
        await onGround(async (ground) => {
          const where = [ground.ifname, '--netns', ground.netns.name];
          const only = programs.flatMap((program) => ['--only', program]);
          ground.does('load', judging, '--name', 'f', ...only, '--set', 'release=0');
          if (attached === 'ingress') {
            // A veth takes redirected frames only where there is an XDP program.
            ground.does('load', fixture('pass'), '--name', 'pass');
            ground.does('attach', 'pass', ...where, '--direct');
          }
          ground.does('attach', `f/${attached}`, ...where, ...more);
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
          const control = await underTraffic(ground, async () => {
            for (let release = 1; release <= replacements; release++)
              await ground.manages('replace', 'f', judging, '--dry-run');
          });
          const before = total();
          expect(Number(before.packets)).toBe(control.sent);
          const replaced = await underTraffic(ground, async () => {
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
        });
      });
    }
  },
  { tools: ['clang', 'taskset'] },
);

/** The first CPU that this process may run on. */
function firstCpu(): number {
  return Number(/^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0);
}
