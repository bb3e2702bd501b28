/** Entries of files that refer to maps and programs: any reference goes in, the bytes of an entry carry the id. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import type { Codec, Value } from '../../obj/codec/index.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { openId } from '../by-id.js';
import type { BpfMap } from '../map.js';
import { referenceField } from '../map-references.js';

/**
 * The shape of a map of maps or program array whose values are read from text as references.
 * @param idOf the id of what `FUNCTION/NAME`, `id:N` or a pin names; what it throws ends the reading
 */
export function referenceShape(shape: EntryShape, idOf: (text: string) => number): EntryShape {
  const known = new Map<string, number>();
  const write = (value: Value, view: DataView, offset: number): void => {
    if (typeof value !== 'string') {
      throw new NetkitError('bad-value', `value: ${String(value)} is not a reference`, {
        hint: 'write id:N, FUNCTION/NAME or the path of a pin',
      });
    }
    const id = known.get(value) ?? idOf(value);
    known.set(value, id);
    view.setUint32(offset, id, hostIsLittleEndian);
  };
  const { value } = shape;
  const codec: Codec = {
    size: value.size,
    typeName: value.typeName,
    jsonLimit: value.jsonLimit,
    encode: write,
    encodeText: write,
    decode: (view, offset) => value.decode(view, offset),
    parse: (text) => value.parse(text),
    format: (each) => value.format(each),
    describe: () => value.describe(),
    writeJson: (view, offset, out) => value.writeJson(view, offset, out),
    readJson: () => false,
    columns: value.columns.map((column) => ({
      path: column.path,
      csvLimit: column.csvLimit,
      writeCsv: (view, offset, out) => column.writeCsv(view, offset, out),
      readCsv: () => false,
      encodeText: write,
    })),
  };
  return { ...shape, value: codec };
}

/** Keeps maps and programs alive that entries refer to, while the entries may be overwritten and put back. */
export class HeldReferences implements Disposable {
  readonly #field: ReturnType<typeof referenceField>;
  readonly #ids = new Set<number>();
  readonly #scope = new Scope();

  constructor(map: BpfMap) {
    this.#field = referenceField(map.info);
  }

  /** Holds what one value refers to; nothing in maps without references. @throws NetkitError `not-found`, `not-permitted` */
  hold(value: Uint8Array): void {
    if (this.#field === undefined) return;
    const { kind, offset } = this.#field;
    const id = new DataView(value.buffer, value.byteOffset, value.length).getUint32(
      offset,
      hostIsLittleEndian,
    );
    if (id === 0 || this.#ids.has(id)) return;
    this.#scope.use(openId(kind, id));
    this.#ids.add(id);
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
