// Which of a kernel's modules the virtual machine gets, and in which order they go in.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Without these there is no root file system. */
const needed = ['virtio_pci', '9pnet_virtio', '9p', 'overlay'];

/** What tests use, where the kernel has it and has not built it in; some with parameters. */
const wanted = [
  'virtio_rng',
  // What libcrc32c looks for by name, and with it nf_conntrack.
  ...['crc32c_generic', 'crc32c_intel'],
  ...['veth', 'bridge', 'br_netfilter', 'macvlan', 'macvtap', 'ipvlan', 'vxlan', 'geneve', 'tun', 'vrf'],
  // None is to make an interface by itself.
  ...['dummy numdummies=0', 'ifb numifbs=0', 'bonding max_bonds=0', 'nlmon', 'netdevsim', '8021q'],
  ...['ipip', 'sit', 'gre', 'ip_gre', 'ip6_gre', 'ip6_tunnel', 'fou', 'fou6', 'ip_vti', 'wireguard'],
  ...['sch_ingress', 'sch_fq', 'sch_fq_codel', 'sch_netem', 'sch_htb', 'sch_tbf', 'sch_prio', 'sch_multiq'],
  ...['cls_bpf', 'cls_matchall', 'cls_u32', 'cls_flower', 'cls_basic'],
  ...['act_bpf', 'act_gact', 'act_mirred', 'act_vlan'],
  ...['nf_tables', 'nft_ct', 'nft_nat', 'nft_masq', 'nft_chain_nat', 'nft_counter', 'nft_limit', 'nft_log'],
  ...['nft_reject', 'nft_reject_inet', 'nft_compat', 'nft_fib_inet', 'nf_conntrack_netlink'],
  ...['ip_tables', 'iptable_filter', 'iptable_nat', 'iptable_mangle', 'ip6_tables', 'ip6table_filter'],
  ...['xt_bpf', 'xt_conntrack', 'xt_tcpudp', 'xt_MASQUERADE', 'xt_comment', 'xt_mark', 'xt_set', 'xt_limit'],
  ...['ip_set', 'ip_set_hash_ip', 'ip_set_hash_net', 'ip_vs', 'ip_vs_rr'],
  ...['inet_diag', 'tcp_diag', 'udp_diag', 'unix_diag', 'af_packet_diag', 'tls', 'tcp_bbr'],
  ...['pktgen', 'xsk_diag', 'loop'],
];

/**
 * The modules to insert, each after those it needs.
 * @param folder the kernel's modules, as its packages have them
 * @returns their names, their contents, and the parameters to insert them with
 */
export function modulesToInsert(folder) {
  const paths = new Map();
  for (const path of readdirSync(folder, { recursive: true }).map(String)) {
    if (/\.ko(\.\w+)?$/.test(path)) {
      paths.set(canonical(basename(path).replace(/\.ko.*/, '')), join(folder, path));
    }
  }
  const builtIn = builtInModules(folder);
  const inserted = new Map();
  const insert = (name, parameters) => {
    const path = paths.get(name);
    if (path === undefined || inserted.has(name)) {
      return path !== undefined;
    }
    const content = decompressed(path);
    for (const dependency of dependencies(content)) {
      if (!insert(dependency, '') && !builtIn.has(dependency)) {
        return false;
      }
    }
    inserted.set(name, { name, parameters, content });
    return true;
  };
  for (const name of needed) {
    if (!insert(name, '') && !builtIn.has(name)) {
      throw new Error(`the kernel in ${folder} has no ${name}`);
    }
  }
  for (const [name, ...parameters] of wanted.map((each) => each.split(' '))) {
    insert(canonical(name), parameters.join(' '));
  }
  return [...inserted.values()];
}

/** Module names: file names may have a hyphen where the kernel has an underscore. */
function canonical(name) {
  return name.replaceAll('-', '_');
}

function builtInModules(folder) {
  const list = join(folder, 'modules.builtin');
  const lines = existsSync(list) ? readFileSync(list, 'utf8').trim().split('\n') : [];
  return new Set(lines.map((line) => canonical(basename(line, '.ko'))));
}

/** From the module itself: modules.dep would be made only when a kernel is installed. */
function dependencies(content) {
  const start = content.indexOf('\0depends=') + '\0depends='.length;
  if (start < '\0depends='.length) {
    return [];
  }
  const text = content.toString('latin1', start, content.indexOf(0, start));
  return text
    .split(',')
    .filter((name) => name !== '')
    .map(canonical);
}

function decompressed(path) {
  const program = { ko: undefined, xz: 'xz', zst: 'zstd', gz: 'gzip' }[path.split('.').at(-1)];
  if (program === undefined) {
    return readFileSync(path);
  }
  const { error, status, stdout, stderr } = spawnSync(program, ['-dc', path], { maxBuffer: 1 << 28 });
  if (error !== undefined || status !== 0) {
    throw new Error(`${path}: ${error?.message ?? stderr}`);
  }
  return stdout;
}
