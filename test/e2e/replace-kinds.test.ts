/** `netkit replace` on each kind of hook: how its programs are swapped. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import { Link } from '../../src/ebpf/link.js';
import { Program } from '../../src/ebpf/program.js';
import { TestCgroup } from '../support/cgroup.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { documentOf, fixture } from './ground.js';
import { callGetpgid, onGround } from './hook-ground.js';
import { compileBeforeAll } from './objects.js';
import { compileRelease, load, refuses, replaces } from './replace-ground.js';

describeAsRoot(
  '`netkit replace`, on each kind of hook',
  () => {
    let first: string;
    let second: string;

    compileBeforeAll(async (objects) => {
      first = await compileRelease(objects, 1);
      second = await compileRelease(objects, 2);
    });

    it('puts all links back when somebody else has changed one of them', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter', 'shape']);
        ground.attach('f/filter', '--direct');
        ground.does('load', fixture('pass'), '--name', 'other');
        const links = join(ground.bpffs.root.path, 'netkit/f/links');
        const { a } = ground.veth;
        ground.does('attach', 'f/filter', a.ifname, '--netns', a.netns.name, '--direct');
        const [name = ''] = readdirSync(links)
          .filter((each) => each.includes(a.ifname))
          .slice(-1);
        const programsOn = (): number[] =>
          readdirSync(links).map((each) => {
            using link = Link.fromPin(join(links, each));
            return link.info().programId;
          });
        {
          using link = Link.fromPin(join(links, name));
          using other = Program.fromPin(join(ground.bpffs.root.path, 'netkit/other/progs/pass'));
          using own = Program.fromPin(join(ground.bpffs.root.path, 'netkit/f/progs/filter'));
          link.update(other, own);
        }
        const before = programsOn();
        expect(new Set(before).size).toBe(2);
        const error = refuses(ground, 5, 'replace', 'f', second);
        expect(error.code).toBe('conflict');
        expect(programsOn()).toEqual(before);
      });
    });

    itWith(
      { kernelHas: ['tcx'] },
      'swaps tcx in place: its link, its order and the programs beside it stay',
      async () => {
        await onGround((ground) => {
          load(ground, first, ['shape', 'leaving']);
          ground.does('load', fixture('tcx'), '--name', 'beside');
          ground.attach('beside/on_ingress');
          ground.attach('f/shape', '--first');
          ground.attach('f/leaving');
          const order = () =>
            documentOf(documents['link list'], ground.does('link', 'list', '--json')).links.map((link) => [
              link.id,
              link.hook,
              link.program.name,
            ]);
          const before = order();
          replaces(ground, second);
          expect(order()).toEqual(before);
          expect(ground.ping(3)).toBe(3);
          expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(6);
        });
      },
    );

    it('writes over a tc filter, which stays in its place', async () => {
      await onGround((ground) => {
        load(ground, first, ['shape']);
        ground.attach('f/shape', '--hook', 'tc/ingress');
        replaces(ground, second);
        expect(ground.ping(3)).toBe(3);
        expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(3);
        expect(ground.hooks().filter((text) => text.includes('shape'))).toHaveLength(1);
      });
    });

    itWith({ kernelHas: ['freplace'] }, 'swaps a member of an XDP chain, with its maps', async () => {
      await onGround((ground) => {
        load(ground, first, ['filter']);
        ground.does('load', fixture('pass'), '--name', 'other');
        ground.attach('f/filter', '--priority', '10');
        ground.attach('other');
        expect(ground.ping(3)).toBe(3);
        replaces(ground, second);
        expect(ground.ping(3)).toBe(3);
        expect(ground.entry('f/kept', '1')).toBeGreaterThanOrEqual(3);
        expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(3);
        expect(ground.listed('f').links[0]?.detail).toContain('priority 10');
      });
    });

    it('swaps a program of a cgroup', async () => {
      await onGround((ground) => {
        using cgroup = new TestCgroup();
        load(ground, first, ['connecting']);
        ground.does('attach', 'f', cgroup.path);
        const before = ground.listed('f').links[0]?.id;
        replaces(ground, second);
        expect(ground.listed('f').links[0]?.id).toBe(before);
      });
    });

    itWith(
      { kernelHas: ['perf-links'] },
      'has both programs of a tracepoint run for a moment, and says so',
      async () => {
        await onGround((ground) => {
          load(ground, first, ['traced']);
          ground.does('attach', 'f');
          const result = ground.does('replace', 'f', second);
          expect(result.stderr).toMatch(
            /cannot swap f\/traced on tracepoint.*for a moment both programs run/,
          );
          callGetpgid(2);
          expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(2);
        });
      },
    );

    itWith(
      { kernelHas: ['netfilter-links'] },
      'replaces a netfilter program with --allow-gap only',
      async () => {
        await onGround((ground) => {
          load(ground, first, ['hooked']);
          ground.does('attach', 'f', '--stage', 'input', '--netns', ground.netns.name);
          const error = refuses(ground, 6, 'replace', 'f', second);
          expect(error.hint).toContain('--allow-gap');
          const result = ground.does('replace', 'f', second, '--allow-gap');
          expect(result.stderr).toMatch(/for a moment neither program runs/);
          expect(ground.ping(2)).toBe(2);
          expect(ground.entry('f/kept', '2')).toBeGreaterThanOrEqual(2);
        });
      },
    );
  },
  { tools: ['clang', 'ping', 'tc'] },
);
