/** Loading: from an `ObjectSpec`, which is data, to programs and maps in the kernel. */
import { NetkitError } from '../base/errors.js';
import { attachTypes, programTypes } from '../base/kernel-words.js';
import { Scope } from '../base/scope.js';
import type { ObjectSpec } from '../obj/spec.js';
import { duplicateFd } from '../sys/fd.js';
import * as libbpf from '../sys/libbpf.js';
import { LibbpfFailure } from '../sys/libbpf-log.js';
import { explainLoadFailure } from './load-failure.js';
import { LoadedObject } from './loaded-object.js';
import { BpfMap } from './map.js';
import { Program } from './program.js';

/** How to load an object. */
export interface LoadOptions {
  /** What maps of global variables are named after in the kernel; the spec's name when left out. */
  readonly name?: string;
  /** Existing maps to use in place of new ones, by the object's map name. */
  readonly reuse?: ReadonlyMap<string, BpfMap>;
}

/**
 * Creates the object's maps and loads its programs, all or none. Nothing is pinned or attached: what is not pinned goes
 * with the returned object. Needs CAP_BPF and what the program types ask for. Minimum kernel 5.10.
 *
 * @throws VerifierError when the verifier refuses a program; NetkitError `bad-object`, `unsupported`, `not-permitted`
 */
export function load(spec: ObjectSpec, options: LoadOptions = {}): LoadedObject {
  refuseKnownProblems(spec);
  using scope = new Scope();
  let object: libbpf.LibbpfObject;
  try {
    object = scope.use(new libbpf.LibbpfObject(spec.bytes, options.name ?? spec.name));
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  choosePrograms(spec, object);
  prepareMaps(spec, object, options.reuse ?? new Map());
  try {
    object.load();
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  return takeLoaded(spec, object);
}

/** Objects that libbpf would load without the part that it does not understand, or refuse with less of a reason. */
function refuseKnownProblems(spec: ObjectSpec): void {
  const problem =
    spec.programs.find(({ name, problem: found }) => found !== undefined && spec.chosen.has(name))?.problem ??
    spec.maps.find(({ problem: found }) => found !== undefined)?.problem;
  if (problem !== undefined) throw new NetkitError('bad-object', `${spec.path ?? spec.name}: ${problem}`);
}

function choosePrograms(spec: ObjectSpec, object: libbpf.LibbpfObject): void {
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

function prepareMaps(
  spec: ObjectSpec,
  object: libbpf.LibbpfObject,
  reuse: ReadonlyMap<string, BpfMap>,
): void {
  const changes = spec.globals.changes();
  const sizes = spec.mapSizes;
  for (const pointer of object.maps()) {
    const name = libbpf.mapName(pointer);
    libbpf.clearPinPath(pointer);
    // libbpf calls the map of a section of globals `<object>.rodata`, or `.rodata.mine`; an object's name may have dots.
    const section = name.startsWith('.') ? name : name.slice(name.lastIndexOf('.'));
    const image = name.includes('.') ? changes.get(section) : undefined;
    if (image !== undefined) libbpf.setInitialValue(pointer, image);
    const entries = sizes.get(name);
    if (entries !== undefined) libbpf.setMapEntries(pointer, entries);
    const existing = reuse.get(name);
    if (existing !== undefined) libbpf.reuseMap(pointer, existing.fd.value);
  }
}

function takeLoaded(spec: ObjectSpec, object: libbpf.LibbpfObject): LoadedObject {
  using scope = new Scope();
  const programs = new Map<string, Program>();
  for (const pointer of object.programs()) {
    const name = libbpf.programName(pointer);
    if (!spec.chosen.has(name)) continue;
    programs.set(name, scope.use(new Program(duplicateFd(libbpf.programFd(pointer)))));
  }
  const maps = new Map<string, BpfMap>();
  for (const pointer of object.maps()) {
    const name = libbpf.mapName(pointer);
    maps.set(name, scope.use(new BpfMap(duplicateFd(libbpf.mapFd(pointer)))));
  }
  return new LoadedObject(spec, programs, maps, scope.move());
}
