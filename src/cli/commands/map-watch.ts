import type { Command } from '../context.js';
import { openTypedMap } from '../typed-map.js';

const streams: ReadonlySet<string> = new Set(['ringbuf', 'perf_event_array']);

export const run: Command<'map watch'> = async (context, { reference }, options) => {
  const signals = [context.signal];
  if (options.for !== undefined) signals.push(AbortSignal.timeout(options.for * 1000));
  const signal = AbortSignal.any(signals);
  using map = await openTypedMap(context, reference, options);
  if (streams.has(map.info.type)) {
    const { watchRecords } = await import('../watch/records.js');
    await watchRecords(context, reference, map, options, signal);
  } else {
    const { watchChanges } = await import('../watch/changes.js');
    await watchChanges(context, reference, map, options, signal);
  }
  // As for every command that Ctrl-C ends.
  return context.signal.aborted ? 130 : 0;
};
