import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import { addressed, type Captured, longestPacket } from '../../../src/bench/lab/captured.js';
import { CommandLog } from '../../../src/bench/lab/command-log.js';
import { LabNetwork, type Wire } from '../../../src/bench/lab/network.js';
import { place } from '../../../src/bench/lab/placement.js';
import { Sender } from '../../../src/bench/lab/sender.js';
import { withNetns } from '../../../src/host/netns.js';
import { notYet, receiveNow, receiveRoom } from '../../../src/host/request-sockets.js';
import { openPacketSocket } from '../../../src/sys/sockets.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { describeAsRoot, ownProcessId } from '../../support/requirements.js';

/** Ethernet frames of a type that nobody takes, each with other bytes. */
function frame(length: number, index: number): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, at) => (at * 7 + index) & 0xff);
  bytes.set([0x88, 0xb5], 12);
  return bytes;
}

const lengths = [60, longestPacket, 14, 1000, 61];
const captured: Captured = { text: 'frames', packets: lengths.map(frame) };

interface Lab {
  readonly sender: Sender;
  readonly wire: Wire;
  readonly network: LabNetwork;
}

async function lab<T>(work: (lab: Lab, scope: Scope) => T | Promise<T>): Promise<T> {
  using scope = new Scope();
  const { receiver } = place(scope);
  const network = new LabNetwork(scope, { family: 'ipv4', cpu: receiver, log: new CommandLog() });
  const sender = new Sender(scope, { family: 'ipv4', size: longestPacket, flows: 1, captured });
  return await work({ sender, wire: await network.wire(), network }, scope);
}

/** What arrives: each as its number in the capture, or, what is none of them, as its bytes. */
function received(count: number, first?: number): Promise<string[]> {
  return lab(async ({ sender, wire }, scope) => {
    const { netns } = wire.to.place;
    const socket = scope.use(withNetns(netns, () => openPacketSocket(wire.to.ifindex)));
    receiveRoom(socket, 8 << 20);
    const sent = sender.send(wire, count, first === undefined ? {} : { first });
    expect(sent).toMatchObject({ sent: sent.generated, queueDrops: 0, redirectErrors: 0 });
    const expected = captured.packets.map((packet) =>
      hex(addressed(packet, wire.from.endpoint, wire.to.endpoint)),
    );
    const names: string[] = [];
    const bytes = new Uint8Array(2048);
    const deadline = performance.now() + 3000;
    while (names.length < sent.generated && performance.now() < deadline) {
      const length = receiveNow(socket.value, bytes);
      if (length === notYet) await new Promise((resolve) => setTimeout(resolve, 5));
      else {
        const text = hex(bytes.subarray(0, length));
        names.push(expected.includes(text) ? String(expected.indexOf(text)) : text);
      }
    }
    return names;
  });
}

/** What the interface has counted. */
function receivedOn({ to: { place, ifname } }: Wire): { readonly packets: number; readonly bytes: number } {
  const text = withNetns(place.netns, () => readFileSync('/proc/thread-self/net/dev', 'utf8'));
  const [, bytes, packets] = new RegExp(`${ifname}:\\s*(\\d+)\\s+(\\d+)`).exec(text) ?? [];
  return { packets: Number(packets), bytes: Number(bytes) };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describeAsRoot(
  'the packets of a capture',
  () => {
    it('arrive in turn, byte for byte and of their length, in whole rounds', async () => {
      await leavingNothing(async () => {
        const rounds = Array.from({ length: 30 }, () => ['0', '1', '2', '3', '4']).flat();
        expect(await received(rounds.length - 2)).toEqual(rounds);
      });
    });

    it('have their length also when frames come back to be used again', async () => {
      await lab(async ({ sender, wire }) => {
        const round = lengths.reduce((sum, length) => sum + length, 0);
        for (let time = 1; time <= 20; time += 1) {
          // Fewer than the queue has room for, and more than are taken at a time.
          expect(sender.send(wire, 200).sent).toBe(200);
          const deadline = performance.now() + 3000;
          while (receivedOn(wire).packets < time * 200 && performance.now() < deadline)
            await new Promise((resolve) => setTimeout(resolve, 5));
          const packets = time * 200;
          expect(receivedOn(wire)).toEqual({ packets, bytes: (packets / lengths.length) * round });
        }
      });
    });

    it('come to each of several that take turns in whole rounds, which go on where the turn before ended', async () => {
      await lab(async ({ sender, wire, network }) => {
        const wires = [wire, await network.wire()];
        // Turns of 64 and 36: no multiples of the five of a round.
        const all = sender.sendInTurns(
          wires.map((ends) => ({ ends, count: 98, pauseSeconds: 0.002 })),
          2,
        );
        expect(all).toMatchObject([
          { generated: 100, sent: 100 },
          { generated: 100, sent: 100 },
        ]);
        const bytes = 20 * lengths.reduce((sum, length) => sum + length, 0);
        const deadline = performance.now() + 3000;
        for (const each of wires) {
          while (receivedOn(each).packets < 100 && performance.now() < deadline)
            await new Promise((resolve) => setTimeout(resolve, 5));
          expect(receivedOn(each)).toEqual({ packets: 100, bytes });
        }
      });
    });

    it('are sent once, from any of them on', async () => {
      expect(await received(2, 3)).toEqual(['3', '4']);
    });
  },
  { kernelHas: ['live-frames'], ...ownProcessId },
);
