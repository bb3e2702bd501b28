/** From an `ObjectSpec` to libbpf's object with the same choices made, ready to load. */
import { NetkitError } from '../base/errors.js';
import { attachTypes, programTypes } from '../base/kernel-words.js';
import type { ObjectSignature } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import * as libbpf from '../sys/libbpf.js';
import { uapi } from '../sys/uapi.js';
import { sectionOf } from './loaded-object.js';
import type { BpfMap } from './map.js';
import type { Program } from './program.js';
import type { TypedMap } from './typed.js';

/** How to load an object. */
export interface LoadOptions {
  /** What maps of global variables are named after in the kernel; the spec's name when left out. */
  readonly name?: string;
  /** Existing maps to use in place of new ones, by the object's map name. */
  readonly reuse?: ReadonlyMap<string, BpfMap | TypedMap>;
  /** What tracing programs are to be attached to, by their names, in place of what their sections say. */
  readonly targets?: ReadonlyMap<string, LoadTarget>;
}

/** What has to be known of a tracing program's target when it is loaded. */
export interface LoadTarget {
  /** The function: of `program` for freplace, fentry and fexit; of the kernel without one. */
  readonly functionName: string;
  /** A loaded program with BTF that has the function. */
  readonly program?: Program | undefined;
}

/**
 * @param slots `none` for a load with maps that are filled already
 * @throws LibbpfFailure when libbpf does not understand the file
 */
export function openObject(
  spec: ObjectSpec<ObjectSignature>,
  options: LoadOptions,
  slots: 'initial' | 'none' = 'initial',
): libbpf.LibbpfObject {
  const bytes = knowsNewNames() ? spec.bytes : spec.olderBytes();
  const chosen = slots === 'initial' ? bytes : spec.withoutSlots(bytes);
  return new libbpf.LibbpfObject(chosen, options.name ?? spec.name);
}

/** `struct_ops.s/` and `.struct_ops.link` are known from 1.2 on. */
function knowsNewNames(): boolean {
  const [major = 0, minor = 0] = libbpf.libbpfVersion().split('.').map(Number);
  return major > 1 || (major === 1 && minor >= 2);
}

/** Objects that libbpf would load without the part that it does not understand, or refuse with less of a reason. */
export function refuseKnownProblems(spec: ObjectSpec<ObjectSignature>, chosen: ReadonlySet<string>): void {
  const problem =
    spec.programs.find(({ name, problem: found }) => found !== undefined && chosen.has(name))?.problem ??
    spec.maps.find(({ problem: found }) => found !== undefined)?.problem;
  if (problem !== undefined) throw new NetkitError('bad-object', `${spec.path ?? spec.name}: ${problem}`);
}

export function choosePrograms(
  spec: ObjectSpec<ObjectSignature>,
  object: libbpf.LibbpfObject,
  chosen: ReadonlySet<string>,
  targets: ReadonlyMap<string, LoadTarget> = new Map(),
): void {
  const wanted = new Map(spec.programs.map((program) => [program.name, program]));
  for (const pointer of object.programs()) {
    const program = wanted.get(libbpf.programName(pointer));
    libbpf.setAutoload(pointer, program !== undefined && chosen.has(program.name));
    // An older libbpf does not know the newest sections: it would load them as type 0.
    if (program !== undefined && program.type !== 'unspec' && libbpf.programType(pointer) === 0) {
      const attachType = program.attachType === undefined ? 0 : attachTypes.indexOf(program.attachType);
      libbpf.setProgramType(pointer, programTypes.indexOf(program.type), attachType);
    }
    if (program?.sleepable === true) libbpf.setProgramFlags(pointer, uapi.BPF_F_SLEEPABLE);
    const target = program === undefined ? undefined : targets.get(program.name);
    if (target === undefined && program?.type === 'ext' && chosen.has(program.name)) {
      throw new NetkitError('usage', `what program '${program.name}' is to replace is not said`, {
        hint: 'a replacement is loaded for one loaded program: name it among the targets',
      });
    }
    if (target !== undefined) {
      libbpf.setAttachTarget(pointer, target.program?.fd.value ?? 0, target.functionName);
    }
  }
}

/** @returns the names of the maps: libbpf calls one whose place another takes by that other's name from then on */
export function prepareMaps(
  spec: ObjectSpec<ObjectSignature>,
  object: libbpf.LibbpfObject,
  reuse: ReadonlyMap<string, BpfMap | TypedMap>,
): ReadonlyMap<libbpf.MapPointer, string> {
  const changes = spec.globals.changes();
  const sizes = spec.mapSizes;
  const linked = new Set(spec.structOps().flatMap(({ name, link }) => (link ? [name] : [])));
  const names = new Map<libbpf.MapPointer, string>();
  for (const pointer of object.maps()) {
    const name = libbpf.mapName(pointer);
    names.set(pointer, name);
    libbpf.clearPinPath(pointer);
    if (linked.has(name)) libbpf.setMapFlags(pointer, uapi.BPF_F_LINK);
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
