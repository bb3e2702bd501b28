/** One field of a declared function or chain, as it is declared, recorded and in the kernel. */
import type { EntrySample } from '../entries/samples.js';

export interface DriftRow {
  /** `spec.globals.limit`, `spec.maps.rules.entries`, `attach count xdp of eth0` */
  readonly field: string;
  /** Undefined where nothing is to be known, or to be said. */
  readonly declared: string | undefined;
  readonly recorded: string | undefined;
  readonly kernel: string | undefined;
  readonly differs: boolean;
  /** Of entries that are not as declared, some. */
  readonly samples: readonly EntrySample[];
}

export interface Sides {
  readonly declared?: string | undefined;
  readonly recorded?: string | undefined;
  readonly kernel?: string | undefined;
}

/** @param differs whether what is known of the sides differs, when that is left out */
export function row(
  field: string,
  { declared, recorded, kernel }: Sides,
  differs?: boolean,
  samples: readonly EntrySample[] = [],
): DriftRow {
  const known = [declared, recorded, kernel].filter((side) => side !== undefined);
  const isOther = differs ?? known.some((side) => side !== known[0]);
  return { field, declared, recorded, kernel, differs: isOther, samples };
}
