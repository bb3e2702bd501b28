/** What runs on packets of every interface: on a network namespace's sockets, in netfilter, in cgroups. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupRoot } from '../host/cgroup.js';
import { type Netns, openSameNetns } from '../host/netns.js';
import { isErrno } from '../sys/errno.js';
import { allLinks, type HookOccupant } from './interface-hooks.js';
import { queryOrder } from './order.js';
import { queriedPrograms } from './queried-programs.js';

/** The stages of netfilter on the way in, then on the way out. */
const stages = {
  receive: ['prerouting', 'input', 'forward'],
  send: ['output', 'postrouting'],
} as const;

/**
 * netfilter programs, by stage and then priority. The kernel does not tell of a link which network namespace it is in:
 * `isHere` says of an id whether it is here, as far as somebody knows. Needs CAP_SYS_ADMIN.
 */
export function netfilterHooks(
  way: keyof typeof stages,
  isHere: (linkId: number) => boolean | undefined,
): HookOccupant[] {
  const links = allLinks();
  return stages[way].flatMap((stage) =>
    links
      .flatMap(({ id, programId, details }) =>
        details.kind === 'netfilter' && details.stage === stage && isHere(id) !== false
          ? [{ id, programId, ...details }]
          : [],
      )
      .sort((one, other) => one.priority - other.priority)
      .map(({ id, programId, family, priority }) => ({
        hook: `netfilter/${stage}`,
        programId,
        linkId: id,
        priority,
        detail: `${family ?? 'unknown protocol'}${isHere(id) === undefined ? ', of some namespace' : ''}`,
      })),
  );
}

/** The flow dissector and the socket lookups of a network namespace; of older kernels than 5.9 none. */
export function namespaceHooks(place: Netns | undefined): HookOccupant[] {
  using netns = openSameNetns(place);
  return (['flow_dissector', 'sk_lookup'] as const).flatMap((hook) =>
    programsOfNamespace(netns, hook).map((programId) => ({
      hook,
      programId,
      linkId: undefined,
      priority: undefined,
      detail: undefined,
    })),
  );
}

/** No kernel takes more socket lookups in a namespace (`netns_bpf_max_progs` of kernel/bpf/net_namespace.c). */
const mostPrograms = 64;

function programsOfNamespace(netns: Netns, hook: 'flow_dissector' | 'sk_lookup'): number[] {
  try {
    return queriedPrograms({
      fd: netns.fd,
      attachType: hook,
      most: mostPrograms,
      about: `ask for the ${hook} programs of the network namespace`,
    });
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return [];
    throw error;
  }
}

/** Programs on the packets of cgroups, from the root of the tree downwards: each cgroup's own only. Minimum kernel 4.15. */
export function cgroupHooks(direction: 'ingress' | 'egress'): HookOccupant[] {
  const root = cgroupRoot();
  if (root === undefined) return [];
  return cgroupsBelow(root).flatMap((path) => onCgroup(root, path, direction));
}

function onCgroup(root: string, path: string, direction: 'ingress' | 'egress'): HookOccupant[] {
  const { entries } = queryOrder({ hook: 'cgroup', path, attachType: `cgroup_inet_${direction}` });
  return entries.map(({ programId }) => ({
    hook: `cgroup_skb/${direction}`,
    programId,
    linkId: undefined,
    priority: undefined,
    detail: path.slice(root.length) || '/',
  }));
}

function cgroupsBelow(folder: string): string[] {
  return [folder, ...subfolders(folder).flatMap(cgroupsBelow)];
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    // A cgroup that goes meanwhile.
    return [];
  }
}
