import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { currentNetns, type Netns } from '../../host/netns.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { Link } from '../link.js';
import type { Program } from '../program.js';
import { attempting } from './failure.js';

/** Where to choose sockets for arriving packets; made by {@link skLookup}. */
export interface SkLookupOptions {
  readonly hook: 'sk_lookup';
  /** The current network namespace when left out. */
  readonly netns?: Netns | undefined;
}

/**
 * Where to choose the listening or unconnected socket that takes a packet, for a whole network namespace. Several programs
 * run in the order in which they were attached. For programs of type `sk_lookup`. Minimum kernel 5.9.
 */
export function skLookup(options: Omit<SkLookupOptions, 'hook'> = {}): SkLookupOptions {
  return { hook: 'sk_lookup', ...options };
}

/** Where to take packets apart for the flow they belong to; made by {@link flowDissector}. */
export interface FlowDissectorOptions {
  readonly hook: 'flow_dissector';
  /** The current network namespace when left out. */
  readonly netns?: Netns | undefined;
}

/**
 * Where to replace the kernel's own flow dissector, for a whole network namespace, which takes one program; one on the
 * first network namespace counts for all, and bars every other. For programs of type `flow_dissector`. Minimum kernel 5.8.
 */
export function flowDissector(options: Omit<FlowDissectorOptions, 'hook'> = {}): FlowDissectorOptions {
  return { hook: 'flow_dissector', ...options };
}

/** @internal */
export function attachNetns(program: Program, options: SkLookupOptions | FlowDissectorOptions): Link {
  const { hook } = options;
  using current = options.netns === undefined ? currentNetns() : undefined;
  const netns = options.netns ?? current;
  const name = netns?.name;
  const where = `${hook} of ${name === undefined ? 'the network namespace' : `network namespace '${name}'`}`;
  const values = {
    prog_fd: program.fd.value,
    target_fd: netns?.fd ?? -1,
    attach_type: attachTypes.indexOf(hook),
  };
  return attempting(
    { program, where, hook, taken: `${where}, or the first one, has a program already` },
    () => {
      try {
        return new Link(createLink(values, `attach to ${where}`));
      } catch (error) {
        if (!isErrno(error, 'E2BIG')) throw error;
        const most = hook === 'sk_lookup' ? '64 programs' : 'one program';
        throw new NetkitError('conflict', `${where} is taken: the kernel takes ${most}`, { cause: error });
      }
    },
  );
}
