import { NetkitError } from '../../base/errors.js';
import type { BpfMap } from '../../ebpf/map.js';
import type { Command } from '../context.js';
import { longestMatch } from '../longest-match.js';
import { fillValue, mapNameOf, openMapFor, shownValue } from '../typed-map.js';

export const run: Command<'map lookup'> = async (context, { reference, key: keyText }, options) => {
  using map = await openMapFor('lookup', context, reference, options);
  if (map.info.type === 'bloom_filter') {
    const value = map.valueCodec.parse(keyText);
    const text = map.valueCodec.format(value);
    if (!map.mayHave(keyText)) {
      throw new NetkitError('not-found', `${text} is surely not in ${reference}`, { details: { value } });
    }
    const document = {
      map: mapNameOf(map, reference),
      key: value,
      value: null,
      perCpu: null,
      matched: null,
      certain: false,
    };
    context.output.result(document, (page) => page.line(`${text} may be in ${reference}`));
    return;
  }
  const key = map.keyCodec.parse(keyText);
  const found = map.lookup(keyText, { lock: options.lock });
  if (found === undefined) throw nothing(map, reference, map.keyCodec.format(key), key);
  const isPrefix = map.info.type === 'lpm_trie';
  const matched = isPrefix ? (longestMatch(map, keyText) ?? null) : key;
  const shown = shownValue(map, found, options.perCpu);
  const document = { map: mapNameOf(map, reference), key, ...shown, matched, certain: true };
  context.output.result(document, (page) => {
    const prefix = matched === null ? 'some prefix' : map.keyCodec.format(matched);
    fillValue(page, map, shown, isPrefix ? prefix : null);
  });
};

function nothing(map: BpfMap, reference: string, text: string, key: unknown): NetkitError {
  const message =
    map.info.type === 'lpm_trie'
      ? `no prefix in ${reference} contains ${text}`
      : `${reference} has no entry ${text}`;
  return new NetkitError('not-found', message, { details: { key } });
}
