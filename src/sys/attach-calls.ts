/** The ways to attach that give no link by BPF_LINK_CREATE: bpf(2) before links, and socket options. */
import { Block } from './block.js';
import { bpf } from './bpf.js';
import { declare, invoke } from './call.js';
import { Fd } from './fd.js';
import { cString } from './libc.js';
import { checked } from './status.js';
import { attr, uapi } from './uapi.js';

declare('libc', [
  'long read(int fd, void *bytes, size_t size)',
  'int setsockopt(int fd, int level, int option, void *value, unsigned int size)',
]);

/**
 * BPF_RAW_TRACEPOINT_OPEN: attaches to a raw tracepoint, or without a name to what a tracing program was loaded for. What
 * comes back is a link from 5.8 on. @throws SysError
 */
export function openRawTracepoint(program: Fd, name: string | undefined, operation: string, cookie = 0n): Fd {
  const block = new Block(attr.rawTracepoint, { prog_fd: program.value, cookie });
  if (name !== undefined) block.point('name', cString(name));
  return new Fd(bpf('RAW_TRACEPOINT_OPEN', block, operation));
}

/** Starts reading the output of an iterator. @throws SysError EINVAL when the link is none */
export function createIterator(link: Fd): Fd {
  const block = new Block(attr.iterCreate, { link_fd: link.value });
  return new Fd(bpf('ITER_CREATE', block, 'start an iterator'));
}

/** @returns how many bytes came, 0 at the end. @throws SysError */
export function readInto(fd: Fd, bytes: Uint8Array): number {
  return checked('read from an iterator', invoke('read', [fd.value, bytes, bytes.length]));
}

/** A place that keeps programs itself: a map, a device. */
export interface AttachTarget {
  readonly fd: number;
  readonly attachType: number;
}

/** BPF_PROG_ATTACH. @throws SysError */
export function attachToTarget(program: Fd, target: AttachTarget, operation: string): void {
  const block = new Block(attr.progAttach, {
    target_fd: target.fd,
    attach_bpf_fd: program.value,
    attach_type: target.attachType,
  });
  bpf('PROG_ATTACH', block, operation);
}

/** BPF_PROG_DETACH, of this program only. @throws SysError ENOENT when it is not there */
export function detachFromTarget(program: Fd, target: AttachTarget, operation: string): void {
  const block = new Block(attr.progAttach, {
    target_fd: target.fd,
    attach_bpf_fd: program.value,
    attach_type: target.attachType,
  });
  bpf('PROG_DETACH', block, operation);
}

const socketOptions = {
  filter: { attach: uapi.SO_ATTACH_BPF, detach: uapi.SO_DETACH_BPF },
  reuseport: { attach: uapi.SO_ATTACH_REUSEPORT_EBPF, detach: uapi.SO_DETACH_REUSEPORT_BPF },
} as const;

/** What a program does for a socket: filter its packets, or choose among those that share its port. */
export type SocketRole = keyof typeof socketOptions;

/** Gives a socket its program, in place of the one that it has. @throws SysError */
export function attachToSocket(socket: number, role: SocketRole, program: Fd): void {
  setOption(socket, socketOptions[role].attach, program.value, 'give a socket a program');
}

/** Takes away a socket's program, whichever it is. @throws SysError ENOENT when it has none, EBADF when it is closed */
export function detachFromSocket(socket: number, role: SocketRole): void {
  setOption(socket, socketOptions[role].detach, 0, 'take away the program of a socket');
}

function setOption(socket: number, option: number, value: number, operation: string): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  checked(operation, invoke('setsockopt', [socket, uapi.SOL_SOCKET, option, bytes, bytes.length]));
}
