import { expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { findInterface } from '../../../src/host/interfaces.js';
import { currentNetnsInode } from '../../../src/host/netns.js';
import { ipBatch, makeNetns, makeVethPair } from '../../support/netns.js';
import { describeAsRoot } from '../../support/requirements.js';

function hintOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return error.hint;
    throw error;
  }
  throw new Error('it was found');
}

describeAsRoot('findInterface', () => {
  it('finds an interface in another namespace, also one that is down', () => {
    using pair = makeVethPair();
    const { netns, ifname, ifindex } = pair.a;
    ipBatch([`link set ${ifname} down`], netns);
    expect(findInterface(ifname, netns.handle)).toEqual({ ifname, ifindex, netnsInode: netns.handle.inode });
  });

  it('finds an interface of this namespace', () => {
    expect(findInterface('lo')).toEqual({ ifname: 'lo', ifindex: 1, netnsInode: currentNetnsInode() });
  });

  it('says in which other namespace the interface is', () => {
    using pair = makeVethPair();
    const { netns, ifname } = pair.b;
    expect(hintOf(() => findInterface(ifname))).toBe(
      `it exists in netns '${netns.name}': add --netns ${netns.name}`,
    );
    expect(hintOf(() => findInterface(ifname, pair.a.netns.handle))).toContain(`--netns ${netns.name}`);
  });

  it('says that the interface is in the namespace where netkit runs', () => {
    using empty = makeNetns();
    using pair = makeVethPair();
    const { netns, ifname } = pair.a;
    const hint = netns.inside(() => hintOf(() => findInterface(ifname, empty.handle)));
    expect(hint).toBe('it exists in the namespace of this process: leave --netns out');
  });

  it('suggests the name that was probably meant', () => {
    using pair = makeVethPair();
    const { netns, ifname } = pair.a;
    const typo = `${ifname.slice(0, -1)}q`;
    expect(() => findInterface(typo, netns.handle)).toThrow(
      `no interface '${typo}' in netns '${netns.name}'`,
    );
    expect(hintOf(() => findInterface(typo, netns.handle))).toBe(`did you mean '${ifname}'?`);
  });

  it('does not find a name that is longer than the kernel allows', () => {
    expect(() => findInterface('an-interface-name-that-is-too-long')).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    );
  });
});
