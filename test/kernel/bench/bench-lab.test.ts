import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import { CommandLog } from '../../../src/bench/lab/command-log.js';
import { LabNetwork } from '../../../src/bench/lab/network.js';
import type { Family } from '../../../src/bench/lab/packet.js';
import { place } from '../../../src/bench/lab/placement.js';
import { port, Sender } from '../../../src/bench/lab/sender.js';
import { udpCounts } from '../../../src/bench/lab/udp-counters.js';
import { allowedCpus, cpuList } from '../../../src/host/affinity.js';
import { currentNetnsInode, withNetns } from '../../../src/host/netns.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../../support/requirements.js';

/** Fewer than a veth's queue has room for. */
const few = 200;

async function lab<T>(
  family: Family,
  work: (network: LabNetwork, sender: Sender, log: CommandLog, cpu: number) => Promise<T>,
): Promise<T> {
  using scope = new Scope();
  const log = new CommandLog();
  const { receiver } = place(scope);
  const network = new LabNetwork(scope, { family, cpu: receiver, log });
  return await work(network, new Sender(scope, { family, size: 64, flows: 16 }), log, receiver);
}

async function arrived(work: () => number, wanted: number): Promise<number> {
  const deadline = performance.now() + 3000;
  while (work() < wanted && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return work();
}

describeAsRoot(
  "the benchmark's own network",
  () => {
    it.each(['ipv4', 'ipv6'] as const)('brings every packet over %s to UDP, and no other', async (family) => {
      await leavingNothing(() =>
        lab(family, async (network, sender) => {
          const wire = await network.wire();
          const { netns } = wire.to.place;
          const sent = sender.send(wire, few);
          expect(sent).toMatchObject({ generated: few, sent: few, queueDrops: 0, redirectErrors: 0 });
          expect(await arrived(() => udpCounts(netns, family).noListener, few)).toBe(few);
          expect(udpCounts(netns, family)).toEqual({ read: 0, noListener: few, noRoom: 0, refused: 0 });
          const received = withNetns(netns, () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
          expect(Number(new RegExp(`${wire.to.ifname}:\\s*\\d+\\s+(\\d+)`).exec(received)?.[1])).toBe(few);
        }),
      );
    });

    it('accounts for each of many packets: sent, or without room at the receiver', async () => {
      await lab('ipv4', async (network, sender) => {
        const wire = await network.wire();
        const { generated, sent, queueDrops, redirectErrors, seconds } = sender.send(wire, 300_000);
        expect(generated).toBe(300_000);
        expect(sent + queueDrops + redirectErrors).toBe(generated);
        expect(seconds).toBeGreaterThan(0);
        const { netns } = wire.to.place;
        const count = () => udpCounts(netns, 'ipv4').noListener;
        expect(await arrived(count, sent)).toBe(sent);
      });
    });

    it('keeps pairs apart: what goes over one wire is not seen at the other', async () => {
      await lab('ipv4', async (network, sender) => {
        const [one, other] = [await network.wire(), await network.wire()];
        sender.send(one, few, { toPort: port + 1 });
        expect(await arrived(() => udpCounts(one.to.place.netns, 'ipv4').noListener, few)).toBe(few);
        expect(udpCounts(other.to.place.netns, 'ipv4').noListener).toBe(0);
        expect(other.napi.pid).not.toBe(one.napi.pid);
      });
    });

    it('sends to several in turn, to each as many as it is to get, and pauses after each turn', async () => {
      await lab('ipv4', async (network, sender) => {
        const wires = [await network.wire(), await network.wire(), await network.wire()];
        // The second has fewer turns than there are; the third none that is whole.
        const counts = [200_000, 65, 3];
        const pauseSeconds = 0.005;
        const turns = 10;
        const started = performance.now();
        const all = sender.sendInTurns(
          wires.map((ends, index) => ({ ends, count: counts[index] ?? 0, pauseSeconds })),
          turns,
        );
        const took = (performance.now() - started) / 1000;
        expect(all.map(({ generated }) => generated)).toEqual(counts);
        for (const [index, { sent, queueDrops, redirectErrors, generated, seconds }] of all.entries()) {
          expect(sent + queueDrops + redirectErrors).toBe(generated);
          expect(seconds).toBeGreaterThan(0);
          const netns = wires[index]?.to.place.netns;
          const count = () => (netns === undefined ? 0 : udpCounts(netns, 'ipv4').noListener);
          expect(await arrived(count, sent)).toBe(sent);
        }
        // Ten turns, two and one, of which the last needs no pause.
        const seconds = all.reduce((sum, each) => sum + each.seconds, 0);
        expect(took).toBeGreaterThan(seconds + 12 * pauseSeconds);
      });
    });

    it('knows whose packets they are where several turns end within one batch', async () => {
      await lab('ipv4', async (network, sender) => {
        const wires = [await network.wire(), await network.wire(), await network.wire()];
        const counts = [67, 3, 67];
        const all = sender.sendInTurns(
          wires.map((ends, index) => ({ ends, count: counts[index] ?? 0, pauseSeconds: 0 })),
          2,
        );
        expect(all.map(({ sent, queueDrops }) => [sent, queueDrops])).toEqual([
          [67, 0],
          [3, 0],
          [67, 0],
        ]);
      });
    });

    it('refuses more wires than can take turns, none, pauses without an end, and those of several senders', async () => {
      await lab('ipv4', async (network, sender) => {
        const wire = { ends: await network.wire(), count: 1, pauseSeconds: 0 };
        expect(() => sender.sendInTurns(Array(65).fill(wire), 1)).toThrow('65 wires cannot take turns');
        expect(() => sender.sendInTurns([], 1)).toThrow('0 wires cannot take turns');
        for (const pauseSeconds of [0.2, -1, Number.NaN])
          expect(() => sender.sendInTurns([{ ...wire, pauseSeconds }], 1)).toThrow('is none of up to 0.1 s');
        await lab('ipv4', async (other) => {
          const elsewhere = { ...wire, ends: await other.wire() };
          expect(() => sender.sendInTurns([wire, elsewhere], 1)).toThrow('have the same sender');
        });
      });
    });

    it("takes packets by a thread that stays on the receiver's CPU", async () => {
      await lab('ipv4', async (network, sender, _, cpu) => {
        const { napi, ...ends } = await network.wire();
        expect(cpusOf(napi.pid)).toEqual([cpu]);
        const before = napi.busyNs() ?? 0;
        sender.send(ends, 100_000);
        expect(await arrived(() => (napi.busyNs() ?? 0) - before, 1)).toBeGreaterThan(0);
      });
    });

    it('writes down the commands that make it, once each', async () => {
      await lab('ipv4', async (network, _, log) => {
        await network.wire();
        expect(log.lines.length).toBe(new Set(log.lines).size);
        for (const wanted of [/^sender# ip link add .* type veth peer/, /gro on$/, /threaded$/, /taskset/])
          expect(log.lines).toContainEqual(expect.stringMatching(wanted));
      });
    });

    it('gives this process back its CPUs, its place among others and its own namespace', async () => {
      const before = [allowedCpus(), schedulingPolicy(), getPriority(), currentNetnsInode()];
      await lab('ipv4', async (network, sender) => {
        sender.send(await network.wire(), few);
        expect(schedulingPolicy()).toBe(before[1]);
      });
      expect([allowedCpus(), schedulingPolicy(), getPriority(), currentNetnsInode()]).toEqual(before);
    });
  },
  { kernelHas: ['live-frames'], ...ownProcessId },
);

/** The CPUs that a process may run on. */
function cpusOf(pid: number): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return cpuList(list ?? '');
}

/** proc(5): field 41 of stat. */
function schedulingPolicy(): number {
  const stat = readFileSync('/proc/thread-self/stat', 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[38]);
}
