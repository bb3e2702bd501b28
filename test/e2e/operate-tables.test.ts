import { expect, it } from 'vitest';
import { isErrno } from '../../src/sys/errno.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { chooseCongestionControl, tcpPair } from '../support/socket-calls.js';
import type { Ground } from './ground.js';
import { hookLack, linksOf, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { rebootUnloading } from './reboot.js';
import { conflict, expectRefused, unsupported, usage } from './refusal.js';

const lack = hookLack('struct_ops');

describeAsRoot(
  'tables of callbacks from the command line',
  () => {
    let linked: string;
    let bare: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      bare = await objects.compile('test/fixtures/hooks/congestion.bpf.c');
      linked = await objects.compile('test/fixtures/hooks/congestion.bpf.c', ['TABLE=".struct_ops.link"']);
    });

    /** Chooses the congestion control of the table for a connection. @returns whether there is one */
    function isThere({ netns }: Ground): boolean {
      return netns.inside(() => {
        using pair = tcpPair();
        try {
          chooseCongestionControl(pair.client, 'bpf_netkit_test');
          return true;
        } catch (error) {
          if (isErrno(error, 'ENOENT')) return false;
          throw error;
        }
      });
    }

    const hits = (ground: Ground): unknown => ground.entry('o/.bss', '0');

    it('a table with a link is attached by its name, swapped in place, detached, and attached again', async (context) => {
      const reason = lack ?? kernelLacks('struct-ops-links');
      context.skip(reason !== undefined, reason);
      await onGround(async (ground) => {
        ground.does('load', linked, '--name', 'o', '--persist');
        expect(isThere(ground)).toBe(false);
        expect(ground.does('attach', 'o').stdout).toBe(
          'attached o/control to struct_ops of tcp_congestion_ops\n',
        );
        expect(isThere(ground)).toBe(true);
        expect(hits(ground)).toEqual({ hits: 1 });
        const [link] = linksOf(ground);
        expect(link).toMatchObject({ type: 'struct_ops', target: 'tcp_congestion_ops', dead: false });
        expect(ground.does('link', 'show', `id:${link?.id}`).stdout).toContain('control');
        expect(ground.does('attach', 'o/control').stdout).toMatch(/already$/m);
        ground.does('load', linked, '--name', 'second');
        await expectRefused(ground, ['attach', 'second'], { ...conflict, says: /are there already/ });
        ground.does('unload', 'second');

        ground.does('load', linked, '--name', 'o', '--replace');
        expect(linksOf(ground)[0]?.id).toBe(link?.id);
        expect(isThere(ground)).toBe(true);
        expect(hits(ground)).toEqual({ hits: 1 });
        ground.does('replace', 'o', linked);
        expect(linksOf(ground)[0]?.id).toBe(link?.id);
        expect(isThere(ground)).toBe(true);
        expect(hits(ground)).toEqual({ hits: 2 });

        ground.does('detach', 'o/control');
        expect(isThere(ground)).toBe(false);
        ground.does('attach', 'o/control');
        expect(isThere(ground)).toBe(true);
        rebootUnloading(ground, linked);
        expect(isThere(ground)).toBe(false);
        expect(ground.does('recover').stdout).toMatch(/brought back o/);
        expect(isThere(ground)).toBe(true);
        using held = ground.start('attach', 'o', '--hold');
        expect((await held.ended).status).toBe(5);
      });
    });

    it('a table without a link is kept by the kernel, and attached once', async (context) => {
      context.skip(lack !== undefined, lack);
      await onGround(async (ground) => {
        ground.does('load', bare, '--name', 'o');
        await expectRefused(ground, ['attach', 'o', '--hold'], {
          ...unsupported,
          says: /nobody can hold it/,
        });
        ground.does('attach', 'o', 'tcp_congestion_ops');
        expect(isThere(ground)).toBe(true);
        expect(linksOf(ground)).toMatchObject([{ id: null, type: 'struct_ops', dead: false }]);
        await expectRefused(ground, ['load', bare, '--name', 'o', '--replace'], {
          ...conflict,
          says: /in the place of one without a link/,
        });
        ground.does('detach', 'o', 'tcp_congestion_ops');
        expect(isThere(ground)).toBe(false);
        await expectRefused(ground, ['attach', 'o'], { ...conflict, says: /once is all/, hints: /load/ });
      });
    });

    it('a callback is attached with its table only, and nowhere else', async (context) => {
      context.skip(lack !== undefined, lack);
      await onGround(async (ground) => {
        ground.does('load', bare, '--name', 'o');
        await expectRefused(ground, ['attach', 'o/init'], {
          ...unsupported,
          says: /section 'struct_ops\/init'/,
          hints: /netkit attach FUNCTION\/TABLE/,
        });
        await expectRefused(ground, ['attach', 'o/control', 'lo'], {
          ...usage,
          says: /was loaded for tcp_congestion_ops/,
        });
      });
    });
  },
  { tools: ['clang', 'ping'] },
);
