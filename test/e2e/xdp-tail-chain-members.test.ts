import { unlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pass } from '../support/chain-marks.js';
import { netkit } from '../support/cli.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { loadTail, onTailGround, seen } from '../support/tail-chain.js';
import { ran, returns } from './chain-ground.js';
import { fixture, type Ground } from './ground.js';
import { onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { pinTheirs } from './other-tools.js';

describeAsRoot(
  'chains of XDP programs by tail calls, and who may be in them,',
  () => {
    let object: string;
    let frags: string;
    let without: string;

    compileBeforeAll(async (objects) => {
      object = await objects.compile('test/fixtures/tail-chain.bpf.c');
      frags = await objects.compile('test/fixtures/tail-chain.bpf.c', ['FRAGS']);
      without = await objects.compile('test/fixtures/tail-chain.bpf.c', ['APART']);
    });

    const load = (ground: Ground, name = 'c', path = object): void => loadTail(ground, name, path);

    it('keep a member whose successor does not take part', async () => {
      await onTailGround((ground) => {
        load(ground);
        ground.attach('c/member_1');
        ground.attach('c/member_2');
        const refused = ground.refuses(5, 'replace', 'c', without, '--new-map', 'marks');
        expect(refused.stderr).toMatch(/'member_1' is not built with netkit\/chain\.h/);
        expect(ran(ground)).toEqual([1, 2]);
      });
    });

    it('take no program that does not take part, and say what it lacks; alone it is attached with a note', async () => {
      await onTailGround((ground) => {
        load(ground);
        ground.does('load', fixture('pass'), '--name', 'p');
        expect(ground.attach('c/loner').stderr).toMatch(
          /^netkit: attached alone, since .* freplace, .*, and 'loner' is not built with netkit\/chain\.h/,
        );
        const behind = ground.refuses(5, 'attach', 'p', ...ground.place);
        expect(behind.stderr).toMatch(
          /has an XDP program already: 'loner', id \d+ \(native\)\nhint: .*chain\.h/,
        );
        expect(ground.refuses(5, 'attach', 'c/member_1', ...ground.place).stderr).toMatch(
          /has an XDP program already: 'loner', id \d+ \(native\)/,
        );
        ground.does('detach', 'c');
        ground.attach('c/member_1');
        const second = ground.refuses(5, 'attach', 'p', ...ground.place);
        expect(second.stderr).toMatch(
          /has an XDP program already: 'netkit_xdp_root', id \d+ \(native\)\nhint: .*'pass' is not built with netkit\/chain\.h/,
        );
        ground.refuses(6, 'attach', 'p', ...ground.place, '--priority', '7');
        expect(ran(ground)).toEqual([1]);
      });
    });

    it('leave a program of another tool alone, and name it', async () => {
      await onTailGround((ground) => {
        load(ground);
        const { netns, ifname } = ground;
        const pin = pinTheirs(ground, fixture('pass'));
        netns.run('ip', ['link', 'set', 'dev', ifname, 'xdp', 'pinned', pin]);
        const refused = ground.refuses(5, 'attach', 'c/member_1', ...ground.place);
        expect(refused.stderr).toMatch(/has an XDP program already: 'pass', id \d+ \(native\)/);
        expect(seen(ground)).toMatchObject([{ name: 'pass' }]);
        netns.run('ip', ['link', 'set', 'dev', ifname, 'xdp', 'off']);
        ground.attach('c/member_1');
        expect(() => netns.run('ip', ['link', 'set', 'dev', ifname, 'xdp', 'pinned', pin])).toThrow();
        expect(ran(ground)).toEqual([1]);
        unlinkSync(pin);
      });
    });

    itWith(
      { kernelHas: ['xdp-frags'] },
      'take packets in several buffers when all their members do',
      async () => {
        await onTailGround((ground) => {
          load(ground);
          load(ground, 'f', frags);
          ground.attach('f/member_2');
          expect(ground.refuses(5, 'attach', 'c/member_1', ...ground.place).stderr).toMatch(
            /in several buffers, and 'member_1' does not/,
          );
          ground.attach('f/member_3');
          expect(ran(ground)).toEqual([2, 3]);
          ground.does('detach', 'f');
          ground.attach('c/member_1');
          expect(ground.refuses(5, 'attach', 'f/member_2', ...ground.place).stderr).toMatch(
            /in one buffer, and 'member_2' does not/,
          );
          expect(ran(ground)).toEqual([1]);
        });
      },
    );

    it('stay what they are where the kernel could have a dispatcher', async () => {
      await onTailGround(async (ground) => {
        load(ground);
        ground.attach('c/member_1');
        const { NETKIT_TEST_WITHOUT_FREPLACE: _, ...env } = ground.env;
        const joined = netkit(['attach', 'c/member_2', ...ground.place], { env });
        expect(joined.stdout).toContain('(chain by tail calls, native');
        expect(ran(ground)).toEqual([1, 2]);
      });
    });

    itWith(
      { kernelHas: ['freplace'] },
      'are not needed where the kernel has dispatchers: their programs are members of those',
      async () => {
        await onGround((ground) => {
          load(ground);
          load(ground, 'd');
          const attached = ground.attach('c/member_3', '--priority', '30');
          expect(attached.stdout).toContain(' to xdp (native, priority 30) of ');
          ground.attach('d/member_1', '--priority', '10', '--proceed-on', 'pass,drop');
          ground.attach('c/member_11');
          expect(ran(ground)).toEqual([11, 1, 3]);
          returns(ground, 1, 1);
          expect(ran(ground)).toEqual([11, 1, 3]);
          returns(ground, 11, 0);
          expect(ran(ground)).toEqual([11]);
          ground.does('replace', 'd', object);
          returns(ground, 11, pass);
          expect(ran(ground)).toEqual([11, 1, 3]);
        });
      },
    );
  },
  { tools: ['clang', 'ping'] },
);
