import { expect, it } from 'vitest';
import type { Fd } from '../../src/sys/fd.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
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
import type { Ground } from './ground.js';
import { hitsOf, linksOf, loadOperate, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, expectRefused, notFound, unsupported, usage } from './refusal.js';

describeAsRoot(
  'programs of sockets from the command line',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/further-kinds.bpf.c');
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
        using held = ground.start('attach', 'o', ...ground.place, '--hold');
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

    it("the program that chooses among a port's sockets is not replaced untold", async () => {
      await onGround(async (ground) => {
        using socket = boundSocket(ground);
        using other = ground.netns.inside(() => {
          const second = openSocket('ipv4', 'datagram');
          sharePort(second);
          bindSocket(second, addressOf('ipv4', portOf(socket)));
          return second;
        });
        const names = [socket, other].map(({ value }) => `${process.pid}:${value}`);
        const [name = '', second = ''] = names;
        loadOperate(ground, object, ['choose']);
        ground.does('load', object, '--name', 'next', '--only', 'choose', '--only', 'filter');
        using held = ground.start('attach', 'o', name, '--hold');
        await held.output(/until it is stopped$/m);
        const id = ground.listed('o').programs[0]?.id;
        for (const each of [name, second]) {
          await expectRefused(ground, ['attach', 'next/choose', each, '--hold'], {
            ...conflict,
            says: new RegExp(`the sockets on the port of socket ${each} have program id ${id} already`),
            hints: /--take-over replaces it for good/,
            details: { program: id },
          });
        }
        await expectRefused(ground, ['attach', 'next/filter', name, '--hold', '--take-over'], {
          ...usage,
          says: /--take-over is for sk_reuseport/,
        });
        using taking = ground.start('attach', 'next/choose', second, '--hold', '--take-over');
        await taking.output(/until it is stopped$/m);
        ground.netns.inside(() => {
          using client = openSocket('ipv4', 'datagram');
          for (let sent = 0; sent < 4; sent++) sendOn(client, addressOf('ipv4', portOf(socket)));
        });
        expect([hitsOf(ground), hitsOf(ground, 'next')]).toEqual([0, 4]);
        await taking.stop();
        await held.stop();
        // What a killed command left is taken for what it is: the function's own.
        using killed = ground.start('attach', 'o', name, '--hold');
        await killed.output(/until it is stopped$/m);
        killed.process.kill('SIGKILL');
        await killed.ended.catch(() => undefined);
        using again = ground.start('attach', 'o', second, '--hold');
        await again.output(/until it is stopped$/m);
        await again.stop();
        using after = ground.start('attach', 'next/choose', name, '--hold');
        await after.output(/until it is stopped$/m);
        await after.stop();
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
            ['attach', 'o/choose', ...ground.place, '--hold'],
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
        ground.does('load', object, '--name', 'other', '--only', 'filter');
        await expectRefused(ground, ['prog', 'run', 'other/filter', '--context', '00'], {
          ...usage,
          says: /--context is for programs of type syscall/,
        });
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
