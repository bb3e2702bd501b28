import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { mapNameOf, openMapFor } from '../typed-map.js';

export const run: Command<'map peek'> = async (context, { reference }, options) => {
  using map = await openMapFor('peek', context, reference, options);
  const value = map.peek();
  if (value === undefined) throw new NetkitError('not-found', `${reference} is empty`);
  context.output.result({ map: mapNameOf(map, reference), value }, (page) =>
    page.line(map.valueCodec.format(value)),
  );
};
