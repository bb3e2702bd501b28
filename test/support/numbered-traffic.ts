// Sends numbered packets to an interface of the namespace that it runs in, a given number a second: `node scripts/run.mjs
// test/support/numbered-traffic.ts OBJECT IFINDEX RATE`. Says `sending` when it has begun, and ends when its standard input
// does, with what became of the packets as JSON: generated = sent + queueDrops + redirectErrors.
import { rawTracepoint } from '../../src/ebpf/attach/index.js';
import { sendLiveFrames } from '../../src/ebpf/live-frames.js';
import { load } from '../../src/ebpf/load.js';
import { ObjectSpec } from '../../src/obj/spec.js';

/** A call has a fixed cost of some 20 ms, in which nothing is sent. */
const perCallSeconds = 0.4;

const [path = '', ifindex = '0', rate = '1000000'] = process.argv.slice(2);
const spec = await ObjectSpec.read(path);
spec.globals.set('ifindex', ifindex);
// Some time goes by between calls, and for others on this CPU.
spec.globals.set('spacing', String(Math.floor(5e8 / Number(rate))));
const perCall = Math.ceil(Number(rate) * perCallSeconds);
using object = load(spec);
object.map('target').set(0, Number(ifindex));
using _transmitted = object.program('transmitted').attach(rawTracepoint({ event: 'xdp_devmap_xmit' }));
using _failed = object.program('failed').attach(rawTracepoint({ event: 'xdp_redirect_err' }));

const packet = new Uint8Array(64);
packet.fill(0xff, 0, 6);
// A local address, and the EtherType for local experiments.
packet.set([2, 0, 0, 0, 0, 1, 0x88, 0xb5], 6);

let ended = false;
process.stdin.on('end', () => {
  ended = true;
});
process.stdin.resume();

process.stdout.write('sending\n');
const started = performance.now();
while (!ended) {
  sendLiveFrames(object.program('generate'), { data: packet, count: perCall });
  await new Promise((resolve) => setImmediate(resolve));
}
const seconds = (performance.now() - started) / 1000;
// What is still on its way.
await new Promise((resolve) => setTimeout(resolve, 100));
const counts = Object(object.map('.bss').get(0));
const count = (name: string): number => Number(counts[name]);
process.stdout.write(
  `${JSON.stringify({
    generated: count('next'),
    sent: count('sent'),
    queueDrops: count('queue_drops'),
    redirectErrors: count('redirect_errors'),
    seconds,
  })}\n`,
);
