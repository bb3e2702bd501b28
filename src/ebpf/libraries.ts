/** The native code that netkit calls: koffi, and through it libbpf. For `doctor`. */
import { ffi } from '../sys/call.js';
import { libbpfVersion } from '../sys/libbpf.js';

/** The version of koffi, loaded now if it was not. @throws NetkitError `tool-missing` when it has no binary for this machine */
export function loadKoffi(): string {
  return ffi().version;
}

/** The version of the installed libbpf, loaded now if it was not: `1.1`. @throws NetkitError `tool-missing` */
export function loadLibbpf(): string {
  return libbpfVersion();
}
