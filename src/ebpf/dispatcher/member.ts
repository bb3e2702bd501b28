/** A program of an object, loaded to be a member of a chain: as a replacement for a slot of the dispatcher. */
import { NetkitError } from '../../base/errors.js';
import { programTypes } from '../../base/kernel-words.js';
import type { ObjectSignature } from '../../obj/object-types.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { chainMaps } from '../../obj/xdp-tail-chain/layout.js';
import { duplicateFd } from '../../sys/fd.js';
import * as libbpf from '../../sys/libbpf.js';
import { LibbpfFailure } from '../../sys/libbpf-log.js';
import { explainLoadFailure } from '../load-failure.js';
import type { BpfMap } from '../map.js';
import { choosePrograms, openObject, prepareMaps, refuseKnownProblems } from '../prepare.js';
import { Program } from '../program.js';
import type { Slot } from './build.js';

/** What a member is loaded from. */
export interface MemberSource {
  readonly spec: ObjectSpec<ObjectSignature>;
  /** The program's name in the object. */
  readonly program: string;
  /** What the maps of global variables are named after. */
  readonly name: string;
  /** Every map of the object, by libbpf's name for it: a member shares the maps of its function. */
  readonly maps: ReadonlyMap<string, BpfMap>;
}

/**
 * Loads it for one slot. It can be put into slots of other dispatchers afterwards. Minimum kernel 5.10.
 * @throws NetkitError `verifier-refused`, `unsupported` for an object without BTF, `conflict` when a map is missing
 */
export function loadMember({ spec, program, name, maps }: MemberSource, slot: Slot): Program {
  const chosen = new Set([program]);
  refuseKnownProblems(spec, chosen);
  try {
    using object = openObject(spec, { name }, 'none');
    choosePrograms(spec, object, chosen);
    const shared = new Map([...maps].filter(([map]) => !own.has(map)));
    for (const map of prepareMaps(spec, object, shared).values()) if (!own.has(map)) requireMap(map, maps);
    for (const pointer of object.programs()) {
      if (libbpf.programName(pointer) !== program) continue;
      libbpf.setProgramType(pointer, programTypes.indexOf('ext'), 0);
      libbpf.setAttachTarget(pointer, slot.dispatcher.fd.value, slot.functionName);
      object.load();
      return new Program(duplicateFd(libbpf.programFd(pointer)));
    }
  } catch (error) {
    throw error instanceof LibbpfFailure ? asMember(program, explainLoadFailure(spec, error)) : error;
  }
  throw new NetkitError('not-found', `the object has no program '${program}'`);
}

/**
 * Empty here: a member goes on by returning. Before Linux 6.2 the kernel lets no replacement use a table of programs that
 * a program of type xdp uses.
 */
const own: ReadonlySet<string> = new Set([chainMaps.programs]);

function requireMap(name: string, maps: ReadonlyMap<string, BpfMap>): void {
  if (maps.has(name)) return;
  throw new NetkitError('conflict', `the map '${name}', which a member of a chain shares, is gone`);
}

/** The same program was loaded by itself before: what is wrong has to do with the chain. */
function asMember(program: string, error: NetkitError): NetkitError {
  return new NetkitError(error.code, `'${program}' as a member of a chain: ${error.message}`, {
    hint: "'--direct' attaches it without a chain",
    details: error.details,
    cause: error,
  });
}
