/** Rule sets as their tools read them, each in one go: whatever comes from one of the addresses is dropped. */
import type { Family } from '../../lab/packet.js';

/** A rule for each address, for `iptables-restore`: in the table raw, which comes before all others. */
export function iptablesText(addresses: readonly string[]): string {
  return lines('*raw', ':PREROUTING ACCEPT [0:0]', ...addresses.map(rule), 'COMMIT');
}

const rule = (address: string): string => `-A PREROUTING -s ${address} -j DROP`;

/** Where nft keeps what it dropped; a counter by itself is read without the set. */
export const nftCounter = ['netdev', 'bench', 'dropped'] as const;

/** A set of all addresses at netdev ingress, for `nft -f`. With `isInterval` it is one that may have ranges, too. */
export function nftText(
  family: Family,
  ifname: string,
  addresses: readonly string[],
  isInterval: boolean,
): string {
  const [type, matched] = family === 'ipv4' ? ['ipv4_addr', 'ip saddr'] : ['ipv6_addr', 'ip6 saddr'];
  return lines(
    `table ${nftCounter[0]} ${nftCounter[1]} {`,
    `  counter ${nftCounter[2]} { };`,
    '  set blocked {',
    // A hash whose size is known is the fastest that the kernel has.
    `    type ${type}; ${isInterval ? 'flags interval;' : `size ${addresses.length};`}`,
    '    elements = {',
    addresses.join(',\n'),
    '    };',
    '  };',
    '  chain ingress {',
    `    type filter hook ingress device ${ifname} priority 0;`,
    `    ${matched} @blocked counter name ${nftCounter[2]} drop;`,
    '  };',
    '}',
  );
}

/** Entries that an ipset has room for unless more is asked for. */
const usualRoom = 65_536;

/** A set of all addresses, for `ipset restore`. */
export function ipsetText(family: Family, addresses: readonly string[]): string {
  const room = Math.max(usualRoom, addresses.length);
  const type = `hash:ip family ${family === 'ipv4' ? 'inet' : 'inet6'} maxelem ${room}`;
  return lines(`create blocked ${type}`, ...addresses.map((address) => `add blocked ${address}`));
}

/** The rule that asks an ipset. */
export const ipsetRule = ['-m', 'set', '--match-set', 'blocked', 'src', '-j', 'DROP'] as const;

const shownAtEachEnd = 6;

/** What a reader needs of a text that may have a million lines. */
export function shortened(text: string): string {
  const all = text.trimEnd().split('\n');
  const hidden = all.length - 2 * shownAtEachEnd;
  if (hidden < 2) return text;
  return lines(
    ...all.slice(0, shownAtEachEnd),
    `… ${hidden} lines like these …`,
    ...all.slice(-shownAtEachEnd),
  );
}

function lines(...parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}
