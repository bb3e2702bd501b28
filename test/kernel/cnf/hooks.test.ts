import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { lwtFamily } from '../../../src/cnf/hooks/lwt.js';
import { pinPath } from '../../../src/cnf/layout.js';
import { StateStore } from '../../../src/cnf/store.js';
import { load } from '../../../src/ebpf/load.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { makeBpffs } from '../../support/bpffs.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { makeVethPair } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

describeAsRoot('a swap, where the pin of the program that is to go is lost', () => {
  it("leaves somebody else's program on the route, of which the kernel does not tell the id", () =>
    leavingNothing(async () => {
      using place = makeBpffs();
      using veth = makeVethPair();
      const { netns, ifname } = veth.a;
      const spec = await ObjectSpec.read(join(packageRoot(), 'test/fixtures/objects/hooks.bpf.o'));
      spec.only(['on_lwt_out']);
      using object = load(spec);
      const folder = join(place.root.path, 'netkit/functions/f');
      const next = pinPath(folder, 'progs', 'lwt_xmit');
      const foreign = join(place.root.path, 'foreign');
      mkdirSync(dirname(next), { recursive: true });
      object.program('on_lwt_out').pin(next);
      object.program('on_lwt_out').pin(foreign);
      const route = ['10.99.0.0/24', 'dev', ifname];
      netns.run('ip', ['route', 'add', ...route, 'encap', 'bpf', 'out', 'pinned', foreign]);
      const before = netns.run('ip', ['route']);
      expect(before).toContain('encap bpf');

      lwtFamily.swap(
        folder,
        {
          family: 'lwt',
          name: 'lwt_out',
          program: 'lwt_out',
          hook: 'lwt_out',
          target: {
            kind: 'route',
            destination: '10.99.0.0/24',
            via: null,
            table: 254,
            ifname,
            ifindex: veth.a.ifindex,
            netns: { inode: netns.handle.inode, ref: netns.name },
          },
          programId: 1,
        },
        pinPath(folder, 'progs', 'lwt_out'),
        next,
        { store: new StateStore(place.stateDir), bpffs: place.root.path, note: () => undefined },
      );

      expect(netns.run('ip', ['route'])).toBe(before);
    }));
});
