import { NetkitError } from '../../base/errors.js';
import type { Command } from '../context.js';
import { mapNameOf, openMapFor } from '../typed-map.js';
import { isThere, refuseFrozen } from '../write-access.js';

export const run: Command<'map delete'> = async (context, { reference, key: keyText }, options) => {
  using map = await openMapFor('delete', context, reference, options);
  const key = map.keyCodec.parse(keyText);
  const text = map.keyCodec.format(key);
  const { dryRun, ifExists } = context.options;
  if (dryRun) refuseFrozen(map, reference);
  const deleted = dryRun ? (isThere(map, keyText) ?? true) : map.delete(keyText);
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
