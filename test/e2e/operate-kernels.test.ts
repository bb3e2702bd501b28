import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { netkit } from '../support/cli.js';
import { leavingNothing } from '../support/kernel-state.js';
import { kernelLacks } from '../support/known-kernels.js';
import { describeAsRoot } from '../support/requirements.js';
import { documentOf, fixture } from './ground.js';
import { onGround } from './hook-ground.js';

const sides = ['ingress', 'egress'] as const;

describeAsRoot(
  'on this kernel',
  () => {
    it('netkit doctor finds nothing in the way', async () => {
      await leavingNothing(() => {
        const { status, stdout, stderr } = netkit(['doctor', '--json']);
        expect(status, stdout + stderr).toBe(0);
      });
    });

    it.each(['native', 'generic'])('XDP in %s mode counts and is taken off', async (mode) => {
      await onGround((ground) => {
        ground.does('load', fixture('pass'), '--name', 'x');
        ground.attach('x', '--mode', mode);
        expect(ground.ping(4)).toBe(4);
        expect(ground.listed('x').links).toMatchObject([{ hook: 'xdp', dead: false }]);
        ground.does('unload', 'x');
      });
    });

    it('a program for tcx drops by a map entry, on tc where there is no tcx, which attach says', async () => {
      await onGround((ground) => {
        ground.does('load', fixture('tcx'), '--name', 'c');
        const family = kernelLacks('tcx') === undefined ? 'tcx' : 'tc';
        const result = ground.attach('c', '--json');
        const { links } = documentOf(documents.attach, result);
        expect(links.map(({ link }) => link.hook)).toEqual(sides.map((side) => `${family}/${side}`));
        for (const [index, { note }] of links.entries()) {
          const why = `this kernel has no tcx/${sides[index]}: it came with Linux 6.6`;
          const how = `attached as a tc filter (tc/${sides[index]}) instead`;
          expect(note).toBe(family === 'tcx' ? null : `${why}: ${how}`);
        }
        expect(ground.ping(4)).toBe(4);
        ground.does('map', 'update', 'c/drop', '0', 'true');
        expect(ground.ping(3)).toBe(0);
        expect([ground.entry('c/packets', '0'), ground.entry('c/packets', '1')]).toEqual([7, 4]);
        ground.does('unload', 'c');
        expect(ground.ping(2)).toBe(2);
      });
    });
  },
  { tools: ['ping'] },
);
