/** The verdicts upon which a chain goes on, as words and as the bits of a dispatcher's configuration. */
import { NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';

/** The verdicts of XDP (`enum xdp_action` of linux/bpf.h), by their numbers. */
export const xdpVerdicts = ['aborted', 'drop', 'pass', 'tx', 'redirect'] as const;
export type XdpVerdict = (typeof xdpVerdicts)[number];

/** What an empty slot returns: it always goes on. */
const emptySlot = 2 ** 31;

/** The bits for these verdicts, and that of an empty slot. */
export function actionsOf(verdicts: Iterable<XdpVerdict>): number {
  let bits = emptySlot;
  // No bitwise operator: they would make the number negative.
  for (const verdict of new Set(verdicts)) bits += 2 ** xdpVerdicts.indexOf(verdict);
  return bits;
}

/** The verdicts whose bits are set, in the order of their numbers; bits that are no verdict's are left out. */
export function verdictsOf(actions: number): XdpVerdict[] {
  return xdpVerdicts.filter((_, number) => (actions & (1 << number)) !== 0);
}

/**
 * Reads `pass,tx`; the kernel's names (`XDP_PASS`) do as well, and `none` stands for no verdict at all.
 * @throws NetkitError `usage` for a word that is no verdict, with the one that was probably meant
 */
export function parseVerdicts(text: string): XdpVerdict[] {
  if (text.trim().toLowerCase() === 'none') return [];
  const chosen = text.split(',').map((part) => {
    const word = part.trim().toLowerCase().replace(/^xdp_/, '');
    const found = xdpVerdicts.find((verdict) => verdict === word);
    if (found !== undefined) return found;
    throw new NetkitError('usage', `'${part.trim()}' is no verdict of XDP`, {
      hint: suggestion(word, xdpVerdicts) ?? `the verdicts are ${xdpVerdicts.join(', ')}`,
    });
  });
  return xdpVerdicts.filter((verdict) => chosen.includes(verdict));
}
