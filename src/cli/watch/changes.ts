/** `map watch` of a map with entries. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BpfMap } from '../../ebpf/map.js';
import { MapChanges } from '../../ebpf/map-changes.js';
import type { CommandContext } from '../context.js';
import { JsonLines, TextLines } from './lines.js';

export interface ChangeOptions {
  /** Seconds. */
  readonly interval: number;
  readonly count?: number | undefined;
}

export async function watchChanges(
  context: CommandContext<'map watch'>,
  reference: string,
  map: BpfMap,
  { interval, count = Number.POSITIVE_INFINITY }: ChangeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { output, options } = context;
  const changes = new MapChanges(map);
  const lines = options.json
    ? new JsonLines(options.jsonStrings)
    : new TextLines(map.valueCodec, map.shape.key);
  let left = count;
  try {
    for (let isFirst = true; left > 0; isFirst = false) {
      for await (const change of changes.look({ signal })) {
        if (!(await output.bytes(lines.change(change)))) return;
        left -= 1;
        if (left === 0) return;
      }
      if (isFirst) {
        output.debug(`watching ${reference}: ${changes.size} entries`);
        const now = changes.size === 1 ? '1 entry' : `${changes.size} entries`;
        output.remark(`watching ${reference} for changes: ${now} now; Ctrl-C ends it`);
      }
      await sleep(interval * 1000, undefined, { signal });
    }
  } catch (error) {
    // What it waited for or read from then throws whatever it throws.
    if (!signal.aborted) throw error;
  }
}
