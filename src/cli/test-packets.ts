import { readFileSync, statSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { fileError } from '../host/file-errors.js';
import { type Capture, readPcap } from '../obj/pcap.js';

/** A packet to run a program on. */
export interface TestPacket {
  readonly bytes: Uint8Array;
  /** When it was captured, in nanoseconds since 1970; 0 when that is not known. */
  readonly timestampNs: bigint;
  /** Its bytes are not all there: the capture kept the first ones only. */
  readonly cut: boolean;
}

/** LINKTYPE_ETHERNET */
const ethernet = 1;
/** ETH_HLEN: the kernel runs no program on less. */
const shortest = 14;

/** Packets in hexadecimal; spaces and colons between digits are allowed. @throws NetkitError `bad-value` */
export function packetsFromHex(texts: readonly string[]): TestPacket[] {
  return texts.map((text, index) => {
    const what = texts.length === 1 ? '--hex' : `--hex number ${index + 1}`;
    const digits = text.replace(/[\s:]/g, '');
    const wrong = /[^0-9a-fA-F]/.exec(digits)?.[0];
    if (wrong !== undefined)
      throw new NetkitError('bad-value', `${what}: '${wrong}' is not a hexadecimal digit`);
    if (digits.length % 2 !== 0) {
      throw new NetkitError('bad-value', `${what}: an odd number of digits (${digits.length})`, {
        hint: 'a byte has two digits: write 0a, not a',
      });
    }
    const bytes = Uint8Array.from(Buffer.from(digits, 'hex'));
    checkLength(bytes, what);
    return { bytes, timestampNs: 0n, cut: false };
  });
}

/**
 * The first `limit` packets of a pcap or pcapng file.
 * @throws NetkitError `not-found`, `not-permitted`; `bad-value` when it is no capture of Ethernet packets
 */
export function packetsFromFile(path: string, limit = Number.POSITIVE_INFINITY): TestPacket[] {
  const { linkType, packets } = readCapture(path);
  if (linkType !== ethernet && packets.length > 0) {
    throw new NetkitError(
      'bad-value',
      `'${path}' has packets of link type ${linkType}, not of Ethernet (1)`,
      {
        details: { path, linkType },
      },
    );
  }
  return packets.slice(0, limit).map(({ bytes, originalLength, timestampNs }, index) => {
    checkLength(bytes, `'${path}', packet ${index + 1}`);
    return { bytes, timestampNs, cut: originalLength > bytes.length };
  });
}

function readCapture(path: string): Capture {
  let file: Buffer;
  try {
    // A pipe ends some time, a device may not.
    if (statSync(path).isCharacterDevice()) {
      throw new NetkitError('bad-value', `'${path}' is a device, not a capture`, { details: { path } });
    }
    file = readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
  try {
    return readPcap(file);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'bad-object') throw error;
    throw new NetkitError('bad-value', `'${path}': ${error.message}`, {
      details: { ...error.details, path },
      cause: error,
    });
  }
}

function checkLength(bytes: Uint8Array, what: string): void {
  if (bytes.length >= shortest) return;
  throw new NetkitError(
    'bad-value',
    `${what}: ${bytes.length} bytes are too short: a packet begins with its Ethernet header of ${shortest}`,
  );
}
