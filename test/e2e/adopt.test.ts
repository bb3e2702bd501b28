// Taking over what another tool has loaded and attached: nothing is interrupted, and nothing of theirs is removed untold.
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { documents } from '../../src/cli/schema/documents.js';
import type { DocumentOf } from '../../src/cli/schema/index.js';
import type { Attachment } from '../../src/ebpf/attach/index.js';
import { cgroup, rawTracepoint, skLookup, tcx, xdp } from '../../src/ebpf/attach/index.js';
import { Link } from '../../src/ebpf/link.js';
import { load } from '../../src/ebpf/load.js';
import { BpfMap } from '../../src/ebpf/map.js';
import { Program } from '../../src/ebpf/program.js';
import { cgroupPath } from '../../src/host/cgroup.js';
import { packageRoot } from '../../src/host/package-root.js';
import { ObjectSpec } from '../../src/obj/spec.js';
import { TestCgroup } from '../support/cgroup.js';
import { expectUnchangedAfterAll } from '../support/kernel-state.js';
import { describeAsRoot, itWith } from '../support/requirements.js';
import { noWatchers, passTime } from './confirm-ground.js';
import { documentOf, fixture, type Ground, makeGround } from './ground.js';
import { callGetpgid, compileOperate } from './hook-ground.js';
import { runToStep } from './kill-ground.js';
import { Objects } from './objects.js';
import { addClsact, addFilter, removeClsact } from './other-tools.js';
import { conflict, expectRefused, notFound, usage } from './refusal.js';

type Adopted = DocumentOf<'adopt'>;

