// The entries that the map rows work on, and the files that the tools read: the same entries for every tool.
import { closeSync, openSync, writeSync } from 'node:fs';

/** Odd, so that it visits every 32-bit number once: keys look random and none comes twice. */
const keyStep = 0x9e3779b1;
const valueStep = 0x9e3779b97f4a7c15n;

/** `u32 → u64`: values of every length. */
export const numbers = {
  bytes(index) {
    const entry = Buffer.alloc(12);
    entry.writeUInt32LE(keyAt(index), 0);
    entry.writeBigUInt64LE(BigInt.asUintN(64, BigInt(index) * valueStep) >> BigInt(index % 64), 4);
    return [entry.subarray(0, 4), entry.subarray(4)];
  },
  json(index) {
    const [key, value] = this.bytes(index);
    return `{"key":${key.readUInt32LE()},"value":${value.readBigUInt64LE()}}`;
  },
};

/** A 5-tuple → packets and bytes. */
export const flows = {
  bytes(index) {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(0x0a000000 + (index >>> 4), 0);
    key.writeUInt32BE(keyAt(index), 4);
    key.writeUInt16BE(1024 + (index % 60_000), 8);
    key.writeUInt16BE([80, 443, 53, 8080][index % 4], 10);
    key.writeUInt8(index % 3 === 0 ? 17 : 6, 12);
    const value = Buffer.alloc(16);
    value.writeBigUInt64LE(BigInt(index % 100_000), 0);
    value.writeBigUInt64LE(BigInt(index % 100_000) * 1234n, 8);
    return [key, value];
  },
};

function keyAt(index) {
  return Math.imul(index, keyStep) >>> 0;
}

/** A file of `map update` lines, for bpftool's batch. */
export function writeBpftoolBatch(path, pin, entries, count) {
  writeLines(path, count, (index) => {
    const [key, value] = entries.bytes(index);
    return `map update pinned ${pin} key hex ${spaced(key)} value hex ${spaced(value)}`;
  });
}

/** The same for `netkit batch`, with the entries as numbers. */
export function writeNetkitBatch(path, reference, entries, count) {
  writeLines(path, count, (index) => {
    const [key, value] = entries.bytes(index);
    return `map update ${reference} ${key.readUInt32LE()} ${value.readBigUInt64LE()}`;
  });
}

/** NDJSON of `u32 → u64` entries. */
export function writeNdjson(path, count) {
  writeLines(path, count, (index) => numbers.json(index));
}

function spaced(bytes) {
  return bytes.toString('hex').replace(/..(?=.)/g, '$& ');
}

function writeLines(path, count, line) {
  const file = openSync(path, 'w');
  try {
    for (let index = 0; index < count; ) {
      const lines = [];
      for (; lines.length < 10_000 && index < count; index++) lines.push(line(index));
      writeSync(file, `${lines.join('\n')}\n`);
    }
  } finally {
    closeSync(file);
  }
}
