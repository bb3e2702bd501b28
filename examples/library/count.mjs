// Counts the IPv4 packets that reach an interface, by sender and protocol, until its standard input ends.
//
//     node count.mjs OBJECT INTERFACE [NETNS]
//
// Prints `ready` when the program is attached, and one line for each flow at the end. Nothing outlives the process:
// neither program, map nor attachment is pinned.
import { load, NetkitError, ObjectSpec, openNetns, Scope, xdp } from 'netkit';

const protocols = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
]);

async function main([object, ifname, namespace]) {
  // Data only: the file is read, the kernel is not asked, and no privileges are needed.
  const spec = await ObjectSpec.read(object);
  spec.globals.set('large_from', 500);
  spec.setMapSize('flows', 64);

  // What is used is released in reverse order, whatever happens. With TypeScript, or Node 24: `using counter = load(spec)`.
  const scope = new Scope();
  try {
    const counter = scope.use(load(spec));
    const netns = namespace === undefined ? undefined : scope.use(openNetns(namespace));
    scope.use(counter.program('count').attach(xdp({ ifname, netns })));
    console.log('ready');
    await inputEnds();

    const flows = counter.map('flows');
    for (const [{ saddr, protocol }, { packets, bytes, large }] of flows) {
      const name = protocols.get(protocol) ?? `protocol ${protocol}`;
      console.log(`${saddr} ${name}: ${packets} packets, ${bytes} bytes, ${large} large`);
    }
    // Maps are written in the same words as they are read in; a key that is not there gives undefined.
    const key = { saddr: '192.0.2.99', protocol: 6 };
    flows.set(key, { packets: 1n });
    console.log(`written: ${flows.keyCodec.format(key)} ${flows.valueCodec.format(flows.get(key))}`);
    console.log(`deleted: ${flows.delete(key)}, then: ${flows.get(key)}`);
  } finally {
    scope[Symbol.dispose]();
  }
}

function inputEnds() {
  return new Promise((resolve) => {
    process.stdin.on('end', resolve).resume();
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof NetkitError)) throw error;
  console.error(`count: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
  process.exitCode = error.exitStatus;
}
