import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { fillValue, mapNameOf, openMapFor, shownValue } from '../typed-map.js';

export const run: Command<'map get'> = async (context, { reference, key: keyText }, options) => {
  using map = await openMapFor('get', context, reference, options);
  const key = map.keyCodec.parse(keyText);
  const found = map.get(keyText, { lock: options.lock });
  if (found === undefined) {
    throw new NetkitError('not-found', `${reference} has no entry ${map.keyCodec.format(key)}`, {
      hint:
        map.info.type === 'lpm_trie'
          ? 'get finds exactly that prefix, not one that contains it: map lookup does that'
          : undefined,
      details: { key },
    });
  }
  const shown = shownValue(map, found, options.perCpu);
  context.output.result({ map: mapNameOf(map, reference), key, ...shown }, (page) =>
    fillValue(page, map, shown, null),
  );
};
