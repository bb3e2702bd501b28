/** The slow and obvious way to search prefixes, to check the kernel's with. Addresses are numbers of 32 or 128 bits. */

/** The value of the longest prefix in `table` (by its text) that contains `address`. */
export function longestPrefix<T>(
  table: ReadonlyMap<string, T>,
  address: bigint,
  bits: number,
): T | undefined {
  for (let length = bits; length >= 0; length--) {
    const found = table.get(prefixText(network(address, length, bits), length, bits));
    if (found !== undefined) return found;
  }
  return undefined;
}

export function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** The address with all but its first `length` bits cleared. */
export function network(address: bigint, length: number, bits: number): bigint {
  return (address >> BigInt(bits - length)) << BigInt(bits - length);
}

export function prefixText(address: bigint, length: number, bits: number): string {
  return `${addressText(address, bits)}/${length}`;
}

/** A dotted quad, or eight groups without `::`. */
export function addressText(address: bigint, bits: number): string {
  const hex = address.toString(16).padStart(bits / 4, '0');
  const groups = hex.match(bits === 32 ? /../g : /..../g) ?? [];
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  return bits === 32 ? numbers.join('.') : numbers.map((group) => group.toString(16)).join(':');
}
