import { NetkitError } from '../../base/errors.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { Command } from '../context.js';
import { mapNameOf, openMapFor } from '../typed-map.js';
import { refuseFrozen } from '../write-access.js';

export const run: Command<'map push'> = async (context, { reference, value: valueText }, options) => {
  using map = await openMapFor('push', context, reference, options);
  const { evict } = options;
  if (evict && map.info.type === 'bloom_filter') {
    throw new NetkitError('usage', '--evict is for queues and stacks: nothing can leave a bloom filter');
  }
  const value = map.valueCodec.parse(valueText);
  const text = map.valueCodec.format(value);
  const { dryRun } = context.options;
  if (dryRun) refuseFrozen(map, reference);
  else push(map, valueText, evict);
  const document = {
    map: mapNameOf(map, reference),
    value,
    evict,
    dryRun,
    actions: [{ kind: 'push', about: `push ${text} into ${reference}` }],
  };
  context.output.done(document, (page) => page.line(dryRun ? `would push ${text}` : text));
};

function push(map: BpfMap, value: string, evictOldest: boolean): void {
  try {
    map.push(value, { evictOldest });
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'conflict') throw error;
    const { message, details } = error;
    throw new NetkitError('conflict', message, {
      hint: '--evict throws out the value that has been in it longest',
      details,
      cause: error,
    });
  }
}
