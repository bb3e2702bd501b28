/** Global variables as they are declared, recorded and in the kernel. */
import { NetkitError } from '../../base/errors.js';
import { BpfMap } from '../../ebpf/map.js';
import { listedMapName } from '../../obj/maps.js';
import { ofPin, withObject } from '../kernel-listing.js';
import { pinPath } from '../layout.js';
import type { DesiredFunction } from './desired.js';
import { type DriftRow, row } from './drift-row.js';
import type { Observed } from './observe.js';

/** Those that programs cannot change must be as they were set; the others are shown. */
export function globalRows(
  { recorded, folder, name, isLoaded }: Observed,
  declared: DesiredFunction | undefined,
): DriftRow[] {
  if (recorded === undefined) return [];
  const { globals } = recorded.spec;
  const images = new Map<string, Uint8Array | undefined>();
  const imageOf = (section: string): Uint8Array | undefined => {
    if (!images.has(section))
      images.set(
        section,
        contentsOf(pinPath(folder, 'maps', listedMapName(recorded.spec.map(section), name))),
      );
    return images.get(section);
  };
  return globals.list().map((variable) => {
    const { section, offset, size, constant } = variable;
    const field = `spec.globals.${variable.name}`;
    const wanted = globals.bytes(variable.name);
    const recordedText = textOf(recorded, variable.name, wanted);
    const declaredText = declared === undefined ? undefined : declaredTextOf(declared, variable.name);
    const isChanged = declaredText !== undefined && declaredText !== recordedText;
    if (!isLoaded) return row(field, { declared: declaredText, recorded: recordedText }, isChanged);
    const present = imageOf(section)?.subarray(offset, offset + size);
    const kernel = present === undefined ? 'not there' : textOf(recorded, variable.name, present);
    const isOther = present === undefined || (constant && Buffer.compare(wanted, present) !== 0);
    return row(field, { declared: declaredText, recorded: recordedText, kernel }, isChanged || isOther);
  });
}

function declaredTextOf(declared: DesiredFunction, name: string): string {
  const { globals } = declared.spec;
  return globals.has(name) ? textOf(declared, name, globals.bytes(name)) : 'not in the object';
}

/** The contents of the map of a section, which has one element; undefined where it is not there. */
function contentsOf(pin: string): Uint8Array | undefined {
  return ofPin(pin, (path) => withObject(BpfMap.fromPin(path), (map) => map.getBytes(new Uint8Array(4))));
}

function textOf({ spec }: DesiredFunction, name: string, bytes: Uint8Array): string {
  try {
    const codec = spec.globals.codec(name);
    return codec.format(codec.decode(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0));
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'bad-value') throw error;
    // A type without values.
    return `hex:${Buffer.from(bytes).toString('hex')}`;
  }
}
