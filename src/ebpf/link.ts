import { NetkitError } from '../base/errors.js';
import { linkTypes } from '../base/kernel-words.js';
import { detachLink, readInfo, updateLink } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import { uapi } from '../sys/uapi.js';
import type { Attachment } from './attach/attachment.js';
import { listIds, openId } from './by-id.js';
import { KernelObject, openPinOfKind } from './kernel-object.js';
import { type LinkDetails, readLinkDetails } from './link-details.js';
import type { Program } from './program.js';

/** What the kernel tells of a link (`struct bpf_link_info` of linux/bpf.h). */
export interface LinkInfo {
  /** The kernel's id, which `Link.fromId` takes. */
  readonly id: number;
  /** The kernel's word, such as `xdp` or `tcx`. */
  readonly type: string;
  /** The id of the program that runs there. */
  readonly programId: number;
  /** The interface, for kinds that have one; 0 once the interface is gone or the link was detached. */
  readonly ifindex: number | undefined;
  /** The kernel's word, such as `tcx_ingress`, for kinds that tell. */
  readonly attachType: string | undefined;
  /** The cgroup, by its directory's inode, for kinds that have one; 0 once it is gone or the link was detached. */
  readonly cgroupId: bigint | undefined;
  /** The inode of the network namespace, for kinds that have one; 0 once it is gone or the link was detached. */
  readonly netnsInode: number | undefined;
  /** The map of sockets or callbacks, for kinds that have one; 0 once it is gone or the link was detached. */
  readonly mapId: number | undefined;
  /** The kernel says that what it was attached to is gone, or that it was detached. Not every kind tells. */
  readonly gone: boolean;
  /** What only links of its kind have. */
  readonly details: LinkDetails;
}

/**
 * An attachment that the kernel keeps as an object. Disposing closes the descriptor: an unpinned link then detaches, a
 * pinned one stays.
 */
export class Link extends KernelObject implements Attachment {
  readonly holder = 'link';

  /** Opens a pinned link. @throws NetkitError `not-found`, or `usage` when the pin is something else */
  static fromPin(path: string): Link {
    return new Link(openPinOfKind(path, 'link'));
  }

  /** Opens a link by its id; needs CAP_SYS_ADMIN. Minimum kernel 5.8. @throws NetkitError `not-found`, `not-permitted` */
  static fromId(id: number): Link {
    return new Link(openId('link', id));
  }

  /** Ids of all links, ascending; needs CAP_SYS_ADMIN. Minimum kernel 5.8. @throws NetkitError `not-permitted` */
  static ids(): Generator<number> {
    return listIds('link');
  }

  /**
   * Asks the kernel about the link, each time anew: its interface may have gone and its program may have been replaced.
   * Minimum kernel 5.8. @throws NetkitError
   */
  info(): LinkInfo {
    const block = readInfo(this.fd, 'linkInfo');
    const type = linkTypes[block.get('type')] ?? `type ${block.get('type')}`;
    const details = readLinkDetails(this.fd, block);
    const place = placeOf(details);
    const gone = [place.ifindex, place.cgroupId, place.netnsInode, place.mapId].some(
      (identity) => identity !== undefined && Number(identity) === 0,
    );
    return { id: block.get('id'), type, programId: block.get('prog_id'), ...place, gone, details };
  }

  /**
   * Detaches at once, whoever else holds the link; it stays as a dead object until its last pin goes. Minimum kernel 5.9.
   * @throws NetkitError `unsupported` for kinds of links that cannot be detached so
   */
  detach(): void {
    detachLink(this.fd);
  }

  /**
   * Puts `next` in the place of `expected` without a packet in between seeing neither. Minimum kernel 5.7, XDP 5.9.
   * @throws NetkitError `conflict` when somebody else changed the link, or it is dead
   */
  update(next: Program, expected: Program): void {
    try {
      updateLink(this.fd, next.fd, expected.fd, uapi.BPF_F_REPLACE);
    } catch (error) {
      const id = this.info().id;
      if (isErrno(error, 'EPERM')) {
        throw new NetkitError('conflict', `link ${id} has another program by now`, { cause: error });
      }
      if (isErrno(error, 'ENOLINK')) {
        throw new NetkitError('conflict', `link ${id} is dead: its interface is gone or it was detached`, {
          cause: error,
        });
      }
      throw error;
    }
  }
}

type Place = Pick<LinkInfo, 'ifindex' | 'attachType' | 'cgroupId' | 'netnsInode' | 'mapId'>;

function placeOf(details: LinkDetails): Place {
  const attachType = 'attachType' in details ? details.attachType : undefined;
  const isNamedAfterKind = details.kind === 'xdp' || details.kind === 'netfilter';
  return {
    ifindex: 'ifindex' in details ? details.ifindex : undefined,
    attachType: isNamedAfterKind ? details.kind : attachType,
    cgroupId: details.kind === 'cgroup' ? details.cgroupId : undefined,
    netnsInode: details.kind === 'netns' ? details.netnsInode : undefined,
    mapId: details.kind === 'sockmap' || details.kind === 'struct_ops' ? details.mapId : undefined,
  };
}
