import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { tcx, xdp } from '../../../src/ebpf/attach/index.js';
import { Link } from '../../../src/ebpf/link.js';
import { load } from '../../../src/ebpf/load.js';
import { Program } from '../../../src/ebpf/program.js';
import { VerifierError } from '../../../src/ebpf/verifier-error.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { makeBpffs } from '../../support/bpffs.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { kernelLacks } from '../../support/known-kernels.js';
import { makeVethPair, pingCount, run } from '../../support/netns.js';
import { ethernet, ipv4, packet, payload, udp } from '../../support/packets.js';
import { describeAsRoot, itWith, type Requirements } from '../../support/requirements.js';

const XDP_DROP = 1;
const XDP_PASS = 2;
const frame = packet(ethernet(), ipv4({ source: '192.0.2.1' }), udp(), payload(64));

const fixture = (name: string): ObjectSpec =>
  ObjectSpec.readSync(join(packageRoot(), `test/fixtures/objects/${name}.bpf.o`));

function errorOf(work: () => unknown): NetkitError {
  try {
    work();
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describeAsRoot('programs and links', () => {
  it('load with their maps, run on a packet, and go with the object', async () => {
    await leavingNothing(() => {
      using object = load(fixture('globals'));
      const program = object.program('globals');
      const run1 = program.testRun({ data: frame });
      expect(run1.verdict).toBe(XDP_DROP);
      expect(Buffer.from(run1.data)).toEqual(Buffer.from(frame));
      const many = program.testRun({ data: frame, repeat: 1000 });
      expect(many.nsPerRun).toBeLessThan(100_000);
      const info = program.info();
      expect(info).toMatchObject({ type: 'xdp', name: 'globals', gplCompatible: true });
      if (kernelLacks('verified-instructions') === undefined)
        expect(info.verifiedInstructions).toBeGreaterThan(0);
      else expect(info.verifiedInstructions).toBeUndefined();
      expect(info.mapIds.length).toBeGreaterThan(0);
      const theirs: unknown = JSON.parse(run('bpftool', ['-j', 'prog', 'show', 'id', String(info.id)]));
      expect(theirs).toMatchObject({
        tag: info.tag,
        bytes_xlated: info.translatedBytes,
        bytes_jited: info.jitedBytes,
      });
      expect(errorOf(() => program.testRun({ data: frame.subarray(0, 13) })).code).toBe('bad-value');
      expect(errorOf(() => object.program('global')).hint).toMatch(/globals/);
    });
  });

  it('take globals that were set before, and only the programs that were chosen', async () => {
    await leavingNothing(() => {
      const spec = fixture('globals');
      spec.globals.set('default_action', 'PASS');
      using object = load(spec);
      expect(object.program('globals').testRun({ data: frame }).verdict).toBe(XDP_PASS);
      const one = fixture('subprograms');
      one.only(['calls']);
      using chosen = load(one);
      expect([...chosen.programs.keys()]).toEqual(['calls']);
    });
  });

  it('use an existing map in place of a new one', async () => {
    await leavingNothing(() => {
      using first = load(fixture('tc'));
      using second = load(fixture('tc'), { reuse: new Map([['packets', first.map('packets')]]) });
      expect(second.map('packets').info.id).toBe(first.map('packets').info.id);
      second.program('count').testRun({ data: frame });
      first.program('count').testRun({ data: frame });
      expect(first.map('packets').get(0)).toBe(2n);
    });
  });

  it('pin no map that the object asks to be pinned: where things are pinned is not its to say', async () => {
    await leavingNothing(() => {
      using object = load(fixture('pinned'));
      expect(object.map('shared').get(0)).toBe(0);
    });
  });

  it('that the verifier refuses throw a VerifierError with place and log, and nothing on the terminal', async () => {
    await leavingNothing(() => {
      const error = errorOf(() => load(fixture('oob')));
      expect(error).toBeInstanceOf(VerifierError);
      expect(error.message).toMatch(/'oob' at .*oob\.bpf\.c:10: reads 1 byte of the packet at offset 12/);
      expect(error.details.log).toMatch(/processed \d+ insns/);
    });
    const probe = spawnSync(
      process.execPath,
      ['scripts/run.mjs', 'test/kernel/ebpf/load-probe.ts', 'oob', 'legacy', 'ulong', 'bigendian', 'pass'],
      { encoding: 'utf8', cwd: packageRoot() },
    );
    expect(probe.stderr).toBe('');
    expect(probe.stdout).toBe(
      'oob verifier-refused\nlegacy bad-object\nulong bad-object\nbigendian bad-object\npass loaded\n',
    );
  });

  it('attach through a link that ends when it is disposed of, unless it is pinned', async () => {
    using veth = makeVethPair();
    const target = { ifname: veth.b.ifname, netns: veth.b.netns.handle };
    const pings = () => pingCount(veth.a.netns, veth.b.address, 2);
    await leavingNothing(() => {
      using bpffs = makeBpffs();
      using object = load(fixture('globals'));
      const program = object.program('globals');
      {
        using link = program.attach(xdp(target));
        expect(link.info()).toMatchObject({
          type: 'xdp',
          ifindex: veth.b.ifindex,
          programId: program.info().id,
        });
        expect(pings()).toBe(0);
        expect(errorOf(() => program.attach(xdp(target))).code).toBe('conflict');
      }
      expect(pings()).toBe(2);
      const pin = join(bpffs.root.path, 'link');
      {
        using link = program.attach(xdp({ ...target, mode: 'generic' }));
        link.pin(pin);
      }
      expect(pings()).toBe(0);
      using pinned = Link.fromPin(pin);
      using byId = Link.fromId(pinned.info().id);
      expect([...Link.ids()]).toContain(byId.info().id);
      byId.detach();
      expect(pinned.info().ifindex).toBe(0);
      expect(pings()).toBe(2);
      expect(errorOf(() => Program.fromPin(pin)).code).toBe('usage');
      expect(errorOf(() => program.attach(xdp({ ...target, ifname: 'none' }))).code).toBe('not-found');
      expect(errorOf(() => program.attach(xdp({ ...target, ifname: 'lo' }))).code).toBe('unsupported');
      expect(errorOf(() => program.attach(tcx({ ...target, direction: 'ingress' }))).code).toBe(
        'unsupported',
      );
    });
  });

  for (const hook of ['xdp', 'tcx'] as const) {
    const needs: Requirements = hook === 'tcx' ? { kernelHas: ['tcx'] } : {};
    itWith(needs, `swap the program of a link (${hook}) only when it is the one expected`, async () => {
      using veth = makeVethPair();
      const target = { ifname: veth.b.ifname, netns: veth.b.netns.handle };
      await leavingNothing(() => {
        const name = hook === 'xdp' ? 'globals' : 'tc';
        const options = hook === 'xdp' ? xdp(target) : tcx({ ...target, direction: 'ingress' });
        using one = load(fixture(name));
        using two = load(fixture(name));
        using three = load(fixture(name));
        const [first, second, third] = [one, two, three].map((each) => [...each.programs.values()][0]);
        if (first === undefined || second === undefined || third === undefined) throw new Error('no program');
        using link = first.attach(options);
        const { id } = link.info();
        link.update(second, first);
        expect(link.info()).toMatchObject({ id, programId: second.info().id });
        const lost = errorOf(() => link.update(third, first));
        expect(lost.code).toBe('conflict');
        expect(link.info().programId).toBe(second.info().id);
        link.detach();
        expect(errorOf(() => link.update(third, second)).code).toBe('conflict');
      });
    });
  }

  it('leave no descriptor open, whatever fails', () => {
    using veth = makeVethPair();
    const target = { ifname: veth.b.ifname, netns: veth.b.netns.handle };
    const round = () => {
      using object = load(fixture('globals'));
      using link = object.program('globals').attach(xdp(target));
      errorOf(() => object.program('globals').attach(xdp(target)));
      errorOf(() => object.program('globals').attach(xdp({ ...target, ifname: 'none' })));
      using again = Link.fromId(link.info().id);
      again.info();
      errorOf(() => load(fixture('oob')));
      errorOf(() => load(fixture('bigendian')));
      errorOf(() => Program.fromId(2 ** 31 - 1));
    };
    round();
    const before = readdirSync('/proc/self/fd').length;
    for (let count = 0; count < 10; count++) round();
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});
