import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { mapNameOf, openMapFor } from '../typed-map.js';
import { refuseFrozen } from '../write-access.js';

export const run: Command<'map pop'> = async (context, { reference }, options) => {
  using map = await openMapFor('pop', context, reference, options);
  const { dryRun, ifExists } = context.options;
  if (dryRun) refuseFrozen(map, reference);
  const taken = dryRun ? map.peek() : map.pop();
  if (taken === undefined && !ifExists) throw new NetkitError('not-found', `${reference} is empty`);
  const text = taken === undefined ? '' : map.valueCodec.format(taken);
  const document = {
    map: mapNameOf(map, reference),
    value: taken ?? null,
    dryRun,
    actions: taken === undefined ? [] : [{ kind: 'pop', about: `take ${text} out of ${reference}` }],
  };
  // What was taken is asked for, and gone: not a mere word about it.
  context.output.result(document, (page) => {
    if (taken !== undefined) page.line(dryRun ? `would take ${text}` : text);
  });
};
