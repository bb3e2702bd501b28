import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { mapNameOf, openTypedMap, parseKey } from '../typed-map.js';

export const run: Command<'map delete'> = async (context, { reference, key: keyText }, options) => {
  using map = await openTypedMap(context, reference, options);
  const key = parseKey(map, keyText);
  const text = map.keyCodec.format(key);
  const { dryRun, ifExists } = context.options;
  const deleted = dryRun ? map.has(key) : map.delete(key);
  if (!deleted && !ifExists)
    throw new NetkitError('not-found', `${reference} has no entry ${text}`, { details: { key } });
  const document = {
    map: mapNameOf(map, reference),
    key,
    deleted: deleted && !dryRun,
    dryRun,
    actions: deleted ? [{ kind: 'delete', about: `delete ${text} from ${reference}` }] : [],
  };
  context.output.done(document, (page) =>
    page.line(!deleted ? 'nothing to delete' : dryRun ? `would delete ${text}` : `deleted ${text}`),
  );
};
