/** XDP programs that run for a map's entry: on packets that another program redirects to it. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { findInterface } from '../../host/interfaces.js';
import type { Netns } from '../../host/netns.js';
import { withNetns } from '../../host/netns.js';
import { SysError } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
import { MapCalls } from '../../sys/map-calls.js';
import type { BpfMap } from '../map.js';
import type { Program } from '../program.js';
import type { TypedMap } from '../typed.js';
import { HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';

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
  if (options.hook === 'xdp/cpumap') return writeEntry(program, options, options.cpu, options.queueSize);
  const { ifindex } = findInterface(options.ifname, options.netns);
  // A devmap names interfaces of the namespace that whoever writes it is in.
  return withNetns(options.netns, () => writeEntry(program, options, options.key, ifindex));
}

/** struct bpf_devmap_val { __u32 ifindex; int bpf_prog_fd; }, struct bpf_cpumap_val { __u32 qsize; int bpf_prog_fd; } */
const valueSize = 8;

function writeEntry(
  program: Program,
  { hook, map }: DevmapEntryOptions | CpumapEntryOptions,
  key: number,
  first: number,
): HeldAttachment {
  if (map.info.valueSize !== valueSize) {
    throw new NetkitError('unsupported', `the values of map '${map.info.name}' have no room for a program`, {
      hint: `declare it with values of type struct bpf_${hook.slice('xdp/'.length)}_val`,
    });
  }
  const keyBytes = wordsOf(key);
  const before = new Uint8Array(valueSize);
  const where = `entry ${key} of map '${map.info.name}'`;
  const unless =
    "the program has to be of that kind, and to take packets in fragments only if the map's device may";
  return attempting({ program, where, hook, unless }, () => {
    const mapFd = duplicateFd(map.fd.value);
    const calls = new MapCalls(mapFd);
    const present = calls.lookup(keyBytes, before) === 0 && before.some((byte) => byte !== 0);
    const status = calls.update(keyBytes, wordsOf(first, program.fd.value));
    if (status !== 0) {
      mapFd[Symbol.dispose]();
      throw new SysError(`attach to ${where}`, status);
    }
    const firstBefore = new DataView(before.buffer).getUint32(0, hostIsLittleEndian);
    const takeAway = (): void => {
      // What was there goes on without a program: the kernel gives no descriptor of the one that it had.
      if (present) calls.update(keyBytes, wordsOf(firstBefore, -1));
      else calls.delete(keyBytes);
    };
    return new HeldAttachment('kernel', takeAway, [mapFd]);
  });
}

function wordsOf(...words: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [index, word] of words.entries()) view.setInt32(index * 4, word, hostIsLittleEndian);
  return new Uint8Array(view.buffer);
}
