// Blocks networks with the firewall, and asks it about a packet from each of some sources.
//
//     node build/block.js OBJECT NETWORK...
//
// firewall.types.ts comes from `netkit gen types`: names, keys and values are checked when this is compiled.
import { type Ipv4, load, NetkitError, ObjectSpec } from 'netkit';
import { firewall } from './firewall.types.js';

const sources: Ipv4[] = ['10.2.3.4', '10.1.2.3', '192.0.2.1'];

async function main([object = 'firewall.bpf.o', ...networks]: string[]): Promise<void> {
  // An object that is not the one of the types any more is refused here.
  const spec = await ObjectSpec.read(object, { types: firewall });
  spec.globals.set('default_action', 'pass');
  using fw = load(spec);

  const list = fw.map('blocklist_v4');
  // Text from outside may be anything: parse gives a key, or says what is wrong with it.
  for (const text of networks) list.set(list.keyCodec.parse(text), { action: 'drop', tag: 7 });
  list.set('10.1.0.0/16', 'pass');

  for (const source of sources) {
    const { verdict } = fw.program('firewall').testRun({ data: packetFrom(source) });
    console.log(`${source}: ${verdict === 1 ? 'dropped' : 'passed'}`);
  }
  for (const [network, { action, tag, packets }] of list) {
    console.log(`${network} ${action}, tag ${tag}: ${packets} packets`);
  }
}

/** An IPv4 packet without contents. */
function packetFrom(source: Ipv4): Uint8Array {
  const packet = Buffer.alloc(60);
  packet.writeUInt16BE(0x0800, 12); // Ethernet: IPv4
  packet.writeUInt16BE(0x4500, 14); // version 4, a header of 20 bytes
  packet.writeUInt16BE(46, 16);
  packet.writeUInt16BE(0x4011, 22); // 64 hops, UDP
  packet.set(source.split('.').map(Number), 26);
  packet.set([192, 0, 2, 99], 30);
  return packet;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NetkitError)) throw error;
  console.error(`block: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = error.exitStatus;
}
