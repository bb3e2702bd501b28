/** Records for one section, each as its words; `count` says another number of them than there are. */
export interface ExtSection {
  /** Offset of the section's name in the strings of the BTF. */
  readonly section: number;
  readonly records: readonly (readonly number[])[];
  readonly count?: number;
}

export interface BtfExtParts {
  readonly littleEndian?: boolean;
  readonly functions?: readonly ExtSection[];
  readonly lines?: readonly ExtSection[];
  /** 16 is what there is; more for a later version of the format. */
  readonly lineRecordSize?: number;
}

/** Builds a `.BTF.ext` section. */
export function btfExt(parts: BtfExtParts): Uint8Array {
  const functions = subsection(parts.functions ?? [], 8);
  const lines = subsection(parts.lines ?? [], parts.lineRecordSize ?? 16);
  const words = [24, 0, functions.length * 4, functions.length * 4, lines.length * 4, ...functions, ...lines];
  const bytes = new Uint8Array(4 + words.length * 4);
  const view = new DataView(bytes.buffer);
  const littleEndian = parts.littleEndian ?? true;
  view.setUint16(0, 0xeb9f, littleEndian);
  view.setUint8(2, 1);
  words.forEach((word, index) => {
    view.setUint32(4 + index * 4, word >>> 0, littleEndian);
  });
  return bytes;
}

function subsection(sections: readonly ExtSection[], recordSize: number): number[] {
  if (sections.length === 0) {
    return [];
  }
  const padded = (record: readonly number[]): number[] =>
    Array.from({ length: Math.floor(recordSize / 4) }, (_, index) => record[index] ?? 0);
  const bodies = sections.map(({ section, records, count }) => [
    section,
    count ?? records.length,
    ...records.flatMap(padded),
  ]);
  return [recordSize, ...bodies.flat()];
}
