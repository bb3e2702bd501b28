import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { mapNameOf, openTypedMap, parseKey, shownValue } from '../typed-map.js';

export const run: Command<'map get'> = async (context, { reference, key: keyText }, options) => {
  using map = await openTypedMap(context, reference, options);
  const key = parseKey(map, keyText);
  const found = map.get(key);
  if (found === undefined) {
    throw new NetkitError('not-found', `${reference} has no entry ${map.keyCodec.format(key)}`, {
      hint:
        map.info.type === 'lpm_trie' ? 'get finds exactly that prefix, not one that contains it' : undefined,
      details: { key },
    });
  }
  const shown = shownValue(map, found, options.perCpu);
  context.output.result({ map: mapNameOf(map, reference), key, ...shown }, (page) => {
    if (shown.perCpu === null)
      page.line(map.valueCodec.format(found === shown.value ? found : (shown.value ?? found)));
    else
      page.table(
        [{ title: 'CPU', align: 'right' }, 'VALUE'],
        shown.perCpu.map(({ cpu, value }) => [cpu, map.valueCodec.format(value)]),
      );
  });
};
