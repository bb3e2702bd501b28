import { expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import { CommandLog } from '../../../src/bench/lab/command-log.js';
import { LabNetwork } from '../../../src/bench/lab/network.js';
import { place } from '../../../src/bench/lab/placement.js';
import type { ClosedOrder, Loop, OpenOrder } from '../../../src/bench/lab/requests/orders.js';
import { StreamClient, StreamTaker } from '../../../src/bench/lab/requests/stream-peers.js';
import { percentileOf } from '../../../src/bench/statistics/histogram.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { describeAsRoot, twoCpus } from '../../support/requirements.js';

const ms = 1e6;
const stallMs = 200;
const serverPort = 7007;
const proxyPort = 7008;
const chunks = { size: 65_536, answer: 8 };

const open = (rate: number, seconds: number): OpenOrder => ({
  kind: 'open',
  rate,
  seconds,
  spacing: 'even',
  seed: 1,
  patience: 5,
});
const closed = (seconds: number, window: number): ClosedOrder => ({
  kind: 'closed',
  window,
  seconds,
  patience: 5,
});
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Lab {
  readonly client: StreamClient;
  readonly server: StreamTaker;
  readonly proxy: StreamTaker;
  /** The client's next connection. */
  connect(port: number): Promise<void>;
}

async function lab<T>(work: (lab: Lab) => Promise<T>, family: 'ipv4' | 'ipv6' = 'ipv4'): Promise<T> {
  using scope = new Scope();
  const { sender, receiver: cpu } = place(scope);
  const network = new LabNetwork(scope, { family, cpu, log: new CommandLog(), isAnswered: true });
  const { from, to } = await network.wire();
  const { netns } = to.place;
  const server = await StreamTaker.server(scope, { netns, cpu, family, port: serverPort });
  const proxy = await StreamTaker.proxy(scope, { netns, cpu, family, port: proxyPort, to: serverPort });
  const client = await StreamClient.start(scope, sender);
  const { address } = to.endpoint;
  const connect = async (port: number): Promise<void> => {
    await client.connect(from.place.netns, { family, address, port });
    if (port === proxyPort) expect(await proxy.begun()).toHaveLength(2);
    expect(await server.begun()).toHaveLength(1);
  };
  return await work({ client, server, proxy, connect });
}

describeAsRoot(
  'a TCP stream between two namespaces',
  () => {
    it.each(['ipv4', 'ipv6'] as const)(
      'brings bytes there and back as they were, over %s',
      async (family) => {
        await leavingNothing(() =>
          lab(async ({ client, server, proxy, connect }) => {
            await connect(serverPort);
            expect(await client.compare(3_000_000, 7)).toBe(3_000_000);
            expect(await server.ended()).toBe(3_000_000);
            // The head in front of the stream, then all of it there, and back.
            await connect(proxyPort);
            expect(await client.compare(3_000_000, 8)).toBe(3_000_000);
            expect([await proxy.ended(), await server.ended()]).toEqual([6_000_008, 3_000_000]);
          }, family),
        );
      },
    );

    it.each([serverPort, proxyPort])('has an answer to each chunk, on port %i', async (port) => {
      await lab(async ({ client, server, proxy, connect }) => {
        for (const loop of [closed(0.2, 16), closed(0.1, 1), open(200, 0.5)]) {
          await connect(port);
          const { wanted, sent, answered, seconds } = await client.stream(chunks, loop);
          expect([sent, answered]).toEqual([wanted, wanted]);
          expect(answered).toBeGreaterThan(1);
          expect(seconds).toBeGreaterThan(0);
          if (port === proxyPort)
            expect(await proxy.ended()).toBeGreaterThanOrEqual(answered * (chunks.size + chunks.answer));
          // A closed loop may end within a chunk.
          const received = await server.ended();
          expect(received).toBeGreaterThanOrEqual(answered * chunks.size);
          expect(received).toBeLessThan((answered + 1) * chunks.size);
        }
      });
    });

    it('comes through after connections that nobody used, and ends that nobody waited for', async () => {
      await lab(async ({ client, server, connect }) => {
        await connect(serverPort);
        await connect(serverPort);
        expect(await client.compare(1000, 1)).toBe(1000);
        await connect(proxyPort);
        await connect(proxyPort);
        expect(await client.compare(1000, 2)).toBe(1000);
        expect(await server.ended()).toBe(1000);
      });
    });

    it('is an error where nobody listens, and the client goes on', async () => {
      await lab(async ({ client, connect }) => {
        await expect(connect(1)).rejects.toThrow(/ECONNREFUSED/);
        await connect(serverPort);
        expect(await client.compare(1000, 1)).toBe(1000);
      });
    });
  },
  { kernelHas: ['napi-threads'], tools: ['ip'], ...twoCpus },
);

describeAsRoot(
  'a server that does not read a stream for 200 ms in three seconds',
  () => {
    async function stalled(loop: Loop) {
      return await lab(async ({ client, server, connect }) => {
        await connect(serverPort);
        const run = client.stream(chunks, loop);
        await pause(1000);
        process.kill(server.pid, 'SIGSTOP');
        await pause(stallMs);
        process.kill(server.pid, 'SIGCONT');
        return await run;
      });
    }

    it('is seen by an open loop, also where TCP takes no more: each chunk counts from when it was to be sent', async () => {
      const { wanted, answered, latency } = await stalled(open(500, 3));
      expect([wanted, answered]).toEqual([1500, 1500]);
      // 100 of 1,500 were due meanwhile.
      expect((percentileOf(latency, 99) ?? 0) / ms).toBeGreaterThan(stallMs / 2);
    });

    it('is hidden by a closed loop, in which one chunk alone waits', async () => {
      const { wanted, answered, latency } = await stalled(closed(3, 1));
      expect(answered).toBe(wanted);
      expect((percentileOf(latency, 99) ?? Number.POSITIVE_INFINITY) / ms).toBeLessThan(stallMs / 2);
    });
  },
  { timing: true, kernelHas: ['napi-threads'], tools: ['ip'], ...twoCpus },
);
