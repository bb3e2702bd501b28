/** The firewall by its generated types. Nothing of this runs: what matters is what compiles, and what does not. */
import { type Ipv4, load, ObjectSpec, type Prefix4 } from 'netkit';
import { type Firewall, firewall } from './firewall.types.js';

export async function use(network: string): Promise<void> {
  const spec = await ObjectSpec.read('firewall.bpf.o', { types: firewall });
  spec.globals.set('default_action', 'drop');
  spec.setMapSize('blocklist_v4', 10);
  spec.only(['firewall']);
  using fw = load(spec);
  fw.program('firewall');
  const v4 = fw.map('blocklist_v4');
  v4.set('10.0.0.0/8', 'drop');
  v4.set('10.1.2.3', { action: 'pass', tag: 7 }, 'noexist');
  v4.set(v4.keyCodec.parse(network), { action: 'drop', packets: 1n });
  const rule = v4.get('10.0.0.0/8');
  const packets: bigint | undefined = rule?.packets;
  const action: 'pass' | 'drop' | number | undefined = rule?.action;
  for (const [prefix, { tag }] of v4) {
    const text: Prefix4 = prefix;
    const number: number = tag;
    // What was read can be written.
    v4.set(text, { tag: number });
  }
  const longest = v4.lookup('10.1.2.3')?.bytes;
  v4.delete('10.0.0.0/8');
  fw.map('blocklist_v6').set('2001:db8::/32', 'drop');
  const perCpu: { packets: bigint; bytes: bigint }[] | undefined = fw.map('stats').get('drop_truncated');
  fw.map('stats').set('pass_no_match', { packets: 0n });
  const settings = fw.map('.rodata').get(0)?.default_action;
  console.log(packets, action, longest, perCpu, settings);
}

export async function misuse(network: string, address: Ipv4): Promise<void> {
  const spec = await ObjectSpec.read('firewall.bpf.o', { types: firewall });
  // @ts-expect-error: there is no such variable
  spec.globals.set('default_acton', 'drop');
  // @ts-expect-error: no such enumerator
  spec.globals.set('default_action', 'dorp');
  // @ts-expect-error: not an enumerator
  spec.globals.set('default_action', true);
  // @ts-expect-error: no such map
  spec.setMapSize('blocklist', 10);
  // @ts-expect-error: no such program
  spec.only(['fierwall']);
  using fw = load(spec);
  // @ts-expect-error: no such program
  fw.program('drop');
  // @ts-expect-error: no such map
  fw.map('blocklist_v5');
  const v4 = fw.map('blocklist_v4');
  // @ts-expect-error: a number is no prefix
  v4.get(10);
  // @ts-expect-error: an IPv6 prefix in a map of IPv4
  v4.set('2001:db8::/32', 'drop');
  // @ts-expect-error: any text might be no prefix, which keyCodec.parse finds out
  v4.set(network, 'drop');
  // @ts-expect-error: no such enumerator
  v4.set('10.0.0.0/8', 'block');
  // @ts-expect-error: no such enumerator
  v4.set('10.0.0.0/8', { action: 'block' });
  // @ts-expect-error: no such member
  v4.set('10.0.0.0/8', { acton: 'drop' });
  // @ts-expect-error: 64 bits are a bigint
  v4.set('10.0.0.0/8', { action: 'drop', packets: 1 });
  // @ts-expect-error: 32 bits are a number
  v4.set('10.0.0.0/8', { tag: 7n });
  // @ts-expect-error: no such mode
  v4.set('10.0.0.0/8', 'drop', 'replace');
  // @ts-expect-error: a key that is not there gives undefined
  console.log(v4.get('10.0.0.0/8').tag);
  // @ts-expect-error: no such member comes out
  console.log(v4.get('10.0.0.0/8')?.count);
  // @ts-expect-error: bigint and number do not mix
  console.log((v4.get('10.0.0.0/8')?.packets ?? 0n) + 1);
  // @ts-expect-error: a prefix map has no push
  v4.push('drop');
  // @ts-expect-error: an IPv4 address in a map of IPv6
  fw.map('blocklist_v6').get(address);
  // @ts-expect-error: one value a CPU comes out
  console.log(fw.map('stats').get('drop_truncated')?.packets);
  // @ts-expect-error: no such outcome
  fw.map('stats').get('drop_it');
  // @ts-expect-error: constants are fixed when loaded
  fw.map('.rodata').set(0, { default_action: 'drop' });
  // @ts-expect-error: read without its types
  const other: ObjectSpec<Firewall> = ObjectSpec.readSync('firewall.bpf.o');
  console.log(other);
}
