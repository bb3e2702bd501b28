/**
 * The configuration of a dispatcher of libxdp's protocol: the contents of its only map, `.rodata`. Version 1 is of libxdp
 * 1.2 and older, 2 of 1.3 to 1.5, 3 of 1.6.
 */
import { hostIsLittleEndian } from '../../base/byte-order.js';

/** How many members a chain has at most. */
export const chainSlots = 10;

/** The kernel's name of a dispatcher program, by which tools know it. */
export const dispatcherName = 'xdp_dispatcher';

/** The versions of the protocol that are understood. */
export type DispatcherVersion = 1 | 2 | 3;
/** Those that are written too. */
export type WritableVersion = 2 | 3;

/** What the configuration says of a member. */
export interface SlotConfig {
  /** 0 to 2^32-1: lower ones run first. */
  readonly priority: number;
  /** Bit n: the verdict n goes on to the next member. Bit 31, of a slot without a member, is always set. */
  readonly actions: number;
  /** It takes packets in several buffers. */
  readonly frags: boolean;
}

export interface DispatcherConfig {
  readonly version: DispatcherVersion;
  /** The dispatcher itself takes packets in several buffers. */
  readonly frags: boolean;
  /** It was loaded for one device alone, and so were its members. */
  readonly deviceBound: boolean;
  /** One for each member, in the order in which they run. */
  readonly slots: readonly SlotConfig[];
}

/** A dispatcher of a version that nobody knew when this was written. */
export interface UnknownDispatcher {
  readonly version: number;
  readonly slots: undefined;
}

/** ('X' + 'D' + 'P'), in the first byte from version 2 on. */
const magic = 236;
const sizes: Readonly<Record<DispatcherVersion, number>> = { 1: 84, 2: 124, 3: 128 };
const fragsFlag = 32; // BPF_F_XDP_HAS_FRAGS of linux/bpf.h
const actionsAt = 4;
const prioritiesAt = actionsAt + 4 * chainSlots;
const flagsAt = prioritiesAt + 4 * chainSlots;
const deviceBoundAt = flagsAt + 4 * chainSlots;

/** Bytes of the configuration of a version. */
export function configSize(version: DispatcherVersion): number {
  return sizes[version];
}

/**
 * Reads the value of a dispatcher's map.
 * @returns undefined when it is none: neither the magic number nor the length of version 1
 */
export function readConfig(bytes: Uint8Array): DispatcherConfig | UnknownDispatcher | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === sizes[1]) return readSlots(view, { version: 1, count: view.getUint8(0) });
  if (bytes.length < 4 || view.getUint8(0) !== magic) return undefined;
  const version = view.getUint8(1);
  if ((version !== 2 && version !== 3) || bytes.length !== sizes[version])
    return { version, slots: undefined };
  return readSlots(view, { version, count: view.getUint8(2) });
}

function readSlots(
  view: DataView,
  { version, count }: { readonly version: DispatcherVersion; readonly count: number },
): DispatcherConfig | undefined {
  if (count > chainSlots) return undefined;
  const word = (at: number, slot: number): number => view.getUint32(at + 4 * slot, hostIsLittleEndian);
  return {
    version,
    frags: version > 1 && view.getUint8(3) !== 0,
    deviceBound: version > 2 && view.getUint8(deviceBoundAt) !== 0,
    slots: Array.from({ length: count }, (_, slot) => ({
      priority: word(prioritiesAt, slot),
      actions: word(actionsAt, slot),
      frags: version > 1 && (word(flagsAt, slot) & fragsFlag) !== 0,
    })),
  };
}

/** The value of a dispatcher's map. @throws RangeError for more members than there are slots */
export function writeConfig(config: DispatcherConfig & { readonly version: WritableVersion }): Uint8Array {
  const { version, slots } = config;
  if (slots.length > chainSlots) throw new RangeError(`${slots.length} members for ${chainSlots} slots`);
  const bytes = new Uint8Array(sizes[version]);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, magic);
  view.setUint8(1, version);
  view.setUint8(2, slots.length);
  view.setUint8(3, config.frags ? 1 : 0);
  for (const [index, { priority, actions, frags }] of slots.entries()) {
    view.setUint32(actionsAt + 4 * index, actions, hostIsLittleEndian);
    view.setUint32(prioritiesAt + 4 * index, priority, hostIsLittleEndian);
    view.setUint32(flagsAt + 4 * index, frags ? fragsFlag : 0, hostIsLittleEndian);
  }
  if (version > 2) view.setUint8(deviceBoundAt, config.deviceBound ? 1 : 0);
  return bytes;
}
