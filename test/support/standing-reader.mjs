// Reads the keys FROM to UNTIL (exclusive) of a pinned `u32 → u64` map over and over: `node standing-reader.mjs PIN FROM UNTIL`.
// Says `reading` when it has seen all of them once; ended by SIGTERM it prints {"rounds":…,"reads":…,"missed":[key, …]}.
import { BpfMap } from '../../dist/index.js';

const [pin, from, until] = process.argv.slice(2);
const map = BpfMap.fromPin(pin);
const keys = [];
for (let key = Number(from); key < Number(until); key++) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(key);
  keys.push(bytes);
}
const missed = [];
let reads = 0;
let rounds = 0;
let ended = false;
process.on('SIGTERM', () => {
  ended = true;
});

/** A thousand reads at a time: native calls hold the event loop, and signals arrive on it. */
const slice = 1000;
const pause = () => new Promise((resolve) => setImmediate(resolve));
/** A test that was killed cannot end its reader. */
const parent = process.ppid;

while (!ended && process.ppid === parent) {
  for (let at = 0; at < keys.length && !ended; at += slice) {
    for (const key of keys.slice(at, at + slice)) {
      reads++;
      if (map.getBytes(key) === undefined) missed.push(key.readUInt32LE());
    }
    await pause();
  }
  if (rounds++ === 0) process.stdout.write('reading\n');
}
process.stdout.write(`${JSON.stringify({ rounds, reads, missed: missed.slice(0, 20) })}\n`);
