import { describeMap, listFunctions } from '../../cnf/inventory.js';
import type { Command } from '../context.js';
import { mapDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { openTypedMap } from '../typed-map.js';

export const run: Command<'map show'> = async (context, { reference }) => {
  const bpffs = pinsOf(context);
  using opened = await openTypedMap(context, reference, {});
  const own = listFunctions(bpffs, storeOf(context))
    .flatMap(({ maps }) => maps)
    .find(({ info }) => info?.id === opened.info.id);
  const map = mapDocument(
    own ?? describeMap(opened, { pin: reference.startsWith('/') ? reference : undefined }),
  );
  context.output.result({ map }, (page) =>
    page.fields([
      ['name', map.name],
      ['id', map.id],
      ['type', map.type],
      ['function', map.function],
      [
        'key',
        `${map.keyType ?? opened.keyCodec.typeName}, ${map.keySize} bytes: ${opened.keyCodec.describe()}`,
      ],
      [
        'value',
        `${map.valueType ?? opened.valueCodec.typeName}, ${map.valueSize} bytes: ${opened.valueCodec.describe()}`,
      ],
      ['entries', `${map.maxEntries} at most`],
      ['flags', map.flags.join(', ') || null],
      ['memory', map.memoryBytes === null ? null : `${map.memoryBytes} bytes`],
      ['frozen', map.frozen === true ? 'yes' : null],
      ['btf', map.btfId],
      ['pin', map.pin],
    ]),
  );
};
