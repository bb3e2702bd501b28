/** Declared chains that change while numbered packets come: none meets a chain without a member that stays. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { emulated } from '../support/known-kernels.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { leastPerSecond, underTraffic } from '../support/sending.js';
import {
  chainForms,
  type DeclaredChains,
  type Member,
  movesInPlace,
  onChains,
} from './declared-chain-ground.js';
import { fixture } from './ground.js';
import { compileBeforeAll } from './objects.js';
import { missedBy } from './upgrade-ground.js';

vi.setConfig({ testTimeout: emulated ? 600_000 : 120_000 });

interface Change {
  readonly what: string;
  readonly members: readonly Member[];
  /** Members that become another release with it. */
  readonly upgraded?: readonly string[];
  readonly moves?: true;
  /** Verdicts change, which mean something on XDP alone. */
  readonly verdicts?: true;
}

const m2Drops = { name: 'm2', proceedOn: ['pass', 'drop'] };

const changes: readonly Change[] = [
  { what: 'one comes in front', members: ['m4', 'm1', 'm2', 'm3'] },
  { what: 'one comes between two', members: ['m4', 'm1', 'm5', 'm2', 'm3'] },
  { what: 'one goes', members: ['m4', 'm5', 'm2', 'm3'] },
  { what: 'one comes, and another goes', members: ['m4', 'm5', 'm2', 'm6'] },
  { what: 'one is upgraded', members: ['m4', 'm5', 'm2', 'm6'], upgraded: ['m5'] },
  { what: 'all are reversed', members: ['m6', 'm2', 'm5', 'm4'], moves: true },
  { what: 'the last comes to the front', members: ['m4', 'm6', 'm2', 'm5'], moves: true },
  { what: 'verdicts change', members: ['m4', 'm6', m2Drops, 'm5'], verdicts: true },
  {
    what: 'everything at once',
    members: ['m7', 'm5', 'm2', 'm8', 'm4'],
    upgraded: ['m2', 'm4'],
    moves: true,
  },
  { what: 'all but one go', members: ['m2'] },
];

