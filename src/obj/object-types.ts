/** What modules written by `netkit gen types` are made of: an object's types for the compiler, and the check at run time. */
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import type { Codec, Value } from './codec/index.js';
import { Digests } from './value-types/digest.js';
import { type ObjectParts, objectValues } from './value-types/object.js';

/** `10.0.0.1` */
export type Ipv4 = `${number}.${number}.${number}.${number}`;
/** `2001:db8::1` */
export type Ipv6 = `${string}:${string}`;
/** `02:00:00:00:00:01` */
export type Mac = `${string}:${string}:${string}:${string}:${string}:${string}`;
/** `10.0.0.0/8` */
export type Prefix4 = `${Ipv4}/${number}`;
/** `2001:db8::/32` */
export type Prefix6 = `${Ipv6}/${number}`;
/** `hex:0a000001`: bytes that have no better type. */
export type Hex = `hex:${string}`;
/** `hex:0a000001/32`: a prefix that is neither IPv4 nor IPv6. */
export type HexPrefix = `hex:${string}/${number}`;
/** An address in the kernel. It is shown; only `'0x0'` and raw bytes are written. */
export type Pointer = `0x${string}`;
/** `id:12`: what an entry of a map of maps or of programs refers to. */
export type Reference = `id:${number}`;
/** `fd:3`: an open file of this process. */
export type Descriptor = `fd:${number}`;
/** `pid:1` */
export type ProcessId = `pid:${number}`;
/** `cookie:17`: what the kernel calls a socket. */
export type Cookie = `cookie:${number}`;

/** The types of a map's entries. The `…Input` ones are what is accepted where a key or value is written. */
export interface MapSignature {
  /** The kernel's word for the type of map; `globals` and `constants` for sections of global variables. */
  readonly type: string;
  /** `never` for a map without keys. */
  readonly key: unknown;
  readonly keyInput: unknown;
  /** Of one CPU, where the map is per-CPU. */
  readonly value: unknown;
  readonly valueInput: unknown;
}

/** The type of a global variable. */
export interface GlobalSignature {
  readonly value: unknown;
  readonly input: unknown;
}

/** Names and types of all that an object has. */
export interface ObjectSignature {
  /** Names of the programs. */
  readonly programs: string;
  readonly maps: Readonly<Record<string, MapSignature>>;
  readonly globals: Readonly<Record<string, GlobalSignature>>;
}

/** The signature of an object of which the compiler knows nothing: every name, every value. */
export interface UntypedObject extends ObjectSignature {
  readonly maps: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly key: Value;
        readonly keyInput: Value;
        readonly value: Value;
        readonly valueInput: Value;
      }
    >
  >;
  readonly globals: Readonly<Record<string, { readonly value: Value; readonly input: Value }>>;
}

export type ProgramName<S extends ObjectSignature> = S['programs'];
export type MapName<S extends ObjectSignature> = keyof S['maps'] & string;
export type GlobalName<G> = keyof G & string;

/**
 * The types of one object, as `netkit gen types` writes them: for the compiler `S`, at run time a digest of each type,
 * so that an object that was compiled anew since is refused and not misread.
 */
export interface ObjectTypes<S extends ObjectSignature> {
  /** The file that the types were read from. */
  readonly object: string;
  readonly programs: readonly S['programs'][];
  readonly maps: { readonly [Name in keyof S['maps']]: string };
  readonly globals: { readonly [Name in keyof S['globals']]: string };
  /** Never there: it ties the types to the value. */
  readonly signature?: S;
}

/** A {@link Codec} of a type that the compiler knows. */
export interface TypedCodec<Out, In> extends Omit<Codec, 'encode' | 'decode' | 'parse' | 'format'> {
  /** Writes a value's bytes. @throws NetkitError `bad-value` */
  encode(value: In, view: DataView, offset: number): void;
  /** @throws NetkitError `bad-value` when there are too few bytes */
  decode(view: DataView, offset: number): Out;
  /** Reads any text of a value, such as one that a user typed. @throws NetkitError `bad-value` */
  parse(text: string): Out;
  /** The text form on one line. */
  format(value: In | Out): string;
}

/**
 * Makes sure that an object has all that its generated types say: programs, maps and variables of these names and
 * types. What it has beside them does not matter.
 * @throws NetkitError `conflict`, naming what differs
 */
export function checkTypes<S extends ObjectSignature>(object: ObjectParts, types: ObjectTypes<S>): void {
  const values = objectValues(object);
  const digests = new Digests();
  const differ = (what: string, hint?: string): NetkitError =>
    new NetkitError(
      'conflict',
      `not the object that its types were generated from (${types.object}): ${what}`,
      {
        hint: hint ?? 'write the types anew: netkit gen types OBJ -o FILE',
        details: { object: types.object },
      },
    );
  for (const name of types.programs) {
    if (!values.programs.includes(name))
      throw differ(`it has no program '${name}'`, suggestion(name, values.programs));
  }
  for (const [name, digest] of Object.entries<string>(types.maps)) {
    const map = values.maps.get(name);
    if (map === undefined) throw differ(`it has no map '${name}'`, suggestion(name, values.maps.keys()));
    const [type] = digest.split(' ', 1);
    if (map.type !== type) throw differ(`the map '${name}' is of type ${map.type}, not ${type}`);
    if (digests.ofMap(map) !== digest) throw differ(`keys or values of the map '${name}' are of other types`);
  }
  for (const [name, digest] of Object.entries<string>(types.globals)) {
    const global = values.globals.get(name);
    if (global === undefined)
      throw differ(`it has no global variable '${name}'`, suggestion(name, values.globals.keys()));
    if (digests.ofValue(global.value) !== digest)
      throw differ(`the global variable '${name}' is of another type`);
  }
}
