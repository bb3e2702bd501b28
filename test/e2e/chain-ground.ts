/** What tests share whose functions are in chains of XDP programs: what packets meet there, and what is recorded of it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { z } from 'zod';
import { BpfMap } from '../../src/ebpf/map.js';
import { haveReturn, marksOfOne } from '../support/chain-marks.js';
import { chained, type Ground } from './ground.js';
import { stateFile } from './hook-ground.js';

/** The marks that one packet leaves in the maps of a function. */
export function ran(ground: Ground, name = 'c'): number[] {
  using marks = mapOf(ground, name, 'marks');
  return marksOfOne(marks, () => ground.ping(1));
}

/** The same for a packet that has to be answered; undefined where the function is not loaded. */
export function ranAndAnswered(ground: Ground, name = 'c'): number[] | undefined {
  const answered = () => expect(ground.ping(1)).toBe(1);
  if (!ground.bpffs.pins().includes(`netkit/${name}/maps/marks`)) {
    answered();
    return undefined;
  }
  using marks = mapOf(ground, name, 'marks');
  return marksOfOne(marks, answered);
}

/** What a member returns from now on, as a number of XDP. */
export function returns(ground: Ground, member: number, verdict: number, name = 'c'): void {
  using verdicts = mapOf(ground, name, 'verdicts');
  haveReturn(verdicts, member, verdict);
}

function mapOf(ground: Ground, name: string, map: string): BpfMap {
  return BpfMap.fromPin(join(ground.bpffs.root.path, 'netkit', name, 'maps', map));
}

const recorded = z.looseObject({ links: z.array(z.unknown()) });

/** The links in the state file of a function; undefined where it has none. */
export function recordedLinks(ground: Ground, name: string): unknown {
  const path = stateFile(ground, name);
  if (!existsSync(path)) return undefined;
  // Members are loaded anew when they are brought back.
  const withoutIds = (key: string, value: unknown): unknown => (key === 'programId' ? undefined : value);
  return recorded.parse(JSON.parse(readFileSync(path, 'utf8'), withoutIds)).links;
}

/** What `attach` says beside its result when it attaches to XDP. */
export const loneNote = chained ? /^$/ : /^netkit: attached alone, since there can be no chain .*\n$/;

/** `xdp (native)`, as texts have it for a program that was attached without further options. */
export function xdpPlace(mode: string): string {
  return chained ? `xdp (${mode}, priority 50)` : `xdp (${mode})`;
}

/** The same for a program that takes part in chains by tail calls: it is never alone. */
export function chainPlace(mode: string): string {
  return `xdp (${chained ? '' : 'chain by tail calls, '}${mode}, priority 50)`;
}
