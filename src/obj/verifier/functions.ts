import type { ListedFunction } from '../instructions/listing.js';
import type { PlacedFunction } from './explanation.js';

const callOpcode = 0x85;
/** The source register of a call that stays within the program. */
const withinProgram = 1;

/** What an explanation needs of a listing: where functions are, and how control goes. */
export function placedFunctions(listing: readonly ListedFunction[]): PlacedFunction[] {
  const starts = listing.map(({ start }) => start);
  return listing.map(({ name, start, instructions }) => {
    const last = instructions.at(-1);
    return {
      name,
      first: start,
      end: last === undefined ? start : last.index + last.slots,
      jumps: instructions.flatMap(({ index, target }) =>
        target === undefined ? [] : [{ at: index, to: target }],
      ),
      helpers: instructions.flatMap(({ index, opcode, source, text }) => {
        if (opcode !== callOpcode || source !== 0) return [];
        return [{ at: index, name: text.replace(/^call /, '') }];
      }),
      calls: instructions.flatMap(({ index, opcode, source, text }) => {
        if (opcode !== callOpcode || source !== withinProgram) return [];
        const target = starts.indexOf(Number(/<(\d+)>$/.exec(text)?.[1] ?? Number.NaN));
        return target < 0 ? [] : [{ at: index, target }];
      }),
    };
  });
}
