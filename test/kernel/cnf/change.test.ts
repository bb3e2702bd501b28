import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import type { Plan } from '../../../src/cnf/action.js';
import { planAttach } from '../../../src/cnf/attach-function.js';
import { planUnload } from '../../../src/cnf/detach-function.js';
import { change, type EnvironmentOptions, recoverLeft } from '../../../src/cnf/environment.js';
import { chooseObject, type LoadRequest, planLoad } from '../../../src/cnf/load-function.js';
import { StateStore } from '../../../src/cnf/store.js';
import { Link } from '../../../src/ebpf/link.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { makeBpffs, type TestBpffs } from '../../support/bpffs.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { makeVethPair, type VethEnd } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

const request: Omit<LoadRequest, 'object'> = {
  globals: {},
  mapSizes: {},
  reuse: {},
  only: null,
  replace: false,
  persist: false,
};

/** `pins` is where the objects go, and may be another bpffs than the one beside the state directory. */
function environment(place: TestBpffs, pins = place.root.path, notes: string[] = []): EnvironmentOptions {
  return {
    bpffs: pins,
    stateDir: place.stateDir,
    lockTimeoutMs: 0,
    command: 'netkit test',
    note: (text) => notes.push(text),
  };
}

async function loadObject(
  options: EnvironmentOptions,
  fixture: string,
  name: string,
  replace = false,
): Promise<void> {
  const object = join(packageRoot(), `test/fixtures/objects/${fixture}.bpf.o`);
  const chosen = { ...request, object, name, replace };
  const spec = await chooseObject(chosen);
  await change(options, (world) => planLoad(world, spec, chosen));
}

/** By themselves: where a kernel has chains they would make one. */
async function attachTo(options: EnvironmentOptions, name: string, end: VethEnd) {
  const { ifname: target, netns } = end;
  const request = { function: name, target, netns: netns.name, options: { direct: true } } as const;
  return change(options, (world) => planAttach(world, request));
}

async function unload(options: EnvironmentOptions, name: string): Promise<void> {
  await change(options, (world) => planUnload(world, name));
}

async function errorOf(work: Promise<unknown>): Promise<NetkitError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof NetkitError) return error;
  throw error ?? new Error('nothing was thrown');
}

describeAsRoot('a change', () => {
  it('that unloads what is pinned on another bpffs leaves no folder there', async () => {
    await leavingNothing(async () => {
      using place = makeBpffs();
      using other = makeBpffs();
      await loadObject(environment(place, other.root.path), 'pass', 'fw');
      await unload(environment(place), 'fw');
      expect(existsSync(join(other.root.path, 'netkit'))).toBe(false);
    });
  });

  it('does not replace on one bpffs what is pinned on another', async () => {
    await leavingNothing(async () => {
      using place = makeBpffs();
      using other = makeBpffs();
      await loadObject(environment(place, other.root.path), 'pass', 'fw');
      const error = await errorOf(loadObject(environment(place), 'pass', 'fw', true));
      expect(error).toMatchObject({ code: 'conflict', hint: expect.stringContaining(other.root.path) });
      expect(place.pins()).toEqual([]);
      await unload(environment(place), 'fw');
      expect(other.pins()).toEqual([]);
    });
  });

  it('that finds its link detached and the hook taken is refused, and keeps nobody from going on', async () => {
    await leavingNothing(async () => {
      using place = makeBpffs();
      using veth = makeVethPair();
      const options = environment(place);
      await loadObject(options, 'pass', 'one');
      await loadObject(options, 'pass', 'two');
      await attachTo(options, 'one', veth.b);
      const [pin = ''] = place.pins().filter((path) => path.includes('one/links/'));
      {
        using link = Link.fromPin(join(place.root.path, pin));
        link.detach();
      }
      await attachTo(options, 'two', veth.b);
      const error = await errorOf(attachTo(options, 'one', veth.b));
      expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('XDP program') });
      expect(readdirSync(place.stateDir)).not.toContain('change.journal');
      await unload(options, 'two');
      await attachTo(options, 'one', veth.b);
      await unload(options, 'one');
    });
  });

  it('that loads anew a function whose pins were removed takes its tc filters off', async () => {
    await leavingNothing(async () => {
      using place = makeBpffs();
      using veth = makeVethPair();
      const { netns, ifname } = veth.b;
      const options = environment(place);
      await loadObject(options, 'tc', 'fw');
      await change(options, (world) =>
        planAttach(world, { function: 'fw', target: ifname, netns: netns.name, hook: 'tc/ingress' }),
      );
      rmSync(join(place.root.path, 'netkit'), { recursive: true });
      await loadObject(options, 'tc', 'fw', true);
      expect(netns.run('tc', ['filter', 'show', 'dev', ifname, 'ingress'])).toBe('');
      await unload(options, 'fw');
    });
  });

  it('takes generic XDP where the driver refuses native for the size of packets', async () => {
    await leavingNothing(async () => {
      using place = makeBpffs();
      using veth = makeVethPair();
      veth.a.netns.run('ip', ['link', 'set', veth.a.ifname, 'mtu', '9000']);
      veth.b.netns.run('ip', ['link', 'set', veth.b.ifname, 'mtu', '9000']);
      const notes: string[] = [];
      const options = environment(place, undefined, notes);
      await loadObject(options, 'pass', 'fw');
      const { made } = await attachTo(options, 'fw', veth.b);
      expect([...made.values()]).toMatchObject([{ mode: 'generic' }]);
      expect(notes).toContainEqual(expect.stringContaining('generic'));
      await unload(options, 'fw');
    });
  });
});

describeAsRoot('recovery', () => {
  it('of a change of an earlier boot leaves the kernel alone and puts the files right', async () => {
    await leavingNothing(async () => {
      using place = makeBpffs();
      using veth = makeVethPair();
      const options = environment(place);
      const store = new StateStore(place.stateDir);
      await loadObject(options, 'pass', 'fw');
      await attachTo(options, 'fw', veth.b);
      const state = store.read('fw');
      if (state === undefined) throw new Error('no state');
      await unload(options, 'fw');
      // Power is lost between the journal and the record of a detach.
      const before = { ...state, bootId: 'an earlier one', persist: true };
      store.write(before);
      const folder = join(place.root.path, 'netkit/fw');
      const [link] = before.links;
      if (link === undefined) throw new Error('no link');
      const plan: Plan = {
        change: 'lost',
        bootId: 'an earlier one',
        command: 'netkit detach fw',
        startedAt: new Date().toISOString(),
        function: 'fw',
        actions: [
          { kind: 'record', function: 'fw', before, after: { ...before, change: 'lost', links: [] } },
          { kind: 'detach', function: 'fw', folder, link },
        ],
      };
      store.writeJournal(plan);
      expect(await recoverLeft(options)).toMatchObject({ recovery: { outcome: 'undone' } });
      expect(store.readJournal()).toBeUndefined();
      expect(store.read('fw')).toEqual(before);
    });
  });
});
