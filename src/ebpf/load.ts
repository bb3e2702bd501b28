/** Loading: from an `ObjectSpec`, which is data, to programs and maps in the kernel. */
import { Scope } from '../base/scope.js';
import type { Codec } from '../obj/codec/index.js';
import { type MapPart, mapCodec } from '../obj/map-codecs.js';
import type { ObjectSignature, UntypedObject } from '../obj/object-types.js';
import type { ObjectSpec } from '../obj/spec.js';
import { duplicateFd } from '../sys/fd.js';
import * as libbpf from '../sys/libbpf.js';
import { LibbpfFailure } from '../sys/libbpf-log.js';
import { rememberTable } from './attach/struct-ops.js';
import { explainLoadFailure } from './load-failure.js';
import { LoadedObject } from './loaded-object.js';
import { BpfMap, type MapTypes } from './map.js';
import { choosePrograms, type LoadOptions, openObject, prepareMaps, refuseKnownProblems } from './prepare.js';
import { Program } from './program.js';
import { VerdictLogs, wholeLog } from './verifier-log.js';

export type { LoadOptions, LoadTarget } from './prepare.js';

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
  refuseKnownProblems(spec, spec.chosen);
  using scope = new Scope();
  let object: libbpf.LibbpfObject;
  try {
    object = scope.use(openObject(spec, options));
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  choosePrograms(spec, object, spec.chosen, options.targets);
  const mapNames = prepareMaps(spec, object, options.reuse ?? new Map());
  const verdicts = new VerdictLogs(object, spec.chosen);
  try {
    object.load();
  } catch (error) {
    if (!(error instanceof LibbpfFailure)) throw error;
    throw explainLoadFailure(spec, error, (program) => {
      const verdict = verdicts.of(program);
      return verdict === '' ? '' : wholeLog(spec, options, program, verdict);
    });
  }
  return takeLoaded(spec, object, mapNames);
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
    const { attachType } = spec.program(name);
    programs.set(name, scope.use(new Program(duplicateFd(libbpf.programFd(pointer)), attachType)));
  }
  const maps = new Map<string, BpfMap>();
  for (const pointer of object.maps()) {
    const name = mapNames.get(pointer) ?? libbpf.mapName(pointer);
    maps.set(name, scope.use(new BpfMap(duplicateFd(libbpf.mapFd(pointer)), typesOf(spec, name))));
  }
  for (const table of spec.structOps()) {
    const map = maps.get(table.name);
    if (map !== undefined) rememberTable(map, table, programs);
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
