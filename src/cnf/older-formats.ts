/**
 * Files of the state formats 1, whose links were all on interfaces, and 2, which knew no manifests. What is read is turned
 * into the present format, which is then checked; whatever was wrong in it stays wrong.
 */
import { defaultPriority } from './order.js';

/** Of programs that came behind all others, before an order could be asked for. */
const unordered = { priority: defaultPriority, place: null };

type Members = Readonly<Record<string, unknown>>;

/** A function's state. */
export function convertState(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { formatVersion, links } = value;
  if (formatVersion === 2) return { ...value, formatVersion: 3 };
  if (formatVersion !== 1) return value;
  return { ...value, formatVersion: 3, links: Array.isArray(links) ? links.map(convertLink) : links };
}

/** The plan of a change, as the journals have it. */
export function convertPlan(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { actions } = value;
  return { ...value, actions: Array.isArray(actions) ? convertActions(actions) : actions };
}

export function convertActions(actions: readonly unknown[]): unknown[] {
  return actions.map((action) => {
    if (!isObject(action)) return action;
    const converted: Record<string, unknown> = { ...action };
    if ('link' in action) converted['link'] = convertLink(action['link']);
    for (const member of ['before', 'after'])
      if (member in action) converted[member] = convertState(action[member]);
    return converted;
  });
}

function convertLink(value: unknown): unknown {
  // A link of the present format has a family.
  if (!isObject(value) || 'family' in value) return value;
  const { name, program, hook, ifname, ifindex, netns, mode, filter, ...rest } = value;
  const target = { kind: 'interface', ifname, ifindex, netns };
  const link = { ...rest, name, program, hook, target };
  if (hook === 'xdp') return { ...link, family: 'xdp', mode };
  return filter === null ? { ...link, family: 'tcx', order: unordered } : { ...link, family: 'tc', filter };
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
