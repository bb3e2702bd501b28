/** Which program the sockets of a port have: the kernel has no call that tells, and so its memory is read. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { packageRoot } from '../host/package-root.js';
import { ObjectSpec } from '../obj/spec.js';
import { iterator, iteratorOutput } from './attach/iterator.js';
import { Link } from './link.js';
import { load } from './load.js';

/** What the sockets of a port have that chooses among them. */
export type ReuseportProgram =
  | { readonly kind: 'none' }
  /** `id` is 0 for a classic filter. */
  | { readonly kind: 'program'; readonly id: number }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Looks at a socket that some process has open. Minimum kernel 5.8, with BTF; needs CAP_SYS_ADMIN.
 * @param inode its number, as in /proc/PID/fd
 */
export function reuseportProgram(inode: number): ReuseportProgram {
  const path = join(packageRoot(), 'dist/bpf/parts/reuseport-program.bpf.o');
  if (!existsSync(path))
    return { kind: 'unknown', why: 'this netkit was built without its program for that' };
  try {
    return found(ObjectSpec.readSync(path), inode);
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    return { kind: 'unknown', why: error.message };
  }
}

function found(spec: ObjectSpec, inode: number): ReuseportProgram {
  spec.globals.set('wanted_inode', String(inode));
  using object = load(spec);
  using link = object.program('find').attach(iterator());
  if (!(link instanceof Link)) throw new TypeError('an iterator is a link');
  // Of several processes with the same socket each says the same.
  const bytes = Buffer.concat([...iteratorOutput(link)]);
  if (bytes.length < 8) return { kind: 'unknown', why: 'the kernel shows this user no such socket' };
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0, hostIsLittleEndian) === 0) return { kind: 'none' };
  return { kind: 'program', id: view.getUint32(4, hostIsLittleEndian) };
}
