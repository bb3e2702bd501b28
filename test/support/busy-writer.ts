// Writes and deletes entries of a pinned `u32 → u64[4]` map as fast as it can: `node scripts/run.mjs
// test/support/busy-writer.ts PIN KEYS`. Each quarter of a value is its key times 4294967297, so that a torn value shows,
// and another key's; a per-CPU map has the same value for each CPU. The keys of a prefix map are whole addresses. Says
// `writing` after its first round, and ends when its standard input does.
import { BpfMap } from '../../src/ebpf/map.js';

const [pin = '', keys = '1'] = process.argv.slice(2);
using map = BpfMap.fromPin(pin);
const { keySize, valueStride } = map.shape;
const key = new Uint8Array(keySize);
const value = new Uint8Array(valueStride);
const keyView = new DataView(key.buffer);
const valueView = new DataView(value.buffer);
const deletes = !map.info.type.endsWith('array');
// The length of the prefix, which comes first.
if (keySize > 4) keyView.setUint32(0, 32, true);

let ended = false;
process.stdin.on('end', () => {
  ended = true;
});
process.stdin.resume();

for (let round = 0; !ended; round++) {
  for (let step = 0; step < 2000; step++) {
    const number = Math.floor(Math.random() * Number(keys));
    keyView.setUint32(keySize - 4, number, true);
    for (let at = 0; at < valueStride; at += 4) valueView.setUint32(at, number, true);
    if (deletes && step % 3 === 0) map.deleteBytes(key);
    else map.setBytes(key, value);
  }
  if (round === 0) process.stdout.write('writing\n');
  await new Promise((resolve) => setImmediate(resolve));
}
