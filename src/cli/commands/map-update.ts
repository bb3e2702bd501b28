import { NetkitError } from '../../base/errors.js';
import { openMap, openProgram } from '../../cnf/reference.js';
import type { KernelObject } from '../../ebpf/kernel-object.js';
import type { Command, CommandContext } from '../context.js';
import { openReference } from '../open-reference.js';
import { mapNameOf, openMapFor } from '../typed-map.js';
import { isThere, refuseFrozen } from '../write-access.js';

export const run: Command<'map update'> = async (context, args, options) => {
  const { reference } = args;
  using map = await openMapFor('update', context, reference, options);
  const key = map.keyCodec.parse(args.key);
  const value = map.valueCodec.parse(args.value);
  const when = args.when ?? 'any';
  const [mode, lock] = when === 'lock' ? (['any', true] as const) : ([when, false] as const);
  const { dryRun } = context.options;
  if (dryRun) {
    refuseFrozen(map, reference);
    if (mode !== 'any') refuseCondition(isThere(map, args.key), mode, reference, map.keyCodec.format(key));
  }
  using referred =
    map.refersTo === undefined ? undefined : await openReferred(map.refersTo, args.value, context);
  if (lock && referred !== undefined)
    throw new NetkitError('unsupported', `${reference} refers to other objects: there is no lock to take`);
  // The texts themselves: values have lost what `hex:` says of padding.
  if (!dryRun && referred === undefined) map.set(args.key, args.value, mode, { lock });
  if (!dryRun && referred !== undefined) map.setReference(args.key, referred, mode);
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

function refuseCondition(
  there: boolean | undefined,
  when: 'noexist' | 'exist',
  reference: string,
  key: string,
): void {
  if (when === 'noexist' && there === true)
    throw new NetkitError('conflict', `${reference} has an entry ${key} already`);
  if (when === 'exist' && there === false)
    throw new NetkitError('not-found', `${reference} has no entry ${key}`);
}

async function openReferred(
  kind: 'map' | 'program',
  reference: string,
  context: CommandContext,
): Promise<KernelObject> {
  return kind === 'map'
    ? openReference(context, reference, openMap)
    : openReference(context, reference, openProgram);
}
