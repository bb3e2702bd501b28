/** Where in a chain an object says that its programs belong: the `.xdp_run_config` of libxdp's `xdp_helpers.h`. */
import type { BtfComposite, BtfGraph } from '../btf/types.js';
import { type XdpVerdict, xdpVerdicts } from './actions.js';

/** A program's place in a chain. */
export interface RunConfig {
  /** Lower ones run first. */
  readonly priority: number;
  /** The verdicts upon which the next member runs. */
  readonly proceedOn: readonly XdpVerdict[];
}

/** What libxdp takes where an object says nothing. */
export const defaultRunConfig: RunConfig = { priority: 50, proceedOn: ['pass'] };

const section = '.xdp_run_config';

/**
 * What the object says of a program in a struct that is called like the program's function with an underscore before it,
 * and the defaults for what it leaves out. Numbers are written like those of maps: as the length of an array (`__uint`).
 */
export function readRunConfig(btf: BtfGraph | undefined, program: string): RunConfig {
  const struct = btf === undefined ? undefined : configStruct(btf, `_${program}`);
  if (btf === undefined || struct === undefined) return defaultRunConfig;
  const numbers = new Map(
    struct.members.flatMap(({ name, type }) => {
      const number = numberOf(btf, type);
      return number === undefined ? [] : [[name, number] as const];
    }),
  );
  const goesOn = (verdict: XdpVerdict): boolean => {
    const said = numbers.get(`XDP_${verdict.toUpperCase()}`);
    return said === undefined ? defaultRunConfig.proceedOn.includes(verdict) : said !== 0;
  };
  return {
    priority: numbers.get('priority') ?? defaultRunConfig.priority,
    proceedOn: xdpVerdicts.filter(goesOn),
  };
}

function configStruct(btf: BtfGraph, variable: string): BtfComposite | undefined {
  const found = btf.find(section, 'datasec');
  if (found?.kind !== 'datasec') return undefined;
  for (const { type: id } of found.variables) {
    const candidate = btf.type(id);
    if (candidate.kind !== 'var' || candidate.name !== variable) continue;
    const type = btf.resolve(candidate.type);
    return type.kind === 'struct' ? type : undefined;
  }
  return undefined;
}

function numberOf(btf: BtfGraph, id: number): number | undefined {
  const pointer = btf.resolve(id);
  if (pointer.kind !== 'ptr') return undefined;
  const array = btf.resolve(pointer.target);
  return array.kind === 'array' ? array.length : undefined;
}
