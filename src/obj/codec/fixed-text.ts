/** Text known beforehand, such as the names of members: four bytes at a time. */

export interface FixedText {
  /** Bytes. */
  readonly length: number;
  /** Four bytes each in memory order, zeros behind the last. */
  readonly words: Uint32Array;
  /** Bytes behind the last whole word: 0 to 3. */
  readonly rest: number;
}

/** Bytes that `putFixed` may write behind the text; whoever makes room for it adds them. */
export const fixedSlack = 3;

export function fixedText(text: Uint8Array): FixedText {
  const padded = new Uint8Array((text.length + fixedSlack) & ~fixedSlack);
  padded.set(text);
  const view = new DataView(padded.buffer);
  const words = Uint32Array.from({ length: padded.length / 4 }, (_, index) =>
    view.getUint32(index * 4, true),
  );
  return { length: text.length, words, rest: text.length & 3 };
}

/** Writes the text and up to `fixedSlack` zeros. @returns the place behind the text */
export function putFixed(data: DataView, at: number, { length, words }: FixedText): number {
  for (let index = 0; index < words.length; index++) data.setUint32(at + index * 4, words[index] ?? 0, true);
  return at + length;
}

/** The place behind the text, if it stands at `at` and ends at `end` or before; otherwise -1. */
export function takeFixed(
  data: DataView,
  at: number,
  end: number,
  { length, words, rest }: FixedText,
): number {
  const next = at + length;
  if (next > end) return -1;
  const whole = length >> 2;
  let place = at;
  for (let index = 0; index < whole; index++) {
    if (data.getUint32(place, true) !== words[index]) return -1;
    place += 4;
  }
  let word = words[whole] ?? 0;
  for (let left = rest; left > 0; left--) {
    if (data.getUint8(place++) !== (word & 0xff)) return -1;
    word >>>= 8;
  }
  return next;
}
