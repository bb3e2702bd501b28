/** Sockets: what only a process can keep, so that it is held, never pinned or recorded. */
import { NetkitError } from '../../base/errors.js';
import { type Attachment, reuseport, socketFilter } from '../../ebpf/attach/index.js';
import { type OpenSocket, packetSocket, socketOf } from '../../ebpf/foreign-sockets.js';
import { Program } from '../../ebpf/program.js';
import { reuseportProgram } from '../../ebpf/reuseport-program.js';
import { functionFolder, pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { describePlace } from '../targets/index.js';
import { interfaceNamed } from '../targets/interface.js';
import { namespaceOf } from '../targets/namespace.js';
import { couldBeSocket, type SocketTarget, socketNamed } from '../targets/socket.js';
import type { HookFamily, Seen } from './family.js';

type SocketLink = LinkOf<'socket'>;

const nothing: Seen = { pin: undefined, info: undefined, programId: undefined, dead: true };

export const socketFamily: HookFamily<SocketLink> = {
  family: 'socket',
  hooks: [
    { hook: 'socket', sections: ['socket'], types: ['socket_filter'] },
    {
      hook: 'sk_reuseport',
      sections: ['sk_reuseport', 'sk_reuseport/migrate'],
      types: ['sk_reuseport', 'socket_filter'],
    },
  ],
  target: {
    need: 'required',
    noun: 'a socket, as PID:FD',
    // An interface is meant for a socket only where the program is named: others would go there to stay.
    couldBe: couldBeSocket,
    exists: () => true,
  },
  options: ['takeOver'],
  linkType: 'socket',
  holder: 'process',
  replacing: 'gap',
  plan({ world, state, program, hook, target, where, options: { takeOver } }) {
    const isSocket = couldBeSocket(target);
    if (!isSocket && hook === 'sk_reuseport')
      throw new NetkitError('usage', `'${target}' is not a socket, as PID:FD`);
    if (takeOver === true && hook === 'socket')
      throw new NetkitError(
        'usage',
        '--take-over is for sk_reuseport: of a filter it is known whether it is there',
      );
    const place = isSocket ? socketNamed(target) : interfaceNamed(target, where);
    if (hook === 'sk_reuseport' && place.kind === 'socket' && takeOver !== true)
      refuseAnothers(place, pinPath(functionFolder(world.bpffs, state.name), 'progs', program.name));
    return { link: { family: 'socket', program: program.name, hook, target: place } };
  },
  attach(_folder, { program, hook }) {
    throw new NetkitError(
      'unsupported',
      `'${program}' cannot stay attached to ${hook}: it goes with its socket, which only a process can hold`,
      { hint: 'add --hold: netkit then stays in the foreground, and detaches when it is stopped' },
    );
  },
  hold(folder, link) {
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    return held(program, link, openSocket(link));
  },
  // Nothing of it is ever recorded.
  detach: () => undefined,
  swap: (_folder, link) => link,
  isAlive: () => false,
  look: () => nothing,
  detail: ({ target }) => (target.kind === 'interface' ? ' (a packet socket)' : ''),
};

/** The kernel would put a program into the place of another one, and nothing could bring that back. */
function refuseAnothers(target: SocketTarget, pin: string): void {
  const present = reuseportProgram(target.inode);
  if (present.kind === 'none' || (present.kind === 'program' && present.id === idOf(pin))) return;
  const sockets = `the sockets on the port of ${describePlace(target)}`;
  if (present.kind === 'unknown') {
    throw new NetkitError(
      'unsupported',
      `whether ${sockets} have a program already cannot be told: ${present.why}`,
      { hint: '--take-over attaches all the same: a program that is there is replaced for good' },
    );
  }
  const what = present.id === 0 ? 'a classic filter' : `program id ${present.id}`;
  throw new NetkitError('conflict', `${sockets} have ${what} already`, {
    hint: '--take-over replaces it for good: nothing can bring it back',
    details: { program: present.id },
  });
}

function idOf(pin: string): number {
  using program = Program.fromPin(pin);
  return program.info().id;
}

function openSocket({ target }: SocketLink): OpenSocket {
  if (target.kind === 'socket') return socketOf(target.pid, target.fd);
  using netns = namespaceOf(target.netns, target.ifname);
  return packetSocket(target.ifindex, netns);
}

/** The descriptor stays open here until the program is taken away: the number may name another file by then. */
function held(program: Program, { hook, target }: SocketLink, socket: OpenSocket): Attachment {
  try {
    if (hook === 'socket' && socket.hasFilter()) {
      throw new NetkitError('conflict', `${describePlace(target)} has a filter already`, {
        hint: 'a socket has one filter: whoever gave it that one has to take it away first',
      });
    }
    const { fd } = socket;
    const made = program.attach(hook === 'socket' ? socketFilter({ fd }) : reuseport({ fd }));
    return {
      holder: made.holder,
      detach: () => made.detach(),
      [Symbol.dispose]() {
        made[Symbol.dispose]();
        socket[Symbol.dispose]();
      },
    };
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}
