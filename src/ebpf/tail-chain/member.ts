/** Programs that take part in chains by tail calls: how they are known, and how they are loaded for one. */
import { NetkitError } from '../../base/errors.js';
import type { ObjectSignature } from '../../obj/object-types.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { chainMaps, tableSlots, waySize } from '../../obj/xdp-tail-chain/layout.js';
import { duplicateFd } from '../../sys/fd.js';
import * as libbpf from '../../sys/libbpf.js';
import { LibbpfFailure } from '../../sys/libbpf-log.js';
import type { MemberSource } from '../dispatcher/member.js';
import { explainLoadFailure } from '../load-failure.js';
import type { BpfMap } from '../map.js';
import { choosePrograms, openObject, prepareMaps, refuseKnownProblems } from '../prepare.js';
import { Program } from '../program.js';

/** A chain, for whoever loads a program into it. */
export interface TailSlot {
  readonly programs: BpfMap;
  readonly way: BpfMap;
  /** All its programs take packets in several buffers. */
  readonly frags: boolean;
}

/**
 * Why a loaded program does not take part; undefined when it does.
 * @param mapIds of the program
 * @param mapId the id of the function's own map of that name
 */
export function whyNoPart(
  spec: ObjectSpec<ObjectSignature>,
  name: string,
  mapIds: readonly number[],
  mapId: (name: string) => number | undefined,
): string | undefined {
  const uses = [chainMaps.programs, chainMaps.way].every((map) => {
    const id = mapId(map);
    return id !== undefined && mapIds.includes(id);
  });
  if (!uses) return notBuilt(name);
  const declared = (map: string) => spec.maps.find((each) => each.name === map);
  const table = declared(chainMaps.programs);
  const way = declared(chainMaps.way);
  const fits =
    table?.type === 'prog_array' &&
    table.maxEntries === tableSlots &&
    way?.type === 'percpu_array' &&
    way.valueSize === waySize;
  return fits ? undefined : `'${name}' is built with another release of netkit/chain.h`;
}

/**
 * Loads a program of an object with the maps of a chain in place of its own two.
 * @throws NetkitError `verifier-refused`, `conflict` when a map is missing, or it does not take packets as the chain does
 */
export function loadTailMember(
  { spec, program: name, name: owner, maps }: MemberSource,
  slot: TailSlot,
): Program {
  refuseOtherBuffers(spec, name, slot);
  const chosen = new Set([name]);
  refuseKnownProblems(spec, chosen);
  const shared = new Map(maps).set(chainMaps.programs, slot.programs).set(chainMaps.way, slot.way);
  try {
    using object = openObject(spec, { name: owner }, 'none');
    choosePrograms(spec, object, chosen);
    for (const map of prepareMaps(spec, object, shared).values()) {
      if (!shared.has(map))
        throw new NetkitError('conflict', `the map '${map}', which a member of a chain shares, is gone`);
    }
    for (const pointer of object.programs()) {
      if (libbpf.programName(pointer) !== name) continue;
      object.load();
      return takingPart(new Program(duplicateFd(libbpf.programFd(pointer))), name, slot);
    }
  } catch (error) {
    if (!(error instanceof LibbpfFailure)) throw error;
    const explained = explainLoadFailure(spec, error);
    // The same program was loaded by itself before: what is wrong has to do with the chain.
    throw new NetkitError(explained.code, `'${name}' as a member of a chain: ${explained.message}`, {
      hint: "'--direct' attaches it without a chain",
      details: explained.details,
      cause: explained,
    });
  }
  throw new NetkitError('not-found', `the object has no program '${name}'`);
}

/** In a chain, one that does not would end it without a word. */
function takingPart(program: Program, name: string, { programs, way }: TailSlot): Program {
  const { mapIds } = program.info();
  if ([programs, way].every(({ info }) => mapIds.includes(info.id))) return program;
  program[Symbol.dispose]();
  throw new NetkitError('conflict', `${notBuilt(name)}: it cannot be in this chain`, {
    hint: 'define it with NETKIT_XDP',
  });
}

function notBuilt(name: string): string {
  return `'${name}' is not built with netkit/chain.h, whose programs can be chained by tail calls`;
}

/** The kernel has no table of programs for both. */
function refuseOtherBuffers(spec: ObjectSpec<ObjectSignature>, name: string, { frags }: TailSlot): void {
  if (frags === spec.program(name).frags) return;
  throw new NetkitError(
    'conflict',
    `the programs of this chain take packets in ${frags ? 'several buffers' : 'one buffer'}, and '${name}' does not`,
    { hint: 'build all of them with NETKIT_XDP, or all of them with NETKIT_XDP_FRAGS' },
  );
}
