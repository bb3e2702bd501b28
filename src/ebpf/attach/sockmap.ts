import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { atLeast } from '../../host/kernel.js';
import type { AttachTypeWord } from '../../obj/sections.js';
import { attachToTarget, detachFromTarget } from '../../sys/attach-calls.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
import { Link } from '../link.js';
import type { BpfMap } from '../map.js';
import type { Program } from '../program.js';
import { queriedPrograms } from '../queried-programs.js';
import type { TypedMap } from '../typed.js';
import { type Attachment, HeldAttachment } from './attachment.js';
import { attempting, requireKernel } from './failure.js';

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
  /** Only as a link: refused before Linux 6.10, where the map itself would keep the program. */
  readonly asLink?: boolean | undefined;
}

/**
 * Where to attach to all sockets that are put into a map from now on: what they send (`sk_msg`), or receive (`sk_skb`). A
 * link from Linux 6.10 on; before that the map keeps the program. Refused where the map has another program; before Linux
 * 5.18, which does not tell, that one is replaced. Minimum kernel 4.14, `sk_msg` 4.17, `sk_skb/verdict` 5.13.
 */
export function sockmap(options: Omit<SockmapOptions, 'hook'>): SockmapOptions {
  return { hook: 'sockmap', ...options };
}

/** @internal */
export function attachSockmap(program: Program, options: SockmapOptions): Attachment {
  const { id, name, type } = program.info();
  const attachType = options.attachType ?? ownAttachType(program);
  if (attachType === undefined) {
    throw new NetkitError('usage', `what program '${name}' (${type}) is to do for the sockets is not said`, {
      hint: "give an attach type: 'sk_skb_stream_parser', 'sk_skb_stream_verdict' or 'sk_skb_verdict'",
    });
  }
  const where = `${attachType} of map '${options.map.info.name}'`;
  const target = { fd: options.map.fd.value, attachType };
  const attempt = {
    program,
    where,
    hook: type === 'sk_msg' ? 'sk_msg' : 'sk_skb',
    taken: `${where} has another program, or one that excludes it: a stream verdict or a verdict, not both`,
    unless: 'the map has to be of type sockmap or sockhash',
  } as const;
  const present = programOfSockmap(options.map, attachType);
  if (present !== 'unknown' && present !== undefined && present !== id) {
    // The kernel would take it for what is to be replaced.
    throw new NetkitError('conflict', `${where} has program id ${present} already`, {
      hint: 'whoever attached that has to take it away first',
      details: { program: present },
    });
  }
  return attempting(attempt, () => {
    const link = linkTo(program, target, where);
    if (link !== undefined) return link;
    if (options.asLink === true) requireKernel(6, 10, 'links to maps of sockets');
    const number = attachTypes.indexOf(attachType);
    attachToTarget(program.fd, { fd: target.fd, attachType: number }, `attach to ${where}`);
    return heldByMap(program, options.map, number, where);
  });
}

function ownAttachType(program: Program): AttachTypeWord | undefined {
  return program.attachType ?? (program.info().type === 'sk_msg' ? 'sk_msg_verdict' : undefined);
}

/**
 * The id of the program that a map of sockets has; `unknown` before Linux 5.18, which does not tell, and for other maps.
 * @internal
 */
export function programOfSockmap(
  map: BpfMap | TypedMap,
  attachType: AttachTypeWord,
): number | undefined | 'unknown' {
  try {
    return queriedPrograms({
      fd: map.fd.value,
      attachType,
      most: 1,
      about: `ask what map '${map.info.name}' has`,
    })[0];
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'EOPNOTSUPP', 'ENOTSUPP')) return 'unknown';
    throw error;
  }
}

interface Target {
  readonly fd: number;
  readonly attachType: AttachTypeWord;
}

/** @returns undefined on kernels that are too old for such links */
function linkTo(program: Program, { fd, attachType }: Target, where: string): Link | undefined {
  const attach_type = attachTypes.indexOf(attachType);
  const values = { prog_fd: program.fd.value, target_fd: fd, attach_type };
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
