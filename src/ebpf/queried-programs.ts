/** Which programs a place has, where the kernel tells their ids and nothing else. */
import { attachTypes } from '../base/kernel-words.js';
import type { AttachTypeWord } from '../obj/sections.js';
import { Block } from '../sys/block.js';
import { bpf } from '../sys/bpf.js';
import { attr } from '../sys/uapi.js';

interface Place {
  /** A descriptor of it: a network namespace, a map, a device. */
  readonly fd: number;
  readonly attachType: AttachTypeWord;
  /** More than that no kernel takes there. */
  readonly most: number;
  /** What is done, for the error. */
  readonly about: string;
}

/** @internal @throws SysError `EINVAL` where the kernel knows no such place, or does not tell */
export function queriedPrograms({ fd, attachType, most, about }: Place): number[] {
  const ids = new Uint32Array(most);
  const block = new Block(attr.query, {
    target_fd: fd,
    attach_type: attachTypes.indexOf(attachType),
    prog_cnt: most,
  });
  block.point('prog_ids', new Uint8Array(ids.buffer));
  bpf('PROG_QUERY', block, about);
  return [...ids.subarray(0, block.get('prog_cnt'))].filter((id) => id !== 0);
}
