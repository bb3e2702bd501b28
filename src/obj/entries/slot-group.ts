/** How many slots are moved at a time when a key table grows. */
export const groupSize = 4096;

/** What is on its way to its new slots. */
export class SlotGroup {
  count = 0;
  /** The halves of each fingerprint. */
  words = new Int32Array(groupSize * 4);
  /** The halves of what belongs to each, and whether it is marked. */
  more = new Int32Array(0);

  add(low: number, high: number): void {
    const at = this.count++ * 2;
    if (at === this.words.length) this.words = doubled(this.words);
    this.words[at] = low;
    this.words[at + 1] = high;
  }

  addMore(low: number, high: number, payloadLow: number, payloadHigh: number, isMarked: boolean): void {
    const at = this.count * 3;
    this.add(low, high);
    if (at + 3 > this.more.length) this.more = doubled(at === 0 ? new Int32Array(groupSize * 3) : this.more);
    this.more[at] = payloadLow;
    this.more[at + 1] = payloadHigh;
    this.more[at + 2] = isMarked ? 1 : 0;
  }
}

export function doubled(page: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const room = new Int32Array(page.length * 2);
  room.set(page);
  return room;
}
