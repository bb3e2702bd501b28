/** Loading a dispatcher and putting its members into its slots. Nothing is pinned or on an interface yet. */
import { NetkitError } from '../../base/errors.js';
import type { Scope } from '../../base/scope.js';
import { atLeast } from '../../host/kernel.js';
import type { DispatcherConfig, SlotConfig, WritableVersion } from '../../obj/xdp-dispatcher/config.js';
import { writeConfig } from '../../obj/xdp-dispatcher/config.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { duplicateFd } from '../../sys/fd.js';
import * as libbpf from '../../sys/libbpf.js';
import { LibbpfFailure } from '../../sys/libbpf-log.js';
import { uapi } from '../../sys/uapi.js';
import { kernelBtf } from '../kernel-btf.js';
import { Link } from '../link.js';
import { explainLoadFailure } from '../load-failure.js';
import { sectionOf } from '../loaded-object.js';
import { openObject } from '../prepare.js';
import { Program } from '../program.js';
import { dispatcherObject } from './object.js';

/** A slot of a dispatcher, for whoever loads a program into it. */
export interface Slot {
  readonly dispatcher: Program;
  /** The function of the dispatcher that the member replaces. */
  readonly functionName: string;
}

/** What goes into a slot. */
export interface Occupying {
  readonly name: string;
  readonly config: SlotConfig;
  /** Gives the member's program: one that is loaded, or one that it loads for this slot. It stays the callee's to dispose of. */
  open(slot: Slot): Program;
}

/** A dispatcher with its members, held by descriptors alone. */
export interface BuiltDispatcher {
  readonly program: Program;
  readonly config: DispatcherConfig;
  readonly members: readonly { readonly program: Program; readonly link: Link }[];
}

/**
 * Loads a dispatcher for these members, in this order, and attaches each.
 * @param scope owns the dispatcher and the links
 * @throws NetkitError `unsupported` where the kernel cannot replace functions of programs, and what `open` throws
 */
export function buildDispatcher(
  version: WritableVersion,
  occupying: readonly Occupying[],
  scope: Scope,
): BuiltDispatcher {
  const config = {
    version,
    // Kernels before 5.18 know no such packets, and refuse the flag.
    frags: atLeast(5, 18) && occupying.every(({ config: { frags } }) => frags),
    deviceBound: false,
    slots: occupying.map((member) => member.config),
  };
  const program = scope.use(loadDispatcher(config));
  const members = occupying.map((member, index) => {
    const functionName = `prog${index}`;
    const opened = member.open({ dispatcher: program, functionName });
    return { program: opened, link: scope.use(attachMember(opened, program, functionName, member.name)) };
  });
  return { program, config, members };
}

function loadDispatcher(config: DispatcherConfig & { readonly version: WritableVersion }): Program {
  const spec = dispatcherObject(config.version);
  try {
    using object = openObject(spec, { name: 'xdp_dispatcher' });
    for (const map of object.maps()) {
      if (sectionOf(libbpf.mapName(map)) === '.rodata') libbpf.setInitialValue(map, writeConfig(config));
    }
    for (const pointer of object.programs()) {
      libbpf.setProgramFlags(pointer, config.frags ? uapi.BPF_F_XDP_HAS_FRAGS : 0);
      object.load();
      return new Program(duplicateFd(libbpf.programFd(pointer)));
    }
  } catch (error) {
    throw error instanceof LibbpfFailure ? explainLoadFailure(spec, error) : error;
  }
  throw new TypeError('the dispatcher has no program');
}

function attachMember(member: Program, dispatcher: Program, functionName: string, name: string): Link {
  const place = kernelBtf(dispatcher.info().btfId).find(functionName, 'func');
  if (place === undefined) throw new TypeError(`the dispatcher has no function ${functionName}`);
  try {
    return new Link(
      createLink(
        { prog_fd: member.fd.value, target_fd: dispatcher.fd.value, target_btf_id: place.id },
        `put '${name}' into a chain`,
      ),
    );
  } catch (error) {
    // ENOTSUPP: no trampolines for this kind of machine.
    if (isErrno(error, 'EINVAL', 'ENOTSUPP', 'EOPNOTSUPP')) {
      throw new NetkitError(
        'unsupported',
        `the kernel refuses '${name}' as a member of a chain (${error.errnoName})`,
        {
          hint: 'its function must take a struct xdp_md * and return an int, as programs of section "xdp" do',
          cause: error,
        },
      );
    }
    throw error;
  }
}
