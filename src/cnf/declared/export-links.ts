/** Attachments as a manifest declares them, from what is recorded of links. */
import { currentNetnsInode, netnsName } from '../../host/netns.js';
import { familyOf } from '../hooks/index.js';
import type { LinkState } from '../link-state.js';
import type { Attachment } from '../manifest/schema.js';
import { defaultPriority, type Place } from '../order.js';
import { netnsOf, targetText } from '../targets/index.js';

/** An attachment of one target, in the words of manifests. */
export function attachmentOf(link: LinkState): Attachment {
  const { program, hook, target } = link;
  const netns = netnsReference(link);
  return {
    program,
    hook,
    ...(target.kind === 'interface' ? { interfaces: [target.ifname] } : targetOf(link)),
    ...(netns === undefined ? {} : { netns }),
    ...optionsOf(link),
  };
}

/** Those that differ in their interfaces alone become one. */
export function attachmentsOf(links: readonly LinkState[]): Attachment[] {
  const found = new Map<string, Attachment>();
  for (const link of links) {
    const { interfaces = [], ...rest } = attachmentOf(link);
    const key = JSON.stringify([interfaces.length === 0, rest]);
    const present = found.get(key);
    if (interfaces.length === 0) found.set(`${key} ${found.size}`, rest);
    else
      found.set(key, { ...attachmentOf(link), interfaces: [...(present?.interfaces ?? []), ...interfaces] });
  }
  return [...found.values()];
}

function targetOf(link: LinkState): Pick<Attachment, 'target'> {
  // What the program was loaded for cannot be named once more.
  if (familyOf(link).target.need !== 'required') return {};
  const { target } = link;
  const text = targetText(target);
  if (text === null) return {};
  const isMade = link.family === 'map-entry' && link.made && target.kind === 'map-entry';
  return { target: isMade ? `${text}=${target.holds}` : text };
}

/** By the name that was given, or the one that it has. */
function netnsReference({ target }: LinkState): string | undefined {
  const netns = netnsOf(target);
  if (netns === undefined) return undefined;
  if (netns.ref !== null) return netns.ref;
  return netns.inode === currentNetnsInode() ? undefined : netnsName(netns.inode);
}

function optionsOf(link: LinkState): Partial<Attachment> {
  switch (link.family) {
    case 'xdp':
      return { mode: link.mode, direct: true };
    case 'xdp-chain':
    case 'xdp-tail-chain':
      // In a chain its priority is its place.
      return { mode: link.mode, priority: link.priority, proceedOn: [...link.proceedOn] };
    case 'tcx':
    case 'netkit-dev':
    case 'cgroup':
      return orderOf(link.order);
    case 'tc':
    case 'tc-action':
      return { priority: link.filter.priority };
    case 'netfilter':
      return {
        family: link.protocol,
        stage: link.stage,
        priority: link.priority,
        ...(link.defrag ? { defrag: true } : {}),
      };
    case 'uprobe':
      return { ...cookieOf(link), ...(link.pid === null ? {} : { pid: link.pid }) };
    case 'tracepoint':
    case 'raw-tracepoint':
    case 'kprobe':
    case 'perf-event':
      return cookieOf(link);
    default:
      return {};
  }
}

/** Left out where it is the usual one: not every kernel has an order on cgroups. */
function orderOf({
  priority,
  place,
}: {
  readonly priority: number;
  readonly place: Place | null;
}): Partial<Attachment> {
  return {
    ...(priority === defaultPriority ? {} : { priority }),
    ...(place === null ? {} : { place }),
  };
}

function cookieOf({ cookie }: { readonly cookie: string | null }): Partial<Attachment> {
  return cookie === null || cookie === '0' ? {} : { cookie };
}
