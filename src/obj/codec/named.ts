/**
 * Forms that a name chooses: addresses, MACs and prefixes. A name decides only how bytes are written; the bytes stay
 * as stored, whatever the byte order of the integer type.
 */
import {
  clearHostBits,
  parseIpv4,
  parseIpv6,
  parseMac,
  parsePrefix,
  parsePrefixLength,
} from '../../base/address.js';
import type { JsonValue } from '../../base/json.js';
import { bareAddress, barePrefix } from './address-text.js';
import { quotedText } from './text-form.js';
import { readText, writeText } from './text-value.js';
import { bytesAt, type Form, hexOf, isHex, Misfit, shown, within, writeHex } from './value.js';

export type AddressKind = 'ipv4' | 'ipv6' | 'mac';

/** The last word of a name that means an IP address by itself. */
const addressWords =
  /^(ip|ipv4|ipv6|v4|v6|vip|rip|sip|dip|srcip|dstip|saddr|daddr|addr|addrs|address|addresses|ipaddr|ips|nexthop|gateway|gw|netmask)$/;
/** Words that mean an address next to `ip`, `ipv4` or `ipv6`, as in `ipv4_src` or `remote_ip4`. */
const endWords = /^(src|dst|source|dest|destination|remote|local|peer)$/;
const macWords = /^(mac|macs|macaddr|smac|dmac|srcmac|dstmac|hwaddr|lladdr|ethaddr|eth)$/;
const macNames = new Set(['h_dest', 'h_source']);

/** `srcIP_v4` → `src`, `ip`, `v4`; a number at the end (`addr2`) and the `_t` of typedefs are no words. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split('_')
    .filter(
      (word, index, all) =>
        word !== '' && !(word === 't' && index === all.length - 1) && !/^[0-9]+$/.test(word),
    );
}

/**
 * The address form that a member, variable or typedef name asks for with so many bytes, if any. IP addresses: names
 * whose last word is one of addr, address, ip, saddr, daddr, sip, dip, vip, nexthop, gateway, gw, netmask and the like,
 * with 4, 6, v4 or v6 at will, or src, dst, remote, local, peer beside ip, ipv4, ipv6. MACs: mac, smac, dmac, hwaddr,
 * h_dest, h_source, or any address name.
 */
export function addressKind(name: string, size: number): AddressKind | undefined {
  if (size !== 4 && size !== 6 && size !== 16) return undefined;
  const words = wordsOf(name);
  let last = words.at(-1) ?? '';
  // `drops_v4` counts packets; only `addr_v4` and a lone `v4` are addresses.
  if (words.length > 1 && /^v[46]$/.test(last)) last = words.at(-2) ?? '';
  const ip = isAddressWord(last) || (endWords.test(last) && words.some((word) => /^ip(v?[46])?$/.test(word)));
  if (size === 6)
    return ip || macWords.test(last.replace(/[0-9]+$/, '')) || macNames.has(name) ? 'mac' : undefined;
  if (!ip) return undefined;
  return size === 4 ? 'ipv4' : 'ipv6';
}

function isAddressWord(word: string): boolean {
  return addressWords.test(word) || addressWords.test(word.replace(/(v?[46]|[0-9]+)$/, ''));
}

/** Does the name say IPv6, so that four 32-bit words are one address and not four? */
export function saysIpv6(name: string): boolean {
  return addressKind(name, 16) === 'ipv6' && /6/.test(name);
}

interface AddressText {
  readonly size: number;
  readonly example: string;
  readonly parse: (text: string) => Uint8Array;
}

const addressTexts: Readonly<Record<AddressKind, AddressText>> = {
  ipv4: { size: 4, example: '10.0.0.1', parse: parseIpv4 },
  ipv6: { size: 16, example: '2001:db8::1', parse: parseIpv6 },
  mac: { size: 6, example: '02:00:00:00:00:01', parse: parseMac },
};

