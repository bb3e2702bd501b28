import type { Command } from '../context.js';
import { mapNameOf, openTypedMap } from '../typed-map.js';

export const run: Command<'map update'> = async (context, args, options) => {
  const { reference } = args;
  using map = await openTypedMap(context, reference, options);
  const key = map.keyCodec.parse(args.key);
  const value = map.valueCodec.parse(args.value);
  const when = args.when ?? 'any';
  const { dryRun } = context.options;
  // The texts themselves: values have lost what `hex:` says of padding.
  if (!dryRun) map.set(args.key, args.value, when);
  const text = `${map.keyCodec.format(key)} ${map.valueCodec.format(value)}`;
  const document = {
    map: mapNameOf(map, reference),
    key,
    value,
    when,
    dryRun,
    actions: [{ kind: 'update', about: `write ${text} into ${reference}` }],
  };
  context.output.done(document, (page) => page.line(dryRun ? `would write ${text}` : text));
};
