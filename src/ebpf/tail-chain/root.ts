/** The root program that netkit ships, and the maps of a chain, which come with it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { packageRoot } from '../../host/package-root.js';
import { ObjectSpec } from '../../obj/spec.js';
import { chainMaps, rootName } from '../../obj/xdp-tail-chain/layout.js';
import { duplicateFd } from '../../sys/fd.js';
import * as libbpf from '../../sys/libbpf.js';
import { LibbpfFailure } from '../../sys/libbpf-log.js';
import { uapi } from '../../sys/uapi.js';
import { explainLoadFailure } from '../load-failure.js';
import { BpfMap } from '../map.js';
import { openObject } from '../prepare.js';
import { Program } from '../program.js';

/** A root program with new, empty maps, held by descriptors alone. */
export interface LoadedRoot {
  readonly program: Program;
  readonly programs: BpfMap;
  readonly way: BpfMap;
  readonly order: BpfMap;
  readonly first: BpfMap;
}

/**
 * Loads a root program. The table of its programs takes no others than those that deal with packets in several buffers
 * as it does.
 * @param scope owns what is loaded
 * @throws NetkitError `unsupported` in a checkout that was built without clang
 */
export function loadRoot(frags: boolean, scope: Scope): LoadedRoot {
  const spec = rootObject();
  try {
    using object = openObject(spec, { name: rootName });
    for (const pointer of object.programs())
      libbpf.setProgramFlags(pointer, frags ? uapi.BPF_F_XDP_HAS_FRAGS : 0);
    object.load();
    const [program] = object.programs();
    const maps = new Map(
      [...object.maps()].map(
        (pointer) => [libbpf.mapName(pointer), new BpfMap(duplicateFd(libbpf.mapFd(pointer)))] as const,
      ),
    );
    for (const map of maps.values()) scope.use(map);
    const [programs, way, order, first] = [
      chainMaps.programs,
      chainMaps.way,
      chainMaps.order,
      chainMaps.first,
    ].map((name) => maps.get(name));
    if (program !== undefined && programs && way && order && first)
      return {
        program: scope.use(new Program(duplicateFd(libbpf.programFd(program)))),
        programs,
        way,
        order,
        first,
      };
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  throw new TypeError('the root program of chains lacks a part');
}

let shipped: ObjectSpec | undefined;

function rootObject(): ObjectSpec {
  const path = join(packageRoot(), 'dist/bpf/parts/xdp-tail-root.bpf.o');
  if (existsSync(path)) {
    shipped ??= ObjectSpec.readSync(path);
    return shipped;
  }
  throw new NetkitError('unsupported', 'this netkit was built without its program for chains by tail calls', {
    hint: "'--direct' attaches a lone program without it; a build with clang installed has it",
    details: { path },
  });
}
