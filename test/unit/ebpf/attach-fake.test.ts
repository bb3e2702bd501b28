/** Which way an attachment takes is decided by what the kernel answers: here a fake one, so that no root is needed. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Hook } from '../../../src/base/hook-names.js';
import type { World } from '../../../src/cnf/environment.js';
import type { HookOptions } from '../../../src/cnf/hooks/family.js';
import type { LinkOf, LinkState } from '../../../src/cnf/link-state.js';
import type { NativeArgument } from '../../../src/sys/call.js';
import { bpfCommands, uapi } from '../../../src/sys/uapi.js';
import { functionState } from '../../support/function-state.js';

const programFd = 900_001;
const linkFd = 900_002;
const socketFd = 900_003;

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  // What /proc says of the fake kernel's descriptors.
  const targets: Record<string, string> = { '/proc/self/fd/900001': 'anon_inode:bpf-prog' };
  const readlinkSync = (path: string): string => targets[path] ?? fs.readlinkSync(path, 'utf8');
  return { ...fs, readlinkSync };
});

type Command = keyof typeof bpfCommands;
/** `errno` fails the call with it. */
type Answer = { readonly fd: number } | { readonly errno: number };

/** errno numbers of asm-generic/errno.h, as the kernel gives them. */
const errno = { EPERM: 1, ENOENT: 2, EBUSY: 16, EINVAL: 22, ERANGE: 34, EOPNOTSUPP: 95 };

/** A kernel with one interface, `eth0`, beside the loopback. It notes what is asked of bpf(2). */
class FakeKernel {
  readonly commands: string[] = [];
  /** Flags of each BPF_LINK_CREATE. */
  readonly linkFlags: number[] = [];
  onLinkCreate: (flags: number) => Answer = () => ({ fd: linkFd });
  onQuery: () => Answer = () => ({ fd: 0 });

  invoke(symbol: string, args: readonly NativeArgument[]): { result: number; errno?: number } {
    switch (symbol) {
      case 'syscall':
        return this.#bpf(args);
      case 'if_nametoindex':
        return { result: args[0] === 'lo' ? 1 : args[0] === 'eth0' ? 7 : 0 };
      case 'socket':
        return { result: socketFd };
      case 'send':
        return { result: Number(args[2]) };
      case 'recv':
        return { result: endOfDump(args[1]) };
      case 'close':
        return { result: 0 };
      default:
        throw new Error(`the fake kernel knows no ${symbol}`);
    }
  }

  #bpf([, command, attributes]: readonly NativeArgument[]): { result: number; errno?: number } {
    if (!(attributes instanceof Uint8Array)) throw new Error('bpf(2) without attributes');
    const names = Object.keys(bpfCommands) as Command[];
    const name = names.find((each) => bpfCommands[each] === command);
    this.commands.push(name ?? String(command));
    const answer = this.#answer(name, attributes);
    return 'errno' in answer ? { result: -1, errno: answer.errno } : { result: answer.fd };
  }

  #answer(command: Command | undefined, attributes: Uint8Array): Answer {
    switch (command) {
      case 'OBJ_GET':
        return { fd: programFd };
      case 'OBJ_PIN':
        return { fd: 0 };
      case 'PROG_QUERY':
        return this.onQuery();
      case 'LINK_CREATE': {
        const flagsAt = 12;
        const flags = new DataView(attributes.buffer).getUint32(flagsAt, true);
        this.linkFlags.push(flags);
        return this.onLinkCreate(flags);
      }
      case 'OBJ_GET_INFO_BY_FD':
        // All zero: a program without a name.
        return { fd: 0 };
      default:
        throw new Error(`the fake kernel knows no bpf(${command})`);
    }
  }
}

/** Writes NLMSG_DONE: an interface without qdisc or filter. @returns its length */
function endOfDump(buffer: NativeArgument | undefined): number {
  if (!(buffer instanceof Uint8Array)) throw new Error('recv without a buffer');
  const [length, done] = [20, 3];
  const view = new DataView(buffer.buffer, buffer.byteOffset);
  view.setUint32(0, length, true);
  view.setUint16(4, done, true);
  return length;
}

let kernel: FakeKernel;
let folder: string;
let notes: string[];
const note = (text: string): void => {
  notes.push(text);
};

beforeEach(async () => {
  // What the kernel has is asked once a process: each test has its own.
  vi.resetModules();
  kernel = new FakeKernel();
  folder = mkdtempSync(join(tmpdir(), 'netkit-test-'));
  notes = [];
  const { setFakeNative } = await import('../../../src/sys/call.js');
  setFakeNative(kernel);
});
afterEach(async () => {
  const { setFakeNative } = await import('../../../src/sys/call.js');
  setFakeNative(undefined);
  rmSync(folder, { recursive: true });
});

async function attachXdp(mode: LinkOf<'xdp'>['mode']): Promise<LinkState> {
  const { attachLink } = await import('../../../src/cnf/attachment.js');
  const { currentNetnsInode } = await import('../../../src/host/netns.js');
  const link: LinkState = {
    name: 'firewall-xdp-eth0',
    program: 'firewall',
    family: 'xdp',
    hook: 'xdp',
    target: {
      kind: 'interface',
      ifname: 'eth0',
      ifindex: 7,
      netns: { inode: currentNetnsInode(), ref: null },
    },
    mode,
  };
  const { StateStore } = await import('../../../src/cnf/store.js');
  return attachLink(folder, link, { note, bpffs: folder, store: new StateStore(join(folder, 'state')) });
}

