import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { packageRoot } from '../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../support/bpffs.js';
import { netkit, startNetkit } from '../support/cli.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, errorOf } from './ground.js';
import { Objects } from './objects.js';

const packet = '00'.repeat(60);

describeAsRoot(
  'netkit prog profile',
  () => {
    let before: KernelState;
    let bpffs: TestBpffs;
    let objects: Objects;

    beforeAll(async () => {
      before = snapshotKernelState();
      bpffs = makeBpffs();
      objects = new Objects();
      const object = await objects.compile('test/fixtures/slow.bpf.c');
      const { status, stderr } = netkit(['load', object, '--name', 'slow'], { env: bpffs.env });
      if (status !== 0) throw new Error(stderr);
    });
    afterAll(async () => {
      objects[Symbol.dispose]();
      bpffs[Symbol.dispose]();
      await expectUnchanged(before);
    });

    const profile = (...args: string[]) => netkit(['prog', 'profile', ...args], { env: bpffs.env });

    it('measures a program that runs meanwhile, and says how', async () => {
      using measuring = startNetkit(['prog', 'profile', 'slow/slow_tc', '--seconds', '4', '--json'], {
        env: bpffs.env,
      });
      let over = false;
      const ended = measuring.ended.finally(() => {
        over = true;
      });
      while (!over) {
        using running = startNetkit(['prog', 'run', 'slow/slow_tc', '--hex', packet, '--repeat', '20000'], {
          env: bpffs.env,
        });
        await running.ended;
      }
      const document = documentOf(documents['prog profile'], await ended);
      expect(document.tier).toMatch(/^(counters|fentry|statistics)$/);
      expect(document.runs).toBeGreaterThan(0);
      expect(document.nanoseconds).toBeGreaterThan(0);
      expect(document.seconds).toBeGreaterThanOrEqual(4);
      expect(document.counters.length > 0).toBe(document.tier === 'counters');
    });

    it('runs it on a packet when one is given, and on its own packet when asked to', () => {
      const given = documentOf(
        documents['prog profile'],
        profile('slow/slow', '--hex', packet, '--seconds', '0.3', '--json'),
      );
      expect(given).toMatchObject({
        tier: 'test-run',
        counters: [],
        passedOver: [],
        program: { name: 'slow' },
      });
      expect(given.nanoseconds).toBeGreaterThan(0);
      const { stdout, status } = profile('slow/slow_tc', '--tier', 'test-run', '--seconds', '0.3');
      expect(status).toBe(0);
      expect(stdout).toMatch(
        /^tier: +test-run: test runs on one packet\nobserved: +[\d.]+ s\nruns: +\d+, \d+ a second\ntime: +[\d.]+ ns a run\ntaken off: +[\d.]+ ns a run/,
      );
    });

    it('says that it did not run, and shows no time', () => {
      const { stdout, stderr, status } = profile('slow/slow', '--tier', 'statistics', '--seconds', '0.2');
      expect(status).toBe(0);
      expect(stdout).not.toMatch(/^time:/m);
      expect(stderr).toBe(
        'netkit: slow did not run meanwhile; --tier test-run measures it without traffic\n',
      );
    });

    it('ends with 130 when it is interrupted, and leaves nothing', async () => {
      using measuring = startNetkit(['prog', 'profile', 'slow/slow', '--seconds', '60'], { env: bpffs.env });
      setTimeout(() => measuring.process.kill('SIGINT'), 1500);
      expect(await measuring.ended).toMatchObject({ status: 130, stdout: '' });
    });

    it.each([
      [
        'a packet for a way that takes none',
        ['slow/slow', '--tier', 'statistics', '--hex', packet],
        2,
        'usage',
      ],
      ['two packets', ['slow/slow', '--hex', packet, '--pcap', 'x'], 2, 'usage'],
      ['a way that there is not', ['slow/slow', '--tier', 'guess'], 2, 'usage'],
      ['no time', ['slow/slow', '--seconds', '0'], 2, 'usage'],
      [
        'a file that is no capture',
        ['slow/slow', '--pcap', join(packageRoot(), 'package.json')],
        2,
        'bad-value',
      ],
      ['a program that is not there', ['slow/nothing'], 3, 'not-found'],
    ] as const)('refuses %s', (_what, args, status, code) => {
      const result = profile(...args, '--json');
      expect({ status: result.status, stdout: result.stdout }).toEqual({ status, stdout: '' });
      expect(errorOf(result).code).toBe(code);
    });
  },
  { tools: ['clang'] },
);
