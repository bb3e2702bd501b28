/** Fields of CSV (RFC 4180). */
const encoder = new TextEncoder();

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * Must a field be written in double quotes? Also the empty one, since a lone empty field is an empty line, and one with
 * spaces around it, which other programs may trim.
 */
export function needsQuotes(text: string): boolean {
  return text === '' || /[",\r\n]|^[ \t]|[ \t]$/.test(text);
}

/** A field as it is written. */
export function csvField(text: string): string {
  return needsQuotes(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvBytes(text: string): Uint8Array {
  return utf8Bytes(csvField(text));
}

const quote = 0x22;

/**
 * Puts what was written to `start` and ends at `end` into double quotes, its own ones doubled.
 * @returns the place behind it: room for `2 * (end - start) + 2` bytes is needed.
 */
export function quoteInPlace(bytes: Uint8Array, start: number, end: number): number {
  let extra = 2;
  for (let at = start; at < end; at++) if (bytes[at] === quote) extra++;
  let to = end + extra - 1;
  bytes[to--] = quote;
  for (let from = end - 1; from >= start; from--) {
    const byte = bytes[from] ?? 0;
    bytes[to--] = byte;
    if (byte === quote) bytes[to--] = quote;
  }
  bytes[to] = quote;
  return end + extra;
}
