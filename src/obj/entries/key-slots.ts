/** The memory of a key table: slots in pages, so that growing adds pages and never needs the old and the new table at once. */
import { doubled, groupSize, SlotGroup } from './slot-group.js';

/** Slots of a page, once there is more than a little. */
const pageShift = 15;
const pageSlots = 1 << pageShift;
const smallest = 1 << 9;
/** Used part of the slots at which more are added. */
const fullAt = 0.85;
/** How many times as many slots there are then: up to 12.5 bytes a key, with a second fingerprint up to 22.6. */
const growth = 4 / 3;
const payloadGrowth = 1.2;

/** A fingerprint, what belongs to it, and where it was found. */
export interface SlotOptions {
  /** Room for a second fingerprint with each. */
  readonly payload: boolean;
}

/**
 * Open addressing with linear probing. The place of a fingerprint grows with its upper half, so that all of them keep
 * their order when slots are added, and they can be moved from the end, in place. Slot 0 is set aside for the
 * fingerprint 0, which in all others means that they are free.
 */
export class KeySlots {
  /** How many fingerprints there are. */
  size = 0;
  readonly #hasPayload: boolean;
  /** Two words a slot: the fingerprint's low and high half. */
  #pages: Int32Array<ArrayBuffer>[];
  #payloads: Int32Array<ArrayBuffer>[] = [];
  /** A bit a slot, once one was set. */
  #marks: Uint8Array[] = [];
  #shift: number;
  #mask: number;
  /** Slots in which the probing for a fingerprint may begin; some more follow them. */
  #homes = 0;
  #scale = 0;
  #limit = 0;
  #hasZero = false;
  #group = new SlotGroup();
  /** Nothing but fingerprints is kept, so far. */
  #isPlain: boolean;

  constructor({ payload }: SlotOptions) {
    this.#hasPayload = payload;
    this.#isPlain = !payload;
    this.#shift = Math.log2(smallest);
    this.#mask = smallest - 1;
    this.#pages = [new Int32Array(smallest * 2)];
    if (payload) this.#payloads = [new Int32Array(smallest * 2)];
    this.#measure();
  }

