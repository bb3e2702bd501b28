/** Entries of files that refer to maps and programs: any reference goes in, the bytes of an entry carry the id. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { bootId } from '../../host/kernel.js';
import { openableFiles } from '../../host/open-files.js';
import type { Codec, Value } from '../../obj/codec/index.js';
import type { EntryShape } from '../../obj/entries/batch.js';
import { openId } from '../by-id.js';
import type { BpfMap } from '../map.js';
import type { MapInfo } from '../map-info.js';
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
      markGiven: (mask, offset) => column.markGiven(mask, offset),
    })),
    markGiven: (given, mask, offset) => value.markGiven(given, mask, offset),
  };
  return { ...shape, value: codec };
}

/** Of which boot the ids in a map's values are; undefined where the values have none. */
export function bootOfReferences(info: MapInfo): string | undefined {
  return referenceField(info) === undefined ? undefined : bootId();
}

/**
 * Makes sure that ids in the values of a file are of this boot: after another one, and on another machine, the same
 * numbers are other maps and programs.
 * @param from the boot that the file is of
 * @param name how errors call it
 * @throws NetkitError `conflict`
 */
export function refuseForeignIds(info: MapInfo, from: string | undefined, name: string): void {
  const field = referenceField(info);
  if (field === undefined || from === bootId()) return;
  const whose = from === undefined ? 'and nobody knows of which boot' : 'of another boot or machine';
  const how = field.optional
    ? 'put in the ids of now'
    : `name them by function, as FUNCTION/${field.kind === 'map' ? 'MAP' : 'PROGRAM'}`;
  throw new NetkitError('conflict', `${name}: its entries are ids of ${field.kind}s, ${whose}`, {
    hint: `export the map as NDJSON, and ${how}`,
  });
}

/** Files that stay free for writing: what a slice of entries refers to is open meanwhile, and the rest is for all others. */
const reservedFiles = 512;

/** Keeps maps and programs alive that entries refer to, while the entries may be overwritten and put back. */
export class HeldReferences implements Disposable {
  readonly #field: ReturnType<typeof referenceField>;
  readonly #ids = new Set<number>();
  readonly #scope = new Scope();
  readonly #map: BpfMap;
  readonly #most: number;

  /** @param most how many are held at most; by default as many as leave room to write the entries */
  constructor(map: BpfMap, most?: number) {
    this.#map = map;
    this.#field = referenceField(map.info);
    this.#most = this.#field === undefined ? 0 : (most ?? openableFiles() - reservedFiles);
  }

  /**
   * Holds what one value refers to; nothing in maps without references.
   * @throws NetkitError `not-found`, `not-permitted`; `unsupported` for more than this process may have open: refused before
   *   none could be opened any more to write the entries back
   */
  hold(value: Uint8Array): void {
    if (this.#field === undefined) return;
    const { kind, offset } = this.#field;
    const id = new DataView(value.buffer, value.byteOffset, value.length).getUint32(
      offset,
      hostIsLittleEndian,
    );
    if (id === 0 || this.#ids.has(id)) return;
    if (this.#ids.size >= this.#most) {
      const { called, info } = this.#map;
      throw new NetkitError(
        'unsupported',
        `the entries of ${called} refer to more ${kind}s than this process may hold open to bring them back: ${Math.max(0, this.#most)}`,
        {
          hint: 'raise the limit of open files (ulimit -n), or do without --atomic',
          details: { map: info.name },
        },
      );
    }
    this.#scope.use(openId(kind, id));
    this.#ids.add(id);
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }
}
