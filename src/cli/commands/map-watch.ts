import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { isStream, reasonAgainstCommand } from '../map-abilities.js';
import { openTypedMap } from '../typed-map.js';

export const run: Command<'map watch'> = async (context, { reference }, options) => {
  const signals = [context.signal];
  if (options.for !== undefined) signals.push(AbortSignal.timeout(options.for * 1000));
  const signal = AbortSignal.any(signals);
  using map = await openTypedMap(context, reference, options);
  refuseUnwatchable(map.info.type, reference);
  if (isStream(map.info.type)) {
    const { watchRecords } = await import('../watch/records.js');
    await watchRecords(context, reference, map, options, signal);
  } else {
    const { watchChanges } = await import('../watch/changes.js');
    await watchChanges(context, reference, map, options, signal);
  }
  // As for every command that Ctrl-C ends.
  return context.signal.aborted ? 130 : 0;
};

function refuseUnwatchable(type: string, reference: string): void {
  const reason = reasonAgainstCommand(type, 'watch');
  if (reason === undefined) return;
  throw new NetkitError('unsupported', `watch does not work on the ${type} map '${reference}': ${reason}`, {
    details: { map: reference, type, operation: 'watch' },
  });
}