describeAsRoot('netkit adopt', () => {
  expectUnchangedAfterAll();

  const adopt = (ground: Ground, ...words: string[]): Adopted =>
    documentOf(documents.adopt, ground.does('adopt', ...words, '--json'));

  /** Where another tool pins. */
  const theirs = (ground: Ground, name: string): string => join(ground.bpffs.root.path, name);

  /** A dropping tc program of another tool's, with its map, pinned. */
  async function loadDropper(ground: Ground): Promise<void> {
    const spec = await ObjectSpec.read(fixture('tc'));
    spec.globals.set('drop_all', 'true');
    using object = load(spec);
    object.program('count').pin(theirs(ground, 'prog'));
    object.map('packets').pin(theirs(ground, 'packets'));
  }

  async function loadXdp(ground: Ground): Promise<void> {
    using object = load(await ObjectSpec.read(fixture('pass')));
    object.program('pass').pin(theirs(ground, 'prog'));
  }

  /** Attaches the pinned program as another tool would, and pins the link. @returns the id of the link */
  function attachTheirs(ground: Ground, attach: (program: Program) => Attachment, name = 'link'): number {
    using program = Program.fromPin(theirs(ground, 'prog'));
    using link = attach(program);
    if (!(link instanceof Link)) throw new Error('no link');
    link.pin(theirs(ground, name));
    return link.info().id;
  }

  const onXdp = (ground: Ground) => (program: Program) =>
    program.attach(xdp({ ifname: ground.ifname, netns: ground.netns.handle, mode: 'generic' }));
  const onTcx = (ground: Ground) => (program: Program) =>
    program.attach(tcx({ ifname: ground.ifname, netns: ground.netns.handle, direction: 'ingress' }));

  function isAlive(id: number): boolean {
    using link = Link.fromId(id);
    return !link.info().gone;
  }

  function removeTheirs(ground: Ground, ...names: string[]): void {
    for (const name of names) rmSync(theirs(ground, name));
  }

  function end(ground: Ground): void {
    ground.does('unload', '--all', '--yes');
    ground.expectOnlyLock();
  }

  itWith(
    { kernelHas: ['tcx'] },
    'takes over a program with its map and its link, which go on without a gap and then obey netkit',
    async () => {
      using ground = makeGround();
      await loadDropper(ground);
      const linkId = attachTheirs(ground, onTcx(ground));
      expect(ground.ping()).toBe(0);
      const planned = adopt(ground, theirs(ground, 'prog'), '--name', 'policer', '--dry-run');
      expect(ground.list()).toEqual([]);
      const done = adopt(ground, theirs(ground, 'prog'), '--name', 'policer');
      expect(done.actions).toEqual(planned.actions);
      expect(done.left).toEqual([]);
      expect(done.pins.sort()).toEqual(['link', 'packets', 'prog'].map((name) => theirs(ground, name)));
      expect(ground.listed('policer')).toMatchObject({
        object: null,
        persist: false,
        programs: [{ name: 'count', section: 'tcx/ingress', id: done.programId }],
        maps: [{ name: 'packets', type: 'array' }, { type: 'array' }],
        links: [{ id: linkId, hook: 'tcx/ingress', ifname: ground.ifname, dead: false }],
      });
      expect(ground.ping()).toBe(0);
      expect(ground.entry('policer/packets', '0')).toBeGreaterThanOrEqual(10);
      expect(ground.does('net', ...ground.place).stdout).toMatch(/tcx\/ingress .*policer\/count/);
      // It can be put back after a detach that nobody confirmed, and be attached elsewhere.
      ground.does('detach', 'policer', '--confirm', '1h');
      expect(ground.ping()).toBe(5);
      passTime(ground, 'policer');
      await noWatchers(ground);
      expect(ground.ping()).toBe(0);
      ground.does('detach', 'policer');
      expect(ground.ping()).toBe(5);
      ground.does('attach', 'policer', ...ground.place, '--hook', 'tcx/egress');
      expect(ground.ping()).toBe(0);
      ground.does('unload', 'policer');
      expect(ground.ping()).toBe(5);
      // What the other tool pinned is there still.
      expect(ground.bpffs.pins()).toEqual(['link', 'packets', 'prog']);
      using map = BpfMap.fromPin(theirs(ground, 'packets'));
      expect(map.info.name).toBe('packets');
      removeTheirs(ground, 'link', 'packets', 'prog');
      end(ground);
    },
  );

  it('takes over by a link alone, by an id, and by a name', async () => {
    using ground = makeGround();
    await loadXdp(ground);
    const id = attachTheirs(ground, onXdp(ground));
    removeTheirs(ground, 'prog');
    const byLink = adopt(ground, theirs(ground, 'link'), '--name', 'x');
    expect(byLink.function.links).toMatchObject([{ id, hook: 'xdp', mode: 'generic', dead: false }]);
    removeTheirs(ground, 'link');
    ground.does('unload', 'x');
    expect(ground.hooks().join()).not.toContain('"xdp"');
    await loadXdp(ground);
    using program = Program.fromPin(theirs(ground, 'prog'));
    expect(adopt(ground, `id:${program.info().id}`, '--name', 'x').function.links).toEqual([]);
    ground.does('attach', 'x', ...ground.place, '--direct');
    expect(ground.ping(2)).toBe(2);
    removeTheirs(ground, 'prog');
    end(ground);
  });

  it('keeps what only a process held, when that has ended', async () => {
    using ground = makeGround();
    await loadXdp(ground);
    const args = ['scripts/run.mjs', 'test/support/link-holder.ts', theirs(ground, 'prog')];
    const holder = spawn(process.execPath, [...args, ground.ifname, ground.netns.name], {
      cwd: packageRoot(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => holder.on('close', resolve));
    try {
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      expect(adopt(ground, theirs(ground, 'prog'), '--name', 'x').function.links).toHaveLength(1);
    } finally {
      holder.stdin.end();
      await ended;
    }
    expect(ground.listed('x').links).toMatchObject([{ dead: false }]);
    expect(ground.hooks().join()).toContain('"xdp"');
    removeTheirs(ground, 'prog');
    ground.does('unload', 'x');
    expect(ground.hooks().join()).not.toContain('"xdp"');
    end(ground);
  });

  it('takes over links on cgroups, network namespaces and tracepoints', async () => {
    using ground = makeGround();
    using group = new TestCgroup();
    using objects = new Objects();
    const spec = await ObjectSpec.read(await compileOperate(objects));
    spec.only(['passing', 'raw', 'steer']);
    using object = load(spec);
    const ways: Record<string, (program: Program) => Attachment> = {
      passing: (program) => program.attach(cgroup({ path: group.path, attachType: 'cgroup_inet_ingress' })),
      raw: (program) => program.attach(rawTracepoint({ event: 'sys_enter' })),
      steer: (program) => program.attach(skLookup({ netns: ground.netns.handle })),
    };
    const attach = (name: string, way: (program: Program) => Attachment): void => {
      using link = way(object.program(name));
      if (!(link instanceof Link)) throw new Error('no link');
      link.pin(theirs(ground, name));
    };
    for (const [name, way] of Object.entries(ways)) {
      attach(name, way);
      adopt(ground, theirs(ground, name), '--name', name, '--take-pins');
    }
    const places = ground
      .list()
      .map(({ name, links }) => [name, links.map((link) => [link.hook, link.target, link.dead])]);
    expect(places).toEqual([
      ['passing', [['cgroup_skb/ingress', cgroupPath(group.path), false]]],
      ['raw', [['raw_tracepoint', 'sys_enter', false]]],
      ['steer', [['sk_lookup', null, false]]],
    ]);
    const globals = ground.listed('raw').maps.find(({ name }) => name.endsWith('.bss'))?.name ?? 'none';
    const hits = (): number =>
      Number(JSON.stringify(ground.entry(`raw/${globals}`, '0')).match(/"hits":(\d+)/)?.[1]);
    const seen = hits();
    callGetpgid();
    expect(hits()).toBeGreaterThan(seen);
    for (const name of Object.keys(ways)) ground.does('detach', name);
    const after = hits();
    callGetpgid(3);
    expect(hits()).toBe(after);
    end(ground);
  });

  it('says what it cannot take over, and leaves that as it is', async () => {
    using ground = makeGround();
    await loadXdp(ground);
    ground.netns.run('ip', [
      'link',
      'set',
      'dev',
      ground.ifname,
      'xdpgeneric',
      'pinned',
      theirs(ground, 'prog'),
    ]);
    const netlink = ground.does('adopt', theirs(ground, 'prog'), '--name', 'x');
    expect(netlink.stderr).toMatch(/not taken over: xdp of \S+: it was attached over netlink/);
    ground.does('unload', 'x');
    expect(ground.hooks().join()).toContain('"xdp"');
    ground.netns.run('ip', ['link', 'set', 'dev', ground.ifname, 'xdpgeneric', 'off']);
    removeTheirs(ground, 'prog');
    await loadDropper(ground);
    addClsact(ground);
    addFilter(ground, 'ingress', theirs(ground, 'prog'));
    const { left, function: adopted } = adopt(ground, theirs(ground, 'prog'), '--name', 't');
    expect(left).toEqual([expect.stringMatching(/^tc\/ingress of \S+: a tc filter is no link/)]);
    expect(adopted.links).toEqual([]);
    expect(ground.ping(2)).toBe(0);
    expect(ground.entry('t/packets', '0')).toBeGreaterThanOrEqual(2);
    ground.does('unload', 't');
    expect(ground.ping(2)).toBe(0);
    removeClsact(ground);
    removeTheirs(ground, 'prog', 'packets');
    end(ground);
  });

  it('removes the pins of the other tool when it is told to', async () => {
    using ground = makeGround();
    await loadDropper(ground);
    const done = adopt(ground, theirs(ground, 'prog'), '--name', 't', '--take-pins');
    expect(done.pins).toHaveLength(2);
    expect(ground.bpffs.pins().every((pin) => pin.startsWith('netkit/t/'))).toBe(true);
    expect(ground.entry('t/packets', '0')).toBe(0);
    end(ground);
  });

  it('gets an object by a replacement that keeps the map, and refuses what needs one until then', async () => {
    using ground = makeGround();
    await loadDropper(ground);
    adopt(ground, theirs(ground, 'prog'), '--name', 't', '--take-pins');
    ground.does('attach', 't', ...ground.place, '--hook', 'tc/ingress');
    expect(ground.ping()).toBe(0);
    const count = Number(ground.entry('t/packets', '0'));
    const replaced = ground.does('replace', 't', fixture('tc'));
    expect(replaced.stderr).toMatch(/'t' was adopted/);
    expect(replaced.stdout).toMatch(/^map packets: kept$/m);
    expect(ground.ping()).toBe(5);
    expect(ground.entry('t/packets', '0')).toBeGreaterThanOrEqual(count + 5);
    expect(ground.listed('t').object).toBe(fixture('tc'));
    ground.does('unload', 't');
    await loadXdp(ground);
    adopt(ground, theirs(ground, 'prog'), '--name', 'x', '--take-pins');
    await expectRefused(ground, ['attach', 'x', ...ground.place], {
      status: 6,
      code: 'unsupported',
      says: /'x' was adopted from another tool: there is no object/,
      hints: /--direct/,
    });
    end(ground);
  });

  it('killed at each of its steps has taken over, or not, and has detached nothing', async () => {
    using ground = makeGround();
    const begin = async (): Promise<number> => {
      await loadXdp(ground);
      return attachTheirs(ground, onXdp(ground));
    };
    let id = await begin();
    const start = ground.bpffs.pins();
    const words = ['adopt', theirs(ground, 'prog'), '--name', 'x', '--take-pins'];
    const outcomes: string[] = [];
    for (let step = 0; ; step++) {
      expect(step).toBeLessThan(20);
      const ended = await runToStep(ground, words, step);
      await ground.manages('recover');
      expect(isAlive(id), 'the link is attached all the time').toBe(true);
      if (ground.list().length === 0) {
        outcomes.push('undone');
        expect(ground.bpffs.pins()).toEqual(start);
      } else {
        outcomes.push('adopted');
        expect(ground.listed('x').links).toMatchObject([{ id, dead: false }]);
        expect(ground.bpffs.pins().every((pin) => pin.startsWith('netkit/x/'))).toBe(true);
      }
      if (ended !== undefined) {
        expect(ended.status, ended.stderr).toBe(0);
        break;
      }
      if (outcomes.at(-1) === 'adopted') {
        ground.does('unload', 'x');
        id = await begin();
      }
    }
    expect(outcomes.join(' ')).toMatch(/^(undone )+(adopted )+adopted$/);
    end(ground);
  });

  it('refuses what it cannot make a function of', async () => {
    using ground = makeGround();
    ground.does('load', fixture('pass'), '--name', 'p');
    await loadDropper(ground);
    const pin = theirs(ground, 'prog');
    await expectRefused(ground, ['adopt', pin], { ...usage, says: /needs a name/ });
    await expectRefused(ground, ['adopt', pin, '--name', 'A b'], {
      ...usage,
      says: /cannot be a function's name/,
    });
    await expectRefused(ground, ['adopt', theirs(ground, 'packets'), '--name', 't'], {
      ...usage,
      says: /is a pinned map, not a program/,
    });
    await expectRefused(ground, ['adopt', theirs(ground, 'nowhere'), '--name', 't'], {
      ...notFound,
      says: /there is no pin/,
    });
    await expectRefused(ground, ['adopt', pin, '--name', 'p'], {
      ...conflict,
      says: /there is a function 'p'/,
    });
    await expectRefused(ground, ['adopt', 'p/pass', '--name', 'q'], {
      ...conflict,
      says: /netkit's own: it belongs to 'p'/,
    });
    expect(existsSync(pin)).toBe(true);
    removeTheirs(ground, 'prog', 'packets');
    end(ground);
  });
});
