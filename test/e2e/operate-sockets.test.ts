import { afterAll, beforeAll, expect, it } from 'vitest';
import { Scope } from '../../src/base/scope.js';
import type { Fd } from '../../src/sys/fd.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../support/kernel-state.js';
import { describeAsRoot } from '../support/requirements.js';
import {
  addressOf,
  bindSocket,
  openSocket,
  portOf,
  receiveOn,
  sendOn,
  sharePort,
} from '../support/socket-calls.js';
import { type Ground, Objects } from './ground.js';
import { hitsOf, linksOf, loadOperate, onGround } from './hook-ground.js';
import { conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

describeAsRoot(
  'programs of sockets from the command line',
  () => {
    const owned = new Scope();
    let object: string;
    let before: KernelState;

    beforeAll(async () => {
      object = await owned.use(new Objects()).compile('test/fixtures/further-kinds.bpf.c');
      before = snapshotKernelState();
    });
    afterAll(async () => {
      owned[Symbol.dispose]();
      await expectUnchanged(before);
    });

    function boundSocket(ground: Ground): Fd {
      return ground.netns.inside(() => {
        const socket = openSocket('ipv4', 'datagram');
        sharePort(socket);
        bindSocket(socket, addressOf('ipv4', 0));
        return socket;
      });
    }

    function sendTo(ground: Ground, socket: Fd, count: number): void {
      ground.netns.inside(() => {
        for (let sent = 0; sent < count; sent++) {
          using client = openSocket('ipv4', 'datagram');
          sendOn(client, addressOf('ipv4', portOf(socket)));
          receiveOn(socket);
        }
      });
    }

    it.each([
      ['filter', 'socket'],
      ['choose', 'sk_reuseport'],
    ])('%s runs on a socket of another process for as long as it is held', async (program, hook) => {
      await onGround(async (ground) => {
        using socket = boundSocket(ground);
        const name = `${process.pid}:${socket.value}`;
        loadOperate(ground, object, [program]);
        await expectRefused(ground, ['attach', 'o', name], {
          ...unsupported,
          says: /goes with its socket, which only a process can hold/,
          hints: /--hold/,
        });
        using held = ground.start('attach', 'o', name, '--hold');
        await held.output(/^attached o\/\w+ to \w+ of socket .*until it is stopped$/m);
        expect(held.stdout).toContain(`to ${hook} of socket ${name}`);
        sendTo(ground, socket, 10);
        expect(hitsOf(ground)).toBe(10);
        expect(linksOf(ground)).toEqual([]);
        expect((await held.stop()).status).toBe(130);
        sendTo(ground, socket, 10);
        expect(hitsOf(ground)).toBe(10);
      });
    });

    it('a filter on an interface sees what the interface does, without a socket of anybody', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['filter']);
        using held = ground.start('attach', 'o', ground.ifname, '--netns', ground.netns.name, '--hold');
        await held.output(/a packet socket.*until it is stopped$/m);
        expect(ground.ping(5)).toBe(5);
        const counted = hitsOf(ground);
        expect(counted).toBeGreaterThanOrEqual(10);
        held.process.kill('SIGKILL');
        await held.ended.catch(() => undefined);
        ground.ping(5);
        expect(hitsOf(ground)).toBe(counted);
      });
    });

    it('what is no socket of a process, or has a filter, is refused', async () => {
      await onGround(async (ground) => {
        using socket = boundSocket(ground);
        const name = `${process.pid}:${socket.value}`;
        loadOperate(ground, object, ['filter', 'choose']);
        using held = ground.start('attach', 'o/filter', name, '--hold');
        await held.output(/until it is stopped$/m);
        const cases = [
          [['attach', 'o/filter', name, '--hold'], { ...conflict, says: /has a filter already/ }],
          [['attach', 'o/filter', 'socket:[1]', '--hold'], { ...notFound, says: /no process has socket/ }],
          [['attach', 'o/filter', '4194304:1', '--hold'], { ...notFound, says: /no process 4194304/ }],
          [
            ['attach', 'o/choose', ground.ifname, '--netns', ground.netns.name, '--hold'],
            { ...usage, says: /is not a socket, as PID:FD/ },
          ],
        ] as const;
        for (const [args, refusal] of cases) await expectRefused(ground, args, refusal);
        await held.stop();
      });
    });

    it('a program that is run, not attached, says so', async () => {
      await onGround(async (ground) => {
        loadOperate(ground, object, ['on_demand']);
        await expectRefused(ground, ['attach', 'o'], {
          ...unsupported,
          says: /are not attached/,
          hints: /netkit prog run/,
        });
        const said = ground.does('prog', 'run', 'o/on_demand', '--context', '15000000 00000000');
        expect(said.stdout).toMatch(/result:\s+7\n.*out:\s+changed/s);
        expect(said.stdout).toContain('0000  2a 00 00 00 00 00 00 00');
        expect(hitsOf(ground)).toBe(1);
        loadOperate(ground, object, ['filter'], {}, ['--replace']);
        await expectRefused(ground, ['prog', 'run', 'o/filter', '--context', '00'], {
          ...usage,
          says: /--context is for programs of type syscall/,
        });
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
