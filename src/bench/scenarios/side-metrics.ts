/** What several scenarios measure beside their main figures. */
import type { BenchMetric } from '../document.js';

/** A part of a whole, such as of a CPU's time. */
export function share(name: string, title: string): BenchMetric {
  return { name, title, unit: 'share', better: 'neither', isMain: false };
}

/** Of a generator that sends at times which are fixed before. */
export const lag: BenchMetric = {
  name: 'lag',
  title: 'How late the generator itself was',
  unit: 'ns',
  better: 'neither',
  isMain: false,
};
