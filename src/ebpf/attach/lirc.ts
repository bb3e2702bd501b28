import { closeSync, openSync } from 'node:fs';
import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { fileError } from '../../host/file-errors.js';
import { attachToTarget, detachFromTarget } from '../../sys/attach-calls.js';
import { isErrno } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
import type { Program } from '../program.js';
import { queriedPrograms } from '../queried-programs.js';
import { HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

/** An infrared receiver; made by {@link lirc}. */
export interface LircOptions {
  readonly hook: 'lirc_mode2';
  /** Its device file: `/dev/lirc0`. */
  readonly device: string;
}

/**
 * Where to decode what an infrared receiver sees, among up to 64 programs. The device keeps the program. For programs of
 * type `lirc_mode2`. Minimum kernel 4.18.
 */
export function lirc(options: Omit<LircOptions, 'hook'>): LircOptions {
  return { hook: 'lirc_mode2', ...options };
}

/** @internal */
export function attachLirc(program: Program, { device }: LircOptions): HeldAttachment {
  const attachType = attachTypes.indexOf('lirc_mode2');
  const attempt = {
    program,
    where: device,
    hook: 'lirc_mode2',
    taken: `that program is on ${device} already`,
  } as const;
  withDevice(device, (fd) =>
    attempting(attempt, () => attachToTarget(program.fd, { fd, attachType }, `attach to ${device}`)),
  );
  const programFd = duplicateFd(program.fd.value);
  const takeAway = (): void => {
    try {
      withDevice(device, (fd) => detachFromTarget(programFd, { fd, attachType }, `detach from ${device}`));
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  };
  return new HeldAttachment('kernel', takeAway, [programFd]);
}

function withDevice<T>(device: string, work: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(device, 'r');
  } catch (error) {
    throw fileError(error, 'open', device);
  }
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

/** The ids of the programs on a receiver; none where the device is gone. @internal */
export function lircPrograms(device: string): number[] {
  try {
    return withDevice(device, (fd) =>
      queriedPrograms({
        fd,
        attachType: 'lirc_mode2',
        most: mostPrograms,
        about: `ask what is on ${device}`,
      }),
    );
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return [];
    if (isErrno(error, 'EINVAL', 'ENODEV')) return [];
    throw error;
  }
}

/** Takes one program off a receiver; one that is not there is fine. @internal */
export function takeOffLirc(program: Program, device: string): void {
  try {
    const attachType = attachTypes.indexOf('lirc_mode2');
    withDevice(device, (fd) => detachFromTarget(program.fd, { fd, attachType }, `detach from ${device}`));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** No receiver takes more (`BPF_MAX_PROGS` of drivers/media/rc/bpf-lirc.c). */
const mostPrograms = 64;