  /** Bytes of memory. */
  get bytes(): number {
    const all = [...this.#pages, ...this.#payloads, ...this.#marks];
    return all.reduce((sum, page) => sum + page.byteLength, 0);
  }

  /** The slot of a fingerprint, -1 when it is not there. */
  find(low: number, high: number): number {
    if ((low | high) === 0) return this.#hasZero ? 0 : -1;
    let slot = ((high >>> 0) * this.#scale + 1) | 0;
    let page = this.#pages[slot >>> this.#shift];
    let at = (slot & this.#mask) * 2;
    while (page !== undefined) {
      const there = page[at + 1];
      const thereLow = page[at];
      if (there === high && thereLow === low) return slot;
      if (there === 0 && thereLow === 0) return -1;
      slot++;
      at += 2;
      if (at === page.length) {
        page = this.#pages[slot >>> this.#shift];
        at = 0;
      }
    }
    return -1;
  }

  /** Adds a fingerprint. @returns its slot, or -1 - slot when it was there already */
  add(low: number, high: number): number {
    if ((low | high) === 0) {
      if (this.#hasZero) return -1;
      this.#hasZero = true;
      this.size++;
      return 0;
    }
    if (this.size >= this.#limit) this.#grow();
    let slot = ((high >>> 0) * this.#scale + 1) | 0;
    let page = this.#pages[slot >>> this.#shift];
    let at = (slot & this.#mask) * 2;
    while (page !== undefined) {
      const there = page[at + 1];
      const thereLow = page[at];
      if (there === high && thereLow === low) return -1 - slot;
      if (there === 0 && thereLow === 0) {
        page[at] = low;
        page[at + 1] = high;
        this.size++;
        return slot;
      }
      slot++;
      at += 2;
      if (at === page.length) {
        page = this.#pages[slot >>> this.#shift];
        at = 0;
      }
    }
    // The slots behind the last home are used up, which hardly ever happens.
    this.#addPage();
    return this.add(low, high);
  }

  setPayload(slot: number, low: number, high: number): void {
    const page = this.#payloads[slot >>> this.#shift];
    const at = (slot & this.#mask) * 2;
    if (page === undefined) return;
    page[at] = low;
    page[at + 1] = high;
  }

  hasPayload(slot: number, low: number, high: number): boolean {
    const page = this.#payloads[slot >>> this.#shift];
    const at = (slot & this.#mask) * 2;
    return page !== undefined && page[at] === low && page[at + 1] === high;
  }

  /** Marks a slot. @returns whether it was not marked before */
  mark(slot: number): boolean {
    if (this.#marks.length === 0) {
      this.#marks = this.#pages.map(() => this.#markPage());
      this.#isPlain = false;
    }
    const page = this.#marks[slot >>> this.#shift];
    const at = (slot & this.#mask) >>> 3;
    const bit = 1 << (slot & 7);
    const bits = page?.[at] ?? 0;
    if (page === undefined || (bits & bit) !== 0) return false;
    page[at] = bits | bit;
    return true;
  }

  isMarked(slot: number): boolean {
    const bits = this.#marks[slot >>> this.#shift]?.[(slot & this.#mask) >>> 3] ?? 0;
    return (bits & (1 << (slot & 7))) !== 0;
  }

  #markPage(): Uint8Array {
    return new Uint8Array((this.#mask + 1) / 8);
  }

  #measure(): void {
    const slots = this.#pages.length << this.#shift;
    // Room behind the last home, so that probing need not begin again at the front.
    this.#homes = slots - 1 - Math.min(slots >>> 2, 2048);
    this.#scale = this.#homes / 2 ** 32;
    this.#limit = Math.floor(this.#homes * fullAt);
  }

  #grow(): void {
    const old = this.#pages.length << this.#shift;
    if (this.#pages.length === 1 && this.#mask + 1 < pageSlots) {
      this.#shift++;
      this.#mask = (1 << this.#shift) - 1;
      const [page] = this.#pages;
      const [payload] = this.#payloads;
      const [marks] = this.#marks;
      if (page !== undefined) this.#pages = [doubled(page)];
      if (payload !== undefined) this.#payloads = [doubled(payload)];
      if (marks !== undefined) {
        const room = this.#markPage();
        room.set(marks);
        this.#marks = [room];
      }
    } else {
      const factor = this.#hasPayload ? payloadGrowth : growth;
      const more = Math.ceil(this.#pages.length * factor) - this.#pages.length;
      for (let count = 0; count < more; count++) this.#addPage();
    }
    this.#measure();
    this.#moveUp(old);
  }

  #addPage(): void {
    this.#pages.push(new Int32Array((this.#mask + 1) * 2));
    if (this.#hasPayload) this.#payloads.push(new Int32Array((this.#mask + 1) * 2));
    if (this.#marks.length > 0) this.#marks.push(this.#markPage());
  }

  /**
   * Moves everything to its new place, from the end. A group is lifted out together with all that stands before it
   * without a gap: none of it then has its home before the group, so that probing for its new places meets no slot that
   * is still to be moved.
   */
  #moveUp(slots: number): void {
    for (let end = slots; end > 1; ) {
      const start = this.#lift(end);
      for (let index = this.#group.count - 1; index >= 0; index--) this.#putBack(index);
      end = start;
    }
    this.#group = new SlotGroup();
  }

  /** Takes a group of slots before `end` out. @returns where the group begins */
  #lift(end: number): number {
    const group = this.#group;
    group.count = 0;
    let slot = end - 1;
    let page = this.#pages[slot >>> this.#shift];
    let at = (slot & this.#mask) * 2;
    for (; slot > 0; slot--, at -= 2) {
      if (at < 0) {
        page = this.#pages[slot >>> this.#shift];
        at = this.#mask * 2;
      }
      if (page === undefined) break;
      const low = page[at] ?? 0;
      const high = page[at + 1] ?? 0;
      if ((low | high) === 0) {
        if (group.count >= groupSize) break;
        continue;
      }
      page[at] = 0;
      page[at + 1] = 0;
      if (this.#isPlain) group.add(low, high);
      else this.#liftMore(slot, at, low, high);
    }
    return slot + 1;
  }

  #liftMore(slot: number, at: number, low: number, high: number): void {
    const number = slot >>> this.#shift;
    const payload = this.#payloads[number];
    const marks = this.#marks[number];
    let isMarked = false;
    if (marks !== undefined) {
      const byte = (slot & this.#mask) >>> 3;
      const bits = marks[byte] ?? 0;
      isMarked = (bits & (1 << (slot & 7))) !== 0;
      marks[byte] = bits & ~(1 << (slot & 7));
    }
    this.#group.addMore(low, high, payload?.[at] ?? 0, payload?.[at + 1] ?? 0, isMarked);
  }

  #putBack(index: number): void {
    const { words, more } = this.#group;
    const low = words[index * 2] ?? 0;
    const high = words[index * 2 + 1] ?? 0;
    let slot = ((high >>> 0) * this.#scale + 1) | 0;
    let page = this.#pages[slot >>> this.#shift];
    let at = (slot & this.#mask) * 2;
    while (page !== undefined && (page[at] !== 0 || page[at + 1] !== 0)) {
      slot++;
      at += 2;
      if (at < page.length) continue;
      at = 0;
      if (slot >>> this.#shift === this.#pages.length) this.#addPage();
      page = this.#pages[slot >>> this.#shift];
    }
    if (page === undefined) return;
    page[at] = low;
    page[at + 1] = high;
    if (this.#isPlain) return;
    this.setPayload(slot, more[index * 3] ?? 0, more[index * 3 + 1] ?? 0);
    if (more[index * 3 + 2] === 1) this.mark(slot);
  }
}
