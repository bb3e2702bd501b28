/** What programs are called where the kernel keeps only a text about them: on routes, and in tc actions. */
import type { Program } from './program.js';

/** As `tc` names its filters: the name, and the program's id. */
export function programLabel(program: Program): string {
  const { name, id } = program.info();
  return `${name}:[${id}]`;
}

/** The id in a label; undefined where somebody named the program otherwise. */
export function labelledId(label: string): number | undefined {
  const digits = /:\[(\d{1,10})\]$/.exec(label)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
