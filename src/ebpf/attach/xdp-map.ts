/** XDP programs that run for a map's entry: on packets that another program redirects to it. */
import { findInterface } from '../../host/interfaces.js';
import { type Netns, openSameNetns } from '../../host/netns.js';
import { duplicateFd } from '../../sys/fd.js';
import type { BpfMap } from '../map.js';
import type { Program } from '../program.js';
import {
  deleteRedirectEntry,
  readRedirectEntry,
  requireProgramRoom,
  writeProgramEntry,
  writeRedirectEntry,
} from '../redirect-entry.js';
import type { TypedMap } from '../typed.js';
import { HeldAttachment } from './attachment.js';

/** An entry of a devmap; made by {@link devmapEntry}. */
export interface DevmapEntryOptions {
  readonly hook: 'xdp/devmap';
  /** Of type `devmap` or `devmap_hash`, with values of 8 bytes (`struct bpf_devmap_val`). */
  readonly map: BpfMap | TypedMap;
  readonly key: number;
  /** The interface that packets redirected to the entry leave by. */
  readonly ifname: string;
  readonly netns?: Netns | undefined;
}

/**
 * An entry of a devmap with a program: it sees the packets that are redirected there just before they leave. Writing the
 * entry attaches the program, and the map keeps it until the entry is written again. For `SEC("xdp/devmap")`. Minimum
 * kernel 5.8.
 */
export function devmapEntry(options: Omit<DevmapEntryOptions, 'hook'>): DevmapEntryOptions {
  return { hook: 'xdp/devmap', ...options };
}

/** An entry of a cpumap; made by {@link cpumapEntry}. */
export interface CpumapEntryOptions {
  readonly hook: 'xdp/cpumap';
  /** Of type `cpumap`, with values of 8 bytes (`struct bpf_cpumap_val`). */
  readonly map: BpfMap | TypedMap;
  readonly cpu: number;
  /** How many packets may wait for that CPU: 1 to 16384. */
  readonly queueSize: number;
}

/**
 * An entry of a cpumap with a program: it runs on that CPU for the packets that are redirected there. Writing the entry
 * attaches the program, and the map keeps it until the entry is written again. For `SEC("xdp/cpumap")`. Minimum kernel 5.9.
 */
export function cpumapEntry(options: Omit<CpumapEntryOptions, 'hook'>): CpumapEntryOptions {
  return { hook: 'xdp/cpumap', ...options };
}

/** @internal */
export function attachMapEntry(
  program: Program,
  options: DevmapEntryOptions | CpumapEntryOptions,
): HeldAttachment {
  const { hook, map } = options;
  const kind = hook === 'xdp/devmap' ? 'devmap' : 'cpumap';
  requireProgramRoom(map, kind);
  const [key, first] =
    options.hook === 'xdp/cpumap'
      ? [options.cpu, options.queueSize]
      : [options.key, findInterface(options.ifname, options.netns).ifindex];
  const place = openSameNetns(options.hook === 'xdp/devmap' ? options.netns : undefined);
  const opened = { fd: duplicateFd(map.fd.value), info: map.info };
  try {
    const present = readRedirectEntry(map, key);
    writeProgramEntry(map, key, first, program, kind, place);
    const takeAway = (): void => {
      // What was there goes on without a program: the kernel gives no descriptor of the one that it had.
      if (present === undefined) deleteRedirectEntry(opened, key);
      else writeRedirectEntry(opened, key, present.where, undefined, place);
    };
    return new HeldAttachment('kernel', takeAway, [opened.fd, place]);
  } catch (error) {
    opened.fd[Symbol.dispose]();
    place[Symbol.dispose]();
    throw error;
  }
}
