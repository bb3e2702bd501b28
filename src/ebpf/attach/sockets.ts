import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { atLeast } from '../../host/kernel.js';
import type { AttachTypeWord } from '../../obj/sections.js';
import {
  attachToSocket,
  attachToTarget,
  detachFromSocket,
  detachFromTarget,
  type SocketRole,
} from '../../sys/attach-calls.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
import { Link } from '../link.js';
import type { BpfMap } from '../map.js';
import type { Program } from '../program.js';
import type { TypedMap } from '../typed.js';
import { type Attachment, HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

/** What a program does for the sockets of a map. */
export type SockmapAttachType = Extract<
  AttachTypeWord,
  'sk_msg_verdict' | 'sk_skb_stream_parser' | 'sk_skb_stream_verdict' | 'sk_skb_verdict'
>;

/** Where to attach to the sockets of a map; made by {@link sockmap}. */
export interface SockmapOptions {
  readonly hook: 'sockmap';
  /** Of type `sockmap` or `sockhash`. Sockets that are in it already do not get the program. */
  readonly map: BpfMap | TypedMap;
  /** By default what the program's section says. */
  readonly attachType?: SockmapAttachType | undefined;
}

/**
 * Where to attach to all sockets that are put into a map from now on: what they send (`sk_msg`), or receive (`sk_skb`). A
 * link from Linux 6.10 on; before that the map keeps the program. Minimum kernel 4.14, `sk_msg` 4.17, `sk_skb/verdict`
 * 5.13.
 */
export function sockmap(options: Omit<SockmapOptions, 'hook'>): SockmapOptions {
  return { hook: 'sockmap', ...options };
}

/** A socket of this process; made by {@link socketFilter} or {@link reuseport}. */
export interface SocketOptions {
  readonly hook: 'socket' | 'sk_reuseport';
  /** The socket's descriptor. */
  readonly fd: number;
}

/**
 * A socket whose arriving packets the program is to filter, in place of the filter that it has. For programs of type
 * `socket_filter`; the socket keeps them. Minimum kernel 3.19.
 */
export function socketFilter(options: Omit<SocketOptions, 'hook'>): SocketOptions {
  return { hook: 'socket', ...options };
}

/**
 * A socket with SO_REUSEPORT: the program chooses which socket of those on its port takes a packet or connection, for all
 * of them. For programs of type `sk_reuseport` (4.19) or `socket_filter` (4.5); the group of sockets keeps them.
 */
export function reuseport(options: Omit<SocketOptions, 'hook'>): SocketOptions {
  return { hook: 'sk_reuseport', ...options };
}

/** @internal */
export function attachSockmap(program: Program, options: SockmapOptions): Attachment {
  const { name, type } = program.info();
  const attachType =
    options.attachType ?? program.attachType ?? (type === 'sk_msg' ? 'sk_msg_verdict' : undefined);
  if (attachType === undefined) {
    throw new NetkitError('usage', `what program '${name}' (${type}) is to do for the sockets is not said`, {
      hint: "give an attach type: 'sk_skb_stream_parser', 'sk_skb_stream_verdict' or 'sk_skb_verdict'",
    });
  }
  const where = `${attachType} of map '${options.map.info.name}'`;
  const target = { fd: options.map.fd.value, attachType: attachTypes.indexOf(attachType) };
  const attempt = {
    program,
    where,
    hook: type === 'sk_msg' ? 'sk_msg' : 'sk_skb',
    taken: `${where} has another program, or one that excludes it: a stream verdict or a verdict, not both`,
    unless: 'the map has to be of type sockmap or sockhash',
  } as const;
  return attempting(attempt, () => {
    const link = linkTo(program, target, where);
    if (link !== undefined) return link;
    attachToTarget(program.fd, target, `attach to ${where}`);
    return heldByMap(program, options.map, target.attachType, where);
  });
}

interface Target {
  readonly fd: number;
  readonly attachType: number;
}

/** @returns undefined on kernels that are too old for such links */
function linkTo(program: Program, { fd, attachType }: Target, where: string): Link | undefined {
  const values = { prog_fd: program.fd.value, target_fd: fd, attach_type: attachType };
  try {
    return new Link(createLink(values, `attach to ${where}`));
  } catch (error) {
    if (isErrno(error, 'EINVAL') && !atLeast(6, 10)) return undefined;
    throw error;
  }
}

function heldByMap(
  program: Program,
  map: BpfMap | TypedMap,
  attachType: number,
  where: string,
): HeldAttachment {
  // Of its own: whoever attached may close theirs before this.
  const programFd = duplicateFd(program.fd.value);
  const mapFd = duplicateFd(map.fd.value);
  const takeAway = (): void => {
    try {
      detachFromTarget(programFd, { fd: mapFd.value, attachType }, `detach from ${where}`);
    } catch (error) {
      // Another one is there by now.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  };
  return new HeldAttachment('kernel', takeAway, [programFd, mapFd]);
}

const roles: Readonly<Record<SocketOptions['hook'], SocketRole>> = {
  socket: 'filter',
  sk_reuseport: 'reuseport',
};

/** @internal */
export function attachSocket(program: Program, { hook, fd }: SocketOptions): HeldAttachment {
  const where = `socket ${fd}`;
  const unless =
    hook === 'sk_reuseport' ? 'the socket needs SO_REUSEPORT, and to be bound or of a group' : undefined;
  return attempting({ program, where, hook, unless }, () => {
    attachToSocket(fd, roles[hook], program.fd);
    // Of its own: the number may name another file by the time of detaching.
    const socket = duplicateFd(fd);
    const takeAway = (): void => {
      try {
        detachFromSocket(socket.value, roles[hook]);
      } catch (error) {
        if (!isErrno(error, 'ENOENT', 'EOPNOTSUPP')) throw error;
      }
    };
    return new HeldAttachment('process', takeAway, [socket]);
  });
}
