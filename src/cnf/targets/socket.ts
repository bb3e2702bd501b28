/** Sockets of processes: `PID:FD`, or `socket:[INODE]` as in /proc/PID/fd. */
import { readdirSync, readlinkSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { socketInode } from '../../ebpf/foreign-sockets.js';
import type { TargetOf } from '../link-state.js';
import type { TargetKind } from './target-kind.js';

export type SocketTarget = TargetOf<'socket'>;

const byNumber = /^(\d{1,10}):(\d{1,10})$/;
const byInode = /^socket:\[(\d{1,15})\]$/;

export function couldBeSocket(text: string): boolean {
  return byNumber.test(text) || byInode.test(text);
}

/** @throws NetkitError `usage`, `not-found`, `not-permitted` */
export function socketNamed(text: string): SocketTarget {
  const [, pid, fd] = byNumber.exec(text) ?? [];
  if (pid !== undefined && fd !== undefined) {
    const inode = socketInode(Number(pid), Number(fd));
    return { kind: 'socket', pid: Number(pid), fd: Number(fd), inode };
  }
  const inode = byInode.exec(text)?.[1];
  if (inode === undefined) throw new NetkitError('usage', `'${text}' is not a socket, as PID:FD`);
  return { kind: 'socket', inode: Number(inode), ...holderOf(text) };
}

/** The first process that has it open. */
function holderOf(link: string): { readonly pid: number; readonly fd: number } {
  const entries = (folder: string): string[] => {
    try {
      return readdirSync(folder).filter((name) => /^\d+$/.test(name));
    } catch {
      // The process ended, or is somebody else's.
      return [];
    }
  };
  for (const pid of entries('/proc')) {
    const fd = entries(`/proc/${pid}/fd`).find((each) => linkText(`/proc/${pid}/fd/${each}`) === link);
    if (fd !== undefined) return { pid: Number(pid), fd: Number(fd) };
  }
  throw new NetkitError('not-found', `no process has ${link} open, or it cannot be seen`);
}

function linkText(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

const textOf = ({ pid, fd }: SocketTarget): string => `${pid}:${fd}`;

export const sockets: TargetKind<SocketTarget> = {
  kind: 'socket',
  same: (one, other) => one.inode === other.inode,
  text: textOf,
  describe: (target) => `socket ${textOf(target)}`,
  whereabouts: (target) => `socket ${textOf(target)}`,
  nameFor: ({ pid, fd }) => `${pid}-${fd}`,
  gone: 'the socket is closed',
  meant:
    ({ text }) =>
    (target) =>
      text === undefined || textOf(target) === text,
  relocate: (target) => target,
};
