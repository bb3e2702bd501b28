/** Chains by tail calls under traffic: whatever order a packet meets, it meets the whole of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { Scope } from '../../../src/base/scope.js';
import { loadedMember } from '../../../src/ebpf/dispatcher/edits.js';
import { load } from '../../../src/ebpf/load.js';
import { BpfMap } from '../../../src/ebpf/map.js';
import { readTailChain } from '../../../src/ebpf/tail-chain/chain.js';
import { changeTailChain } from '../../../src/ebpf/tail-chain/change.js';
import { loadTailMember, type TailSlot } from '../../../src/ebpf/tail-chain/member.js';
import { chainPins, tailChainFolder } from '../../../src/ebpf/tail-chain/place.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { compileBeforeAll } from '../../e2e/objects.js';
import { makeBpffs } from '../../support/bpffs.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { makeVethPair } from '../../support/netns.js';
import { randomFrom, seedOfRun } from '../../support/random.js';
import { describeAsRoot, itWith } from '../../support/requirements.js';
import { underTraffic } from '../../support/sending.js';

/** How long orders change. */
const seconds = Number(process.env['NETKIT_TEST_SECONDS'] ?? 4);
vi.setConfig({ testTimeout: 60_000 + seconds * 1000 });

const perCpu = z.array(z.coerce.bigint());
const ways = z.array(z.object({ missed: z.coerce.bigint() }));

describeAsRoot(
  'a chain by tail calls',
  () => {
    let members: string;
    let numbering: string;

    compileBeforeAll(async (objects) => {
      members = await objects.compile('test/fixtures/tail-order.bpf.c');
      numbering = await objects.compile('test/fixtures/numbering.bpf.c');
    });

    itWith(
      { kernelHas: ['live-frames'] },
      'gives each of a million packets a second one whole order, while members come, go and change places',
      async () => {
        const random = randomFrom(seedOfRun);
        await leavingNothing(async () => {
          using scope = new Scope();
          const veth = scope.use(makeVethPair());
          const bpffs = scope.use(makeBpffs());
          const { netns, ifname, ifindex } = veth.b;
          const place = {
            ifname,
            ifindex,
            netnsInode: netns.handle.inode,
            netns: netns.handle,
            bpffs: bpffs.root.path,
          };
          const spec = ObjectSpec.readSync(members);
          const { maps } = scope.use(load(spec));
          /** Loads each member anew, whose slots change so. */
          const wanted = (number: number, priority: number, loaded: Scope) => {
            const name = number === 0 ? 'recorder' : `member_${number}`;
            const open = (slot: TailSlot) =>
              loaded.use(loadTailMember({ spec, program: name, name: 'order', maps }, slot));
            return { name, priority, proceedOn: ['pass'] as const, frags: false, loaded: undefined, open };
          };
          const orders = new Set<string>();
          /** The whole chain becomes another one: some members are loaded anew, others change places. */
          const change = (): void => {
            using loaded = new Scope();
            const count = 1 + random(9);
            const left = [1, 2, 3, 4, 5, 6, 7, 8, 9];
            const order = Array.from({ length: count }, () => left.splice(random(left.length), 1)[0] ?? 0);
            orders.add(order.join(''));
            changeTailChain(place, { mode: 'native' }, (present) =>
              [...order, 0].map((number, index) => {
                const name = number === 0 ? 'recorder' : `member_${number}`;
                const there = random(4) === 0 ? undefined : present.find((each) => each.name === name);
                return there === undefined
                  ? wanted(number, index, loaded)
                  : {
                      ...there,
                      ...loadedMember(there.program, { priority: index, proceedOn: ['pass'], frags: false }),
                    };
              }),
            );
          };
          change();
          let changes = 0;
          const sent = await underTraffic(veth.a, numbering, async () => {
            const end = performance.now() + seconds * 1000;
            while (performance.now() < end) {
              change();
              changes++;
              await sleep(1);
            }
          });
          const histories = maps.get('histories');
          if (histories === undefined) throw new Error('no histories');
          const seen = [...histories].map(([history, counts]) => ({
            order: BigInt(String(history)).toString(16),
            packets: Number(perCpu.parse(counts).reduce((total, count) => total + count, 0n)),
          }));
          const packets = seen.reduce((total, each) => total + each.packets, 0);
          console.log(
            `seed ${seedOfRun}: ${changes} orders in ${sent.seconds.toFixed(1)} s, ${packets} packets, ${seen.length} orders seen by packets`,
          );
          expect(seen.filter(({ order }) => !orders.has(order))).toEqual([]);
          expect(packets).toBe(sent.sent);
          expect(seen.length).toBeGreaterThan(changes / 4);
          using way = BpfMap.fromPin(chainPins(tailChainFolder(place)).way);
          expect(ways.parse(way.get(0)).map(({ missed }) => missed)).toEqual(
            ways.parse(way.get(0)).map(() => 0n),
          );
          changeTailChain(place, { mode: 'auto' }, () => []);
          expect(readTailChain(tailChainFolder(place))).toBeUndefined();
          expect(bpffs.pins()).toEqual([]);
        });
      },
    );
  },
  { tools: ['clang', 'taskset'] },
);
