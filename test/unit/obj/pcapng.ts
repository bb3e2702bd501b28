/** Writes pcapng files for tests, piece by piece as the specification has them. */
export interface PcapngOptions {
  readonly packets: readonly Uint8Array[];
  readonly littleEndian?: boolean;
  readonly linkType?: number;
  readonly snapLength?: number;
  /** The `if_tsresol` byte; microseconds without it. */
  readonly resolution?: number;
  /** In units of the resolution. */
  readonly time?: bigint;
  /** Simple packet blocks, which carry no time. */
  readonly simple?: boolean;
}

export function pcapng(options: PcapngOptions): Uint8Array {
  const {
    packets,
    littleEndian = true,
    linkType = 1,
    snapLength = 0,
    resolution,
    time = 0n,
    simple = false,
  } = options;
  const block = (type: number, ...fields: Uint8Array[]): Uint8Array => {
    const body = padded(join(fields));
    const length = u32(12 + body.length);
    return join([u32(type), length, body, length]);
  };
  const u16 = (number: number) => {
    const bytes = new Uint8Array(2);
    new DataView(bytes.buffer).setUint16(0, number, littleEndian);
    return bytes;
  };
  const u32 = (number: number) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, number, littleEndian);
    return bytes;
  };
  const resolutionOption =
    resolution === undefined ? [] : [u16(9), u16(1), Uint8Array.of(resolution, 0, 0, 0), u16(0), u16(0)];
  const unknown = block(0x0bad, u32(1), u32(2));
  return join([
    block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffff_ffff), u32(0xffff_ffff)),
    block(1, u16(linkType), u16(0), u32(snapLength), ...resolutionOption),
    unknown,
    ...packets.map((packet) =>
      simple
        ? block(3, u32(packet.length), padded(snapLength === 0 ? packet : packet.subarray(0, snapLength)))
        : block(
            6,
            u32(0),
            u32(Number(time >> 32n)),
            u32(Number(time & 0xffff_ffffn)),
            u32(packet.length),
            u32(packet.length),
            padded(packet),
          ),
    ),
  ]);
}

export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function padded(bytes: Uint8Array): Uint8Array {
  return join([bytes, new Uint8Array(-bytes.length & 3)]);
}
