import { expect, it } from 'vitest';
import { z } from 'zod';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { run } from '../support/netns.js';
import { describeAsRoot } from '../support/requirements.js';
import { bpftool, type Ground } from './ground.js';
import { linksOf, loadOperate, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { conflict, expectRefused, unsupported } from './refusal.js';

const noLinks = kernelLacks('sockmap-links');
const silent = kernelLacks('sockmap-query');

describeAsRoot(
  'a map of sockets',
  () => {
    let object: string;

    expectUnchangedAfterAll();
    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/operate.bpf.c');
    });

    const pin = (ground: Ground, ...path: string[]): string =>
      [ground.bpffs.root.path, 'netkit', ...path].join('/');

    /** What another tool would call. */
    const bpftoolDoes = (ground: Ground, verb: 'attach' | 'detach'): void => {
      const program = pin(ground, 'foreign', 'progs', 'message');
      const map = pin(ground, 'o', 'maps', 'sockets');
      run('bpftool', ['prog', verb, 'pinned', program, 'sk_msg_verdict', 'pinned', map]);
    };
    const idOf = (ground: Ground, path: string): number =>
      z
        .looseObject({ id: z.int() })
        .parse(bpftool('prog', 'show', 'pinned', pin(ground, path, 'progs', 'message'))).id;

    it('keeps the program that somebody else gave it', async (context) => {
      context.skip(silent !== undefined, silent);
      await onGround(async (ground) => {
        loadOperate(ground, object, ['message']);
        ground.does('load', object, '--name', 'foreign', '--only', 'message');
        bpftoolDoes(ground, 'attach');
        const id = idOf(ground, 'foreign');
        for (const more of [[], ['--hold']]) {
          if (more.length === 0 && noLinks !== undefined) continue;
          await expectRefused(ground, ['attach', 'o', 'o/sockets', ...more], {
            ...conflict,
            says: new RegExp(`sk_msg_verdict of map 'sockets' has program id ${id} already`),
            hints: /whoever attached/,
          });
        }
        // It is there still: what is not there cannot be taken away.
        bpftoolDoes(ground, 'detach');
        if (noLinks === undefined) ground.does('attach', 'o', 'o/sockets');
      });
    });

    it('keeps no link before Linux 6.10: attaching says so, and touches nothing', async (context) => {
      context.skip(noLinks === undefined, 'a kernel with links to maps of sockets');
      await onGround(async (ground) => {
        loadOperate(ground, object, ['message']);
        ground.does('load', object, '--name', 'foreign', '--only', 'message');
        bpftoolDoes(ground, 'attach');
        if (silent !== undefined)
          await expectRefused(ground, ['attach', 'o', 'o/sockets'], {
            ...unsupported,
            says: /^on this kernel 'message' cannot stay attached to sk_msg: links to maps of sockets came with Linux 6\.10$/,
            hints: /add --hold/,
          });
        bpftoolDoes(ground, 'detach');
        await expectRefused(ground, ['attach', 'o', 'o/sockets'], {
          ...unsupported,
          says: /links to maps of sockets came with Linux 6\.10/,
          hints: /add --hold/,
        });
        using held = ground.start('attach', 'o', 'o/sockets', '--hold');
        await held.output(/until it is stopped$/m);
        expect(held.stderr.includes('Linux tells from 5.18 on')).toBe(silent !== undefined);
        expect((await held.stop()).status).toBe(130);
        expect(linksOf(ground)).toEqual([]);
        // Nothing is left on the map.
        expect(() => {
          const map = pin(ground, 'o', 'maps', 'sockets');
          const own = pin(ground, 'o', 'progs', 'message');
          run('bpftool', ['prog', 'detach', 'pinned', own, 'sk_msg_verdict', 'pinned', map]);
        }).toThrow();
      });
    });
  },
  { tools: ['clang', 'bpftool'] },
);
