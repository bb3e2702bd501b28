import { basename } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { describeMap } from '../../cnf/inventory.js';
import { openMap } from '../../cnf/reference.js';
import { BpfMap, type CreateMapOptions } from '../../ebpf/map.js';
import { possibleCpus } from '../../ebpf/possible-cpus.js';
import { pageSize } from '../../host/page-size.js';
import type { MapTypeWord } from '../../obj/map-definition.js';
import type { Command, CommandContext } from '../context.js';
import { mapDocument } from '../describe.js';
import { type MapShape, mapShape } from '../map-shape.js';
import { newMapTypes } from '../new-map-types.js';
import { openReference } from '../open-reference.js';
import { PinPlace } from '../pin-place.js';
import type { MapInfo } from '../schema/index.js';

const longestName = 15;

export const run: Command<'map create'> = async (context, { pin }, options) => {
  const { type, flag, inner } = options;
  if (type === undefined) {
    throw new NetkitError('usage', 'map create: --type is missing', {
      hint: 'the common ones are hash, array, lpm_trie, lru_hash, percpu_array, queue and ringbuf',
    });
  }
  const name = nameFor(options.name, pin);
  const types = await newMapTypes(type, options);
  const shape = mapShape({
    type,
    keySize: types.keySize ?? options.keySize,
    valueSize: types.valueSize ?? options.valueSize,
    maxEntries: options.maxEntries,
    flags: flag,
    inner: inner !== undefined,
    pageSize: pageSize(),
    possibleCpus: possibleCpus(),
  });
  const place = PinPlace.at(pin, context);
  if (place.taken) throw place.conflict();
  using innerMap = inner === undefined ? undefined : await openReference(context, inner, openMap);
  const btf = types.btfFor(shape);
  const made = make(context, place, { type, name, ...shape, inner: innerMap, btf });
  const { dryRun } = context.options;
  const document = {
    map: made ?? planned(type, name, shape),
    dryRun,
    actions: [{ kind: 'create', about: `make the ${type} map ${name}` }, ...place.actions(name)],
  };
  context.output.done(document, (page) =>
    page.line(
      made === undefined
        ? `would make the ${type} map ${name} at ${place.path}`
        : `made the ${type} map ${name} (id ${made.id}) at ${place.path}`,
    ),
  );
  const forgotten = types.forgotten(btf !== undefined);
  if (forgotten !== undefined && !context.options.json) context.output.note(forgotten);
};

/** Undefined for a dry run. */
function make(context: CommandContext, place: PinPlace, options: CreateMapOptions): MapInfo | undefined {
  if (context.options.dryRun) return undefined;
  using map = BpfMap.create(options);
  place.pin(map);
  return mapDocument(describeMap(map, { pin: place.path }));
}

/** What the kernel takes of a name; the rest of a pin's name becomes `_`. */
function nameFor(given: string | undefined, pin: string): string {
  if (given === undefined)
    return basename(pin)
      .replaceAll(/[^A-Za-z0-9_.]/g, '_')
      .slice(0, longestName);
  if (/^[A-Za-z0-9_.]{1,15}$/.test(given)) return given;
  throw new NetkitError(
    'bad-value',
    `--name: '${given}' is no name for a map: it has 1 to ${longestName} letters, digits, '_' and '.'`,
  );
}

function planned(
  type: MapTypeWord,
  name: string,
  { keySize, valueSize, maxEntries, flags }: MapShape,
): MapInfo {
  return {
    name,
    id: null,
    type,
    function: null,
    keySize,
    valueSize,
    maxEntries,
    flags: [...flags],
    keyType: null,
    valueType: null,
    btfId: null,
    memoryBytes: null,
    frozen: null,
    pin: null,
  };
}
