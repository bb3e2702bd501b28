/** What packets are made of: addresses as bytes, and the Internet checksum. */

/** Six bytes of a MAC address. */
export function macBytes(text: string): Uint8Array {
  return exactly(
    6,
    text,
    text.split(':').map((part) => Number.parseInt(part, 16)),
  );
}

/** Four bytes of a dotted quad. */
export function ipv4Bytes(text: string): Uint8Array {
  return exactly(4, text, text.split('.').map(Number));
}

/** Sixteen bytes of an IPv6 address in groups, `::` included. */
export function ipv6Bytes(text: string): Uint8Array {
  const [head = '', tail] = text.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const all = [...before, ...new Array<number>(zeros).fill(0), ...after];
  return exactly(
    16,
    text,
    all.flatMap((group) => [group >> 8, group & 0xff]),
  );
}

function exactly(length: number, text: string, bytes: readonly number[]): Uint8Array {
  if (bytes.length !== length || bytes.some((byte) => !(byte >= 0 && byte <= 255))) {
    throw new Error(`not an address of ${length} bytes: ${text}`);
  }
  return Uint8Array.from(bytes);
}

/** The checksum of RFC 1071 over byte runs of which all but the last are of even length. */
export function internetChecksum(runs: readonly Uint8Array[]): number {
  let sum = 0;
  for (const run of runs) {
    for (let at = 0; at < run.length; at += 2) {
      sum += ((run[at] ?? 0) << 8) | (run[at + 1] ?? 0);
    }
  }
  while (sum > 0xffff) {
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return ~sum & 0xffff;
}
