import { NetkitError } from '../../../../src/base/errors.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { type BtfCodecOptions, type Codec, codecFor, encodeText } from '../../../../src/obj/codec/index.js';
import { BtfBuilder } from '../../../support/btf-builder.js';

/** The base types that C programs have, under the names of vmlinux.h. */
export function cTypes(btf: BtfBuilder) {
  const uchar = btf.int('unsigned char', 1);
  const ushort = btf.int('unsigned short', 2);
  const uint = btf.int('unsigned int', 4);
  const ulong = btf.int('unsigned long long', 8);
  const u16 = btf.typedef('__u16', ushort);
  const u32 = btf.typedef('__u32', uint);
  const u64 = btf.typedef('__u64', ulong);
  return {
    u8: btf.typedef('__u8', uchar),
    u16,
    u32,
    u64,
    s8: btf.int('signed char', 1, { signed: true }),
    s16: btf.int('short', 2, { signed: true }),
    s32: btf.int('int', 4, { signed: true }),
    s64: btf.int('long long', 8, { signed: true }),
    u128: btf.int('unsigned __int128', 16),
    s128: btf.int('__int128', 16, { signed: true }),
    be16: btf.typedef('__be16', u16),
    be32: btf.typedef('__be32', u32),
    be64: btf.typedef('__be64', u64),
    bool: btf.int('_Bool', 1, { bool: true }),
    char: btf.int('char', 1, { signed: true }),
    f32: btf.float('float', 4),
    f64: btf.float('double', 8),
  };
}

export type CTypes = ReturnType<typeof cTypes>;

/** The codec of a type that `build` makes. */
export function codecOfType(
  build: (btf: BtfBuilder, c: CTypes) => number,
  options: BtfCodecOptions = {},
): Codec {
  const littleEndian = options.littleEndian ?? true;
  const btf = new BtfBuilder({ littleEndian });
  const id = build(btf, cTypes(btf));
  return codecFor(readBtf(btf.bytes()), id, options);
}

/** Lower-case hex of the bytes that a text stands for. */
export function hexOfText(codec: Codec, text: string): string {
  return Buffer.from(encodeText(codec, text)).toString('hex');
}

/** The value of bytes given as hex. */
export function valueOfHex(codec: Codec, hex: string) {
  const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
  return codec.decode(new DataView(bytes.buffer), 0);
}

/** Message and hint of the `bad-value` error that `work` must throw. */
export function refusal(work: () => unknown, code = 'bad-value'): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== code) throw error;
    if (error.message.includes('\n')) throw new Error(`more than one line: ${error.message}`);
    return error.hint === undefined ? error.message : `${error.message} | ${error.hint}`;
  }
  throw new Error('nothing was refused');
}