/** An address as text; its bytes as stored. */
export function addressForm(kind: AddressKind, typeName: string): Form {
  const { size, example, parse } = addressTexts[kind];
  const bare = bareAddress(kind);
  return {
    size,
    typeName,
    read: readText(bare),
    write: writeText(bare, size, (view, offset, value) => {
      if (typeof value !== 'string') throw new Misfit(`${shown(value)} is not an address such as ${example}`);
      const text = value.trim();
      if (isHex(text)) writeHex(view, offset, size, text, typeName);
      else bytesAt(view, offset, size).set(parse(text));
    }),
    describe: () => example,
    text: quotedText(bare),
  };
}

/**
 * A longest-prefix-match key: a `__u32` length, then the address. 4 bytes are IPv4, 16 IPv6, others `hex:…/length`.
 * @param whole the struct's own form, for input by member.
 */
export function prefixForm(size: number, littleEndian: boolean, typeName: string, whole?: Form): Form {
  const width = size - 4;
  const example =
    width === 4
      ? '10.0.0.0/8'
      : width === 16
        ? '2001:db8::/32'
        : `hex:${'00'.repeat(Math.min(width, 4))}…/${width * 8}`;
  const ip = width === 4 || width === 16;

  const writePrefix = (view: DataView, offset: number, text: string): void => {
    const { bytes, length } = ip ? ipPrefix(text, width) : hexPrefix(text, width);
    view.setUint32(offset, length, littleEndian);
    bytesAt(view, offset + 4, width).set(bytes);
  };
  const bare = barePrefix(width, littleEndian);
  const read = readText(bare);
  const writeMembers = (view: DataView, offset: number, value: JsonValue, form: Form): void => {
    form.write(view, offset, value);
    const length = view.getUint32(offset, littleEndian);
    if (length > width * 8) throw new Misfit(`a prefix length of ${length} is more than ${width * 8}`);
    const given = read(view, offset);
    if (clearHostBits(bytesAt(view, offset + 4, width), length)) throw hostBits(given, read(view, offset));
  };
  return {
    size,
    typeName,
    read,
    write: writeText(bare, size, (view, offset, value) => {
      if (typeof value === 'string') {
        const text = value.trim();
        if (isHex(text) && !text.includes('/')) writeHex(view, offset, size, text, typeName);
        else if (whole !== undefined && /^\{|=/.test(text)) writeMembers(view, offset, text, whole);
        else writePrefix(view, offset, text);
      } else if (
        whole !== undefined &&
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value)
      ) {
        writeMembers(view, offset, value, whole);
      } else {
        throw new Misfit(`${shown(value)} is not a prefix such as ${example}`);
      }
    }),
    describe: () => example,
    text: quotedText(bare),
  };
}

function hostBits(given: string, network: string): Misfit {
  return new Misfit(`${given} has host bits set: did you mean ${network}?`);
}

function ipPrefix(text: string, width: number): { bytes: Uint8Array; length: number } {
  const isIpv6 = text.includes(':');
  if (isIpv6 !== (width === 16) && /^[0-9a-fA-F.:]+(\/|$)/.test(text)) {
    const prefix = parsePrefix(text);
    if (prefix.bytes.length !== width) {
      throw new Misfit(
        `${shown(text)} is ${isIpv6 ? 'IPv6' : 'IPv4'}, this key holds ${isIpv6 ? 'IPv4' : 'IPv6'} prefixes`,
      );
    }
  }
  try {
    return parsePrefix(text);
  } catch (error) {
    throw within(error, '');
  }
}

function hexPrefix(text: string, width: number): { bytes: Uint8Array; length: number } {
  const slash = text.indexOf('/');
  const hex = slash < 0 ? text : text.slice(0, slash);
  if (!isHex(hex))
    throw new Misfit(`${shown(text)} is not a prefix such as hex:${'00'.repeat(width)}/${width * 8}`);
  const bytes = new Uint8Array(width);
  writeHex(new DataView(bytes.buffer), 0, width, hex, 'the prefix');
  const length = slash < 0 ? width * 8 : parsePrefixLength(text.slice(slash + 1), width * 8, text);
  const network = Uint8Array.from(bytes);
  if (clearHostBits(network, length)) throw hostBits(text, `hex:${hexOf(network)}/${length}`);
  return { bytes, length };
}
