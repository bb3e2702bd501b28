// `node ring-rate.mjs BPFFS OBJECT read|print`: fills a ring buffer, then times how fast it is read, and prints million records
// a second: `read` through the library's batches, as objects, in this process; `print` as NDJSON by `netkit map watch`, its start
// included. Every record must come once and in order.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BpfMap, codecFor, ObjectSpec, Program, RingBuffer } from '../../../dist/index.js';

const rounds = 5;
/** Less than fit: 24 bytes and a header of 8 each, in 64 MB. */
const records = 2_000_000;

const [bpffs, object, way] = process.argv.slice(2);
const map = BpfMap.fromPin(join(bpffs, 'netkit/rings/maps/events'));
const program = Program.fromPin(join(bpffs, 'netkit/rings/progs/produce'));
const seconds = Array.from({ length: rounds }, () => (way === 'print' ? print() : read()));
seconds.sort((a, b) => a - b);
process.stdout.write(`${records / 1e6 / seconds[Math.floor(rounds / 2)]}\n`);

function produce() {
  program.testRun({ data: new Uint8Array(64), repeat: records });
}

function read() {
  const { btf } = ObjectSpec.readSync(object);
  const codec = codecFor(btf, btf.find('event', 'struct').id);
  const ring = new RingBuffer(map, { codec });
  produce();
  let count = 0;
  let last = 0n;
  const start = performance.now();
  for (let batch = ring.drain(); batch.length > 0; batch = ring.drain()) {
    for (const { number, twice, cpu } of batch) {
      if (twice !== number * 2n || cpu > 1023 || (last !== 0n && number !== last + 1n))
        throw new Error(`record ${number} after ${last}`);
      last = number;
      count++;
    }
  }
  const end = performance.now();
  ring[Symbol.dispose]();
  if (count !== records) throw new Error(`${count} of ${records} records came`);
  return (end - start) / 1000;
}

function print() {
  produce();
  const netkit = fileURLToPath(new URL('../../../bin/netkit.js', import.meta.url));
  const args = [netkit, 'map', 'watch', 'rings/events', '--json', '--count', String(records)];
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const end = performance.now();
  if (status !== 0) throw new Error(String(stderr));
  return (end - start) / 1000;
}
