import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../../src/base/scope.js';
import { CommandLog } from '../../../src/bench/lab/command-log.js';
import { place } from '../../../src/bench/lab/placement.js';
import { Conversation, requestPort } from '../../../src/bench/lab/requests/conversation.js';
import type { ClosedOrder, OpenOrder } from '../../../src/bench/lab/requests/orders.js';
import { RequestClient } from '../../../src/bench/lab/requests/peers.js';
import { protocols } from '../../../src/bench/lab/requests/route.js';
import { type Bucket, percentileOf } from '../../../src/bench/statistics/histogram.js';
import { cpuList } from '../../../src/host/affinity.js';
import { otherProcesses, procText } from '../../../src/host/proc.js';
import { expectUnchangedAfterAll } from '../../support/kernel-state.js';
import { describeAsRoot, twoCpus } from '../../support/requirements.js';

const ms = 1e6;
const stallMs = 200;

const open = (rate: number, seconds: number): OpenOrder => ({
  kind: 'open',
  rate,
  seconds,
  spacing: 'even',
  seed: 1,
  patience: 5,
});
const closed = (seconds: number): ClosedOrder => ({ kind: 'closed', window: 1, seconds, patience: 5 });

/** How many values are that large, or larger. */
const over = (buckets: readonly Bucket[], limit: number): number =>
  buckets.reduce((sum, [from, , count]) => sum + (from >= limit ? count : 0), 0);

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describeAsRoot(
  'requests and answers between two namespaces',
  () => {
    let scope: Scope;
    let client: RequestClient;
    let receiver: number;
    let sender: number;
    expectUnchangedAfterAll();
    beforeAll(async () => {
      scope = new Scope();
      ({ sender, receiver } = place(scope));
      client = await RequestClient.start(scope, sender);
    });
    afterAll(() => {
      scope[Symbol.dispose]();
    });

    const begin = (options: Partial<Parameters<typeof Conversation.begin>[1]> = {}) =>
      Conversation.begin(scope, {
        family: 'ipv4',
        protocol: 'udp',
        size: 64,
        cpu: receiver,
        log: new CommandLog(),
        ...options,
      });

    it.each(protocols)('over %s are all answered, in an open loop and in a closed one', async (protocol) => {
      const conversation = await begin({ protocol });
      const paced = await conversation.run(client, open(500, 1));
      expect(paced).toMatchObject({ wanted: 500, sent: 500, answered: 500 });
      expect(paced.latency.reduce((sum, [, , count]) => sum + count, 0)).toBe(500);
      expect(paced.lag.reduce((sum, [, , count]) => sum + count, 0)).toBe(500);
      const back = await conversation.run(client, closed(0.3));
      expect(back.answered).toBe(back.wanted);
      expect(back.answered).toBeGreaterThan(10);
      // Many at the same time, too.
      const many = await conversation.run(client, { ...closed(0.2), window: 32 });
      expect(many.answered).toBe(many.wanted);
    });

    it('go over IPv6 as well, in requests of any size', async () => {
      const conversation = await begin({ family: 'ipv6', size: 1400 });
      expect(await conversation.run(client, open(500, 0.2))).toMatchObject({ wanted: 100, answered: 100 });
    });

    it('run on a CPU each', async () => {
      const { server } = await begin();
      const cpus = (pid: number) =>
        cpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(procText(`/proc/${pid}/status`))?.[1] ?? '');
      expect(cpus(server.pid)).toEqual([receiver]);
      expect(receiver).not.toBe(sender);
    });

    it('that nobody answers end with how many those are', async () => {
      const conversation = await begin();
      process.kill(conversation.server.pid, 'SIGSTOP');
      const { wanted, sent, answered } = await conversation.run(client, { ...open(200, 0.1), patience: 0.2 });
      expect({ wanted, sent, answered }).toEqual({ wanted: 20, sent: 20, answered: 0 });
      process.kill(conversation.server.pid, 'SIGKILL');
    });

    it.each(['tcp', 'connect'] as const)(
      'over %s to a server that is gone are an error, and the client goes on',
      async (protocol) => {
        const gone = await begin({ protocol });
        process.kill(gone.server.pid, 'SIGKILL');
        await pause(100);
        await expect(gone.run(client, open(100, 0.2))).rejects.toThrow(/ECONNREFUSED|has closed|has reset/);
        const other = await begin({ protocol });
        expect(await other.run(client, open(100, 0.2))).toMatchObject({ answered: 20 });
      },
    );

    it('end with the process that started them', async () => {
      const inner = new Scope();
      const { server } = await Conversation.begin(inner, {
        family: 'ipv4',
        protocol: 'tcp',
        size: 64,
        cpu: receiver,
        log: new CommandLog(),
      });
      expect(otherProcesses()).toContain(server.pid);
      inner[Symbol.dispose]();
      const deadline = performance.now() + 5000;
      while (otherProcesses().includes(server.pid) && performance.now() < deadline) await pause(20);
      expect(otherProcesses()).not.toContain(server.pid);
    });

    it('are written down as the commands that set them up', async () => {
      const log = new CommandLog();
      await begin({ log });
      const lines = log.lines.join('\n');
      for (const wanted of [
        /^sender# ip addr add 10\.0\.0\.1/m,
        /tso off/,
        new RegExp(`port ${requestPort}`),
      ])
        expect(lines).toMatch(wanted);
    });
  },
  { kernelHas: ['napi-threads'], tools: ['ip'], ...twoCpus },
);

describeAsRoot(
  'a server that stops for 200 ms in five seconds',
  () => {
    /** Runs a loop, and stops the server once meanwhile, for as long as the stall or a little longer. */
    async function stalled(loop: OpenOrder | ClosedOrder) {
      using scope = new Scope();
      const { sender, receiver } = place(scope);
      const client = await RequestClient.start(scope, sender);
      const conversation = await Conversation.begin(scope, {
        family: 'ipv4',
        protocol: 'udp',
        size: 64,
        cpu: receiver,
        log: new CommandLog(),
      });
      const run = conversation.run(client, loop);
      await pause(2000);
      process.kill(conversation.server.pid, 'SIGSTOP');
      await pause(stallMs);
      process.kill(conversation.server.pid, 'SIGCONT');
      return await run;
    }
    const at = (buckets: readonly Bucket[], percentile: number) =>
      (percentileOf(buckets, percentile) ?? 0) / ms;

    it('is seen by an open loop: at 1,000 requests a second 200 of 5,000 wait, which is 4 %', async () => {
      const { wanted, answered, latency } = await stalled(open(1000, 5));
      expect([wanted, answered]).toEqual([5000, 5000]);
      // Those due in its first half wait for half of it or longer. The last 1 % are 50 requests, the last 0.1 % are 5.
      expect(over(latency, (stallMs / 2) * ms)).toBeGreaterThanOrEqual(90);
      expect(at(latency, 99)).toBeGreaterThan(stallMs / 2);
      expect(at(latency, 99.9)).toBeGreaterThan(stallMs * 0.9);
    });

    it('is hidden by a closed loop, which sends nothing meanwhile: one request alone waits', async () => {
      const { wanted, answered, latency } = await stalled(closed(5));
      expect(answered).toBe(wanted);
      expect(answered).toBeGreaterThan(5000);
      const slow = over(latency, (stallMs / 2) * ms);
      expect(slow).toBeGreaterThanOrEqual(1);
      expect(slow).toBeLessThan(5);
      expect(at(latency, 99.9)).toBeLessThan(stallMs / 2);
    });
  },
  { timing: true, kernelHas: ['napi-threads'], tools: ['ip'], ...twoCpus },
);
