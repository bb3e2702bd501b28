/** Loading: from an `ObjectSpec`, which is data, to programs and maps in the kernel. */
import { NetkitError } from '../base/errors.js';
import { attachTypes, programTypes } from '../base/kernel-words.js';
import { Scope } from '../base/scope.js';
import type { Codec } from '../obj/codec/index.js';
import { type MapPart, mapCodec } from '../obj/map-codecs.js';
import type { ObjectSignature, UntypedObject } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import { duplicateFd } from '../sys/fd.js';
import * as libbpf from '../sys/libbpf.js';
import { LibbpfFailure } from '../sys/libbpf-log.js';
import { explainLoadFailure } from './load-failure.js';
import { LoadedObject, sectionOf } from './loaded-object.js';
import { BpfMap, type MapTypes } from './map.js';
import { Program } from './program.js';
import type { TypedMap } from './typed.js';

/** How to load an object. */
export interface LoadOptions {
  /** What maps of global variables are named after in the kernel; the spec's name when left out. */
  readonly name?: string;
  /** Existing maps to use in place of new ones, by the object's map name. */
  readonly reuse?: ReadonlyMap<string, BpfMap | TypedMap>;
}

/**
 * Creates the object's maps and loads its programs, all or none. Nothing is pinned or attached: what is not pinned goes
 * with the returned object. Needs CAP_BPF and what the program types ask for. Minimum kernel 5.10.
 *
 * @throws VerifierError when the verifier refuses a program; NetkitError `bad-object`, `unsupported`, `not-permitted`
 */
export function load<S extends ObjectSignature = UntypedObject>(
  spec: ObjectSpec<S>,
  options: LoadOptions = {},
): LoadedObject<S> {
  refuseKnownProblems(spec);
  using scope = new Scope();
  let object: libbpf.LibbpfObject;
  try {
    object = scope.use(new libbpf.LibbpfObject(spec.bytes, options.name ?? spec.name));
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  choosePrograms(spec, object);
  const mapNames = prepareMaps(spec, object, options.reuse ?? new Map());
  try {
    object.load();
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  return takeLoaded(spec, object, mapNames);
}

/** Objects that libbpf would load without the part that it does not understand, or refuse with less of a reason. */
function refuseKnownProblems(spec: ObjectSpec<ObjectSignature>): void {
  const problem =
    spec.programs.find(({ name, problem: found }) => found !== undefined && spec.chosen.has(name))?.problem ??
    spec.maps.find(({ problem: found }) => found !== undefined)?.problem;
  if (problem !== undefined) throw new NetkitError('bad-object', `${spec.path ?? spec.name}: ${problem}`);
}

function choosePrograms(spec: ObjectSpec<ObjectSignature>, object: libbpf.LibbpfObject): void {
  const wanted = new Map(spec.programs.map((program) => [program.name, program]));
  for (const pointer of object.programs()) {
    const program = wanted.get(libbpf.programName(pointer));
    libbpf.setAutoload(pointer, program !== undefined && spec.chosen.has(program.name));
    // An older libbpf does not know the newest sections: it would load them as type 0.
    if (program !== undefined && program.type !== 'unspec' && libbpf.programType(pointer) === 0) {
      const attachType = program.attachType === undefined ? 0 : attachTypes.indexOf(program.attachType);
      libbpf.setProgramType(pointer, programTypes.indexOf(program.type), attachType);
    }
  }
}

/** @returns the names of the maps: libbpf calls one whose place another takes by that other's name from then on */
function prepareMaps(
  spec: ObjectSpec<ObjectSignature>,
  object: libbpf.LibbpfObject,
  reuse: ReadonlyMap<string, BpfMap | TypedMap>,
): ReadonlyMap<libbpf.MapPointer, string> {
  const changes = spec.globals.changes();
  const sizes = spec.mapSizes;
  const names = new Map<libbpf.MapPointer, string>();
  for (const pointer of object.maps()) {
    const name = libbpf.mapName(pointer);
    names.set(pointer, name);
    libbpf.clearPinPath(pointer);
    const section = sectionOf(name);
    const image = section === undefined ? undefined : changes.get(section);
    if (image !== undefined) libbpf.setInitialValue(pointer, image);
    const entries = sizes.get(name);
    if (entries !== undefined) libbpf.setMapEntries(pointer, entries);
    const existing = reuse.get(name);
    if (existing !== undefined) libbpf.reuseMap(pointer, existing.fd.value);
  }
  return names;
}

function takeLoaded<S extends ObjectSignature>(
  spec: ObjectSpec<S>,
  object: libbpf.LibbpfObject,
  mapNames: ReadonlyMap<libbpf.MapPointer, string>,
): LoadedObject<S> {
  using scope = new Scope();
  const programs = new Map<string, Program>();
  for (const pointer of object.programs()) {
    const name = libbpf.programName(pointer);
    if (!spec.chosen.has(name)) continue;
    programs.set(name, scope.use(new Program(duplicateFd(libbpf.programFd(pointer)))));
  }
  const maps = new Map<string, BpfMap>();
  for (const pointer of object.maps()) {
    const name = mapNames.get(pointer) ?? libbpf.mapName(pointer);
    maps.set(name, scope.use(new BpfMap(duplicateFd(libbpf.mapFd(pointer)), typesOf(spec, name))));
  }
  return new LoadedObject(spec, programs, maps, scope.move());
}

/**
 * The types that the object declares for a map, as its programs see the entries. The kernel forgets them for some types of
 * map, and does not show them to everybody. Codecs are compiled when they are first asked for.
 */
function typesOf({ btf, maps }: ObjectSpec<ObjectSignature>, name: string): MapTypes {
  const map = maps.find((each) => each.kind === 'declared' && each.name === name);
  const codec = (part: MapPart, id: number | undefined): Codec | undefined =>
    btf === undefined || map === undefined || id === undefined ? undefined : mapCodec(part, map, { btf, id });
  return {
    get key() {
      return codec('key', map?.keyType);
    },
    get value() {
      return codec('value', map?.valueType);
    },
  };
}
