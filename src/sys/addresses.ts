import { hostIsLittleEndian } from '../base/byte-order.js';
import { addressOf } from './call.js';

const kept = new WeakMap<Uint8Array, readonly Uint8Array[]>();

/** An array of pointers to these buffers, which live as long as it does. */
export function addressBytes(buffers: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(buffers.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, buffer] of buffers.entries())
    view.setBigUint64(index * 8, addressOf(buffer), hostIsLittleEndian);
  kept.set(bytes, buffers);
  return bytes;
}
