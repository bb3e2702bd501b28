/** Entries of devmaps and cpumaps, which say where redirected packets go, and may have a program for them. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { type Netns, withNetns } from '../host/netns.js';
import { SysError } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { MapCalls } from '../sys/map-calls.js';
import { attempting } from './attach/failure.js';
import type { Program } from './program.js';

/** struct bpf_devmap_val { __u32 ifindex; int bpf_prog_fd; }, struct bpf_cpumap_val { __u32 qsize; int bpf_prog_fd; } */
const valueSize = 8;

/** An open map of that kind. */
export interface RedirectMap {
  readonly fd: Fd;
  readonly info: { readonly name: string; readonly valueSize: number };
}

export interface RedirectEntry {
  /** Of a devmap the index of an interface, in the network namespace that it was written in; of a cpumap how many packets may wait. */
  readonly where: number;
  /** 0 for none. */
  readonly programId: number;
}

/** @throws NetkitError `unsupported` for a map whose entries have no room for programs */
export function requireProgramRoom({ info }: RedirectMap, kind: string): void {
  if (info.valueSize === valueSize) return;
  throw new NetkitError('unsupported', `the values of map '${info.name}' have no room for a program`, {
    hint: `declare it with values of type struct bpf_${kind}_val`,
  });
}

/** Undefined where the map has no such entry. */
export function readRedirectEntry(map: RedirectMap, key: number): RedirectEntry | undefined {
  const value = new Uint8Array(valueSize);
  if (new MapCalls(map.fd).lookup(words(key), value) !== 0 || value.every((byte) => byte === 0))
    return undefined;
  const view = new DataView(value.buffer);
  return {
    where: view.getUint32(0, hostIsLittleEndian),
    programId: view.getUint32(4, hostIsLittleEndian),
  };
}

/** Writes the entry, with or without a program. @throws SysError */
export function writeRedirectEntry(
  map: RedirectMap,
  key: number,
  where: number,
  program: Program | undefined,
  netns?: Netns,
): void {
  // A devmap names interfaces of the namespace that whoever writes it is in.
  const status = withNetns(netns, () =>
    new MapCalls(map.fd).update(words(key), words(where, program?.fd.value ?? -1)),
  );
  if (status !== 0) throw new SysError(`write entry ${key} of map '${map.info.name}'`, status);
}

/** {@link writeRedirectEntry} with a program, and a refusal in words. @throws NetkitError */
export function writeProgramEntry(
  map: RedirectMap,
  key: number,
  where: number,
  program: Program,
  kind: 'devmap' | 'cpumap',
  netns?: Netns,
): void {
  const attempt = {
    program,
    where: `entry ${key} of map '${map.info.name}'`,
    hook: `xdp/${kind}`,
    unless:
      "the program has to be of that kind, and to take packets in fragments only if the map's device may",
  } as const;
  attempting(attempt, () => writeRedirectEntry(map, key, where, program, netns));
}

/** One that is gone is fine. */
export function deleteRedirectEntry(map: RedirectMap, key: number): void {
  new MapCalls(map.fd).delete(words(key));
}

function words(...numbers: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  for (const [index, number] of numbers.entries()) view.setInt32(index * 4, number, hostIsLittleEndian);
  return new Uint8Array(view.buffer);
}