describe('an XDP program in auto mode', () => {
  it('goes into the driver where that can run it', async () => {
    expect(await attachXdp('auto')).toMatchObject({ mode: 'native' });
    expect(kernel.linkFlags).toEqual([uapi.XDP_FLAGS_DRV_MODE]);
    expect(kernel.commands).toContain('OBJ_PIN');
    expect(notes).toEqual([]);
  });

  it.each([
    ['a driver without XDP', errno.EOPNOTSUPP, 'the driver of eth0 has no native XDP'],
    ['a driver that refuses the MTU', errno.ERANGE, 'refuses native XDP as the interface is set up'],
  ])('goes into the network stack on %s, and says so', async (_, number, said) => {
    kernel.onLinkCreate = (flags) => (flags === uapi.XDP_FLAGS_DRV_MODE ? { errno: number } : { fd: linkFd });
    expect(await attachXdp('auto')).toMatchObject({ mode: 'generic' });
    expect(kernel.linkFlags).toEqual([uapi.XDP_FLAGS_DRV_MODE, uapi.XDP_FLAGS_SKB_MODE]);
    expect(notes).toEqual([expect.stringContaining(said)]);
    expect(notes[0]).toMatch(/attached in generic mode, which is slower$/);
  });

  it('does not try another mode when this user may not attach', async () => {
    kernel.onLinkCreate = () => ({ errno: errno.EPERM });
    await expect(attachXdp('auto')).rejects.toMatchObject({ code: 'not-permitted' });
    expect(kernel.linkFlags).toEqual([uapi.XDP_FLAGS_DRV_MODE]);
    expect(notes).toEqual([]);
  });

  it('fails as generic XDP does where neither is to be had', async () => {
    kernel.onLinkCreate = () => ({ errno: errno.EOPNOTSUPP });
    await expect(attachXdp('auto')).rejects.toThrow('has no generic XDP');
    expect(kernel.linkFlags).toHaveLength(2);
    expect(notes).toEqual([]);
  });
});

it('an XDP program in native mode goes nowhere else', async () => {
  kernel.onLinkCreate = () => ({ errno: errno.EOPNOTSUPP });
  await expect(attachXdp('native')).rejects.toMatchObject({
    code: 'unsupported',
    hint: expect.stringContaining('--mode auto'),
  });
  expect(kernel.linkFlags).toEqual([uapi.XDP_FLAGS_DRV_MODE]);
});

async function plannedHooks(section: string): Promise<Hook[]> {
  return (await plannedLinks(section)).map(({ hook }) => hook);
}

async function plannedLinks(section: string, options: HookOptions = {}): Promise<LinkState[]> {
  const { planAttach } = await import('../../../src/cnf/attach-function.js');
  const { StateStore } = await import('../../../src/cnf/store.js');
  const { Scope } = await import('../../../src/base/scope.js');
  const store = new StateStore(join(folder, 'state'));
  store.prepare();
  const programs = [{ name: 'shape', section, type: 'sched_cls' }];
  store.write(functionState('shaper', { bpffs: folder, programs }));
  const world: World = { bpffs: folder, store, bootId: 'b1', change: 'c2', scope: new Scope(), note };
  const { actions } = planAttach(world, { function: 'shaper', target: 'eth0', options });
  return actions.flatMap((action) => (action.kind === 'attach' ? [action.link] : []));
}

describe.each([
  ['tcx/ingress', 'tc/ingress'],
  ['tcx/egress', 'tc/egress'],
] as const)('a program for %s', (hook, fallback) => {
  it('goes there where the kernel has it', async () => {
    expect(await plannedHooks(hook)).toEqual([hook]);
    expect(notes).toEqual([]);
  });

  it(`becomes a filter on ${fallback} where the query says EINVAL, and says so`, async () => {
    kernel.onQuery = () => ({ errno: errno.EINVAL });
    expect(await plannedHooks(hook)).toEqual([fallback]);
    expect(notes).toEqual([expect.stringContaining(`attached as a tc filter (${fallback}) instead`)]);
  });

  it(`takes its priority along to ${fallback}, and no place, which tc has none of`, async () => {
    kernel.onQuery = () => ({ errno: errno.EINVAL });
    const [link] = await plannedLinks(hook, { priority: 7 });
    expect(link).toMatchObject({ hook: fallback, filter: { priority: 7 } });
    for (const place of ['first', 'last', { before: 'id:1' }, { after: 'id:1' }] as const) {
      await expect(plannedLinks(hook, { place })).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringMatching(
          /^this kernel has no tcx\/\w+: .+; and tc's filters know no neighbours$/,
        ),
        hint: expect.stringContaining('--priority'),
      });
    }
  });

  it('goes there where nothing is attached yet, which the kernel may call ENOENT', async () => {
    kernel.onQuery = () => ({ errno: errno.ENOENT });
    expect(await plannedHooks(hook)).toEqual([hook]);
  });
});

it('a program for tc/ingress asks nothing of tcx', async () => {
  kernel.onQuery = () => {
    throw new Error('asked');
  };
  expect(await plannedHooks('tc/ingress')).toEqual(['tc/ingress']);
});