describeAsRoot(
  'a declared chain under a million packets a second',
  () => {
    let object: string;
    let numbering: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/declared-chain.bpf.c');
      numbering = await objects.compile('test/fixtures/numbering.bpf.c');
    });

    for (const form of chainForms) {
      const name = `shows every packet all members that stay, whatever changes (${form.form})`;
      itWith({ kernelHas: ['live-frames', ...form.needs] }, name, async () => {
        await onChains(form, object, async (chains, ground) => {
          // A veth takes redirected frames only where there is an XDP program.
          if (form.kind === 'tc') {
            ground.does('load', fixture('pass'), '--name', 'pass');
            ground.does('attach', 'pass', ...ground.place, '--direct');
          }
          const releases = new Map<string, number>();
          const declares = (members: readonly Member[], upgraded: readonly string[] = []): void => {
            for (const each of upgraded) releases.set(each, (releases.get(each) ?? 1) + 1);
            const own = [...releases].map(([each, release]) => chains.member(each, { release }));
            chains.declares([...members, 'r'], ...own);
          };
          let present: readonly Member[] = ['m1', 'm2', 'm3'];
          declares(present);
          chains.applies();
          let orders = 0;
          const sent = await underTraffic(ground.veth.a, numbering, async () => {
            await meets(chains, present);
            for (const { what, members, upgraded, moves, verdicts } of changes) {
              if ((moves && !movesInPlace(form)) || (verdicts && form.kind !== 'xdp')) continue;
              const before = chains.histories();
              declares(members, upgraded);
              await ground.manages('apply', '-f', chains.manifest);
              await meets(chains, members);
              const met = since(before, chains.histories());
              orders += met.length;
              const all = `${what}: ${met.join(', ')}`;
              const [was, is] = [digits(present), digits(members)];
              const staying = [...was].filter((member) => is.includes(member));
              for (const history of met) {
                // A link of the kernel's own order is made anew before the old one goes.
                const most = moves && form.kind === 'tc' ? 2 : 1;
                for (const member of staying) {
                  const times = history.split(member).length - 1;
                  expect(times, all).toBeGreaterThanOrEqual(1);
                  expect(times, all).toBeLessThanOrEqual(most);
                }
                for (const member of history) expect(was + is, all).toContain(member);
                if (most === 1) expect(new Set(history).size, all).toBe(history.length);
                if (moves === undefined)
                  expect(
                    [...history].filter((member) => staying.includes(member)),
                    all,
                  ).toEqual(staying);
              }
              present = members;
            }
          });
          const histories = [...chains.histories().values()];
          const packets = histories.reduce((total, count) => total + count, 0);
          const perSecond = Math.round(sent.generated / sent.seconds);
          expect(perSecond).toBeGreaterThanOrEqual(leastPerSecond);
          console.log(
            `${form.form}: ${packets} packets, ${perSecond} a second, in ${sent.seconds.toFixed(1)} s, ${sent.queueDrops} dropped by the queue, ` +
              `${orders} orders met in ${changes.length} changes`,
          );
          // None passed the last member, which counts them.
          expect(packets).toBe(sent.sent);
          expect(sent.redirectErrors).toBe(0);
          expect(missedBy(ground)).toBe(0n);
          chains.expectSettled();
          const all = ground.list().map(({ name: each }) => each);
          const members = all.filter((each) => /^(m\d|r)$/.test(each));
          ground.does('delete', 'edge', ...members, '--yes');
        });
      });
    }

    for (const form of chainForms.filter(movesInPlace)) {
      const name = `shows every packet the member that goes or the one that comes for it (${form.form})`;
      itWith({ kernelHas: ['live-frames', ...form.needs] }, name, async () => {
        await onChains(form, object, async (chains, ground) => {
          if (form.kind === 'tc') {
            ground.does('load', fixture('pass'), '--name', 'pass');
            ground.does('attach', 'pass', ...ground.place, '--direct');
          }
          // Those of no chain stay loaded, so that to exchange them is all that is done.
          const all = ['m1', 'm2', 'm3', 'm4'].map((each) => chains.member(each));
          const declares = (members: readonly string[]) => chains.declares([...members, 'r'], ...all);
          let present: readonly string[] = ['m1', 'm2'];
          declares(present);
          chains.applies();
          const met = new Set<string>();
          const sent = await underTraffic(ground.veth.a, numbering, async () => {
            await meets(chains, present);
            for (const members of exchanges) {
              const before = chains.histories();
              declares(members);
              await ground.manages('apply', '-f', chains.manifest);
              await meets(chains, members);
              const [was, is] = [digits(present), digits(members)];
              const gone = [...was].filter((member) => !is.includes(member));
              const come = [...is].filter((member) => !was.includes(member));
              for (const history of since(before, chains.histories())) {
                met.add(history);
                const what = `${was} becomes ${is}: ${history}`;
                expect(
                  [...gone, ...come].some((member) => history.includes(member)),
                  what,
                ).toBe(true);
                for (const member of [...was].filter((each) => is.includes(each)))
                  expect(history.split(member).length - 1, what).toBe(1);
              }
              present = members;
            }
          });
          const packets = [...chains.histories().values()].reduce((total, count) => total + count, 0);
          console.log(
            `${form.form}: ${packets} packets in ${exchanges.length} exchanges met ${[...met].join(', ')}`,
          );
          expect(packets).toBe(sent.sent);
          expect(missedBy(ground)).toBe(0n);
          chains.expectSettled();
          chains.deletesAll();
        });
      });
    }
  },
  { tools: ['clang', 'taskset'] },
);

/** One member after another is exchanged for one that is not in the chain, in front and behind. */
const exchanges: readonly (readonly string[])[] = [
  ['m3', 'm2'],
  ['m3', 'm4'],
  ['m1', 'm4'],
  ['m1', 'm2'],
  ['m4', 'm2'],
];

/** As packets write it down. */
function digits(members: readonly Member[]): string {
  return members.map((each) => (typeof each === 'string' ? each : each.name).slice(1)).join('');
}

/** Waits until packets meet these members. */
async function meets(chains: DeclaredChains, members: readonly Member[]): Promise<void> {
  const order = digits(members);
  const before = chains.histories().get(order) ?? 0;
  const deadline = performance.now() + 10_000;
  while ((chains.histories().get(order) ?? 0) < before + 1000) {
    if (performance.now() > deadline) throw new Error(`no packets met ${order} within 10 seconds`);
    await sleep(5);
  }
}

/** The orders that packets have met since. */
function since(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): string[] {
  return [...after].filter(([order, count]) => count > (before.get(order) ?? 0)).map(([order]) => order);
}
