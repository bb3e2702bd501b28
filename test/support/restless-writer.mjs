// Writes and deletes entries of a pinned `u32 → u64` map as fast as it can: `node restless-writer.mjs PIN KEYS`. An entry's
// value is always its key times 4294967297, so that both halves of the value tell the key. Says `writing` after its first
// round; ended by SIGTERM it prints how many entries it wrote.
import { BpfMap } from '../../dist/index.js';

const [pin, keys] = process.argv.slice(2);
const map = BpfMap.fromPin(pin);
const key = Buffer.alloc(4);
const value = Buffer.alloc(8);
let writes = 0;
let ended = false;
/** A test that was killed cannot end its writer. */
const parent = process.ppid;
process.on('SIGTERM', () => {
  ended = true;
});

for (let round = 0; !ended && process.ppid === parent; round++) {
  for (let step = 0; step < 5000; step++) {
    const number = Math.floor(Math.random() * Number(keys));
    key.writeUInt32LE(number);
    value.writeUInt32LE(number, 0);
    value.writeUInt32LE(number, 4);
    if (step % 3 === 0) map.deleteBytes(key);
    else {
      map.setBytes(key, value);
      writes++;
    }
  }
  if (round === 20) process.stdout.write('writing\n');
  await new Promise((resolve) => setImmediate(resolve));
}
process.stdout.write(`${writes}\n`);
