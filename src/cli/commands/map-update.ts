import { NetkitError } from '../../base/errors.js';
import { openMap, openProgram } from '../../cnf/reference.js';
import type { KernelObject } from '../../ebpf/kernel-object.js';
import type { Command, CommandContext } from '../context.js';
import { pinsOf } from '../environment.js';
import { mapNameOf, openTypedMap, parseKey } from '../typed-map.js';

export const run: Command<'map update'> = async (context, args, options) => {
  const { reference } = args;
  using map = await openTypedMap(context, reference, options);
  const key = parseKey(map, args.key);
  const value = map.valueCodec.parse(args.value);
  const when = args.when ?? 'any';
  const { dryRun } = context.options;
  // What the kernel would say without writing.
  if (dryRun && when !== 'any') refuseCondition(map.has(args.key), when, reference, map.keyCodec.format(key));
  using referred = map.refersTo === undefined ? undefined : openReferred(map.refersTo, args.value, context);
  // The texts themselves: values have lost what `hex:` says of padding.
  if (!dryRun && referred === undefined) map.set(args.key, args.value, when);
  if (!dryRun && referred !== undefined) map.setReference(args.key, referred, when);
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

function refuseCondition(isThere: boolean, when: 'noexist' | 'exist', reference: string, key: string): void {
  if (when === 'noexist' && isThere)
    throw new NetkitError('conflict', `${reference} has an entry ${key} already`);
  if (when === 'exist' && !isThere) throw new NetkitError('not-found', `${reference} has no entry ${key}`);
}

function openReferred(kind: 'map' | 'program', reference: string, context: CommandContext): KernelObject {
  return kind === 'map' ? openMap(reference, pinsOf(context)) : openProgram(reference, pinsOf(context));
}
