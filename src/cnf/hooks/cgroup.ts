/** cgroups: what the processes in one and below it do, each hook with several programs. */
import { join } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { type Hook, hookNames } from '../../base/hook-names.js';
import { Scope } from '../../base/scope.js';
import { cgroup, lsmCgroup } from '../../ebpf/attach/index.js';
import { type OrderPlace, queryOrder } from '../../ebpf/order.js';
import { cgroupRoot, findCgroup } from '../../host/cgroup.js';
import { type AttachTypeWord, type SectionRule, sectionRules } from '../../obj/sections.js';
import type { LinkOf } from '../link-state.js';
import { type CgroupTarget, cgroupNamed } from '../targets/cgroup.js';
import type { HookEntry, HookFamily, TargetReader } from './family.js';
import { moveLink } from './moving.js';
import { plannedOrder, positionOf, refuseOtherOrder, unordered } from './ordered.js';
import { type LinkMaker, pinnedLinks } from './pinned-link.js';

type CgroupLink = LinkOf<'cgroup'>;

const cgroupReader: TargetReader = {
  need: 'required',
  noun: 'the path of a cgroup',
  couldBe: (text) => text !== '' && !text.includes(':'),
  exists(text) {
    try {
      findCgroup(text);
      return true;
    } catch (error) {
      if (error instanceof NetkitError) return false;
      throw error;
    }
  },
};

interface Place {
  readonly entry: HookEntry;
  readonly attachType: AttachTypeWord;
}

/** Sections that are called otherwise than the hook. */
const aliases: Readonly<Record<string, Hook>> = { 'cgroup/sock': 'cgroup/sock_create' };

const onePlaceOnly = new Set(['cgroup_sock', 'cgroup_sock_addr', 'cgroup_sockopt', 'lsm']);
const places = placesOf(sectionRules);

function placesOf(rules: readonly SectionRule[]): Place[] {
  const found = new Map<Hook, Place>();
  for (const { name, program, attach } of rules) {
    if (attach === undefined || !/^cgroup_|^lsm_cgroup$/.test(attach)) continue;
    const hook = aliases[name] ?? hookNames.find((known) => known === name);
    if (hook === undefined) continue;
    const sections = [...(found.get(hook)?.entry.sections ?? []), name];
    const loadedFor = onePlaceOnly.has(program) ? attach : undefined;
    found.set(hook, { entry: { hook, sections, types: [program], loadedFor }, attachType: attach });
  }
  return [...found.values()];
}

const maker: LinkMaker<CgroupLink> = {
  make(program, link, notes) {
    const path = directoryOf(link.target);
    const place = placeOf(link, path);
    if (place === undefined) return { made: program.attach(lsmCgroup({ path })), link };
    using scope = new Scope();
    const position = positionOf(link, place, notes, scope);
    return { made: program.attach(cgroup({ ...place, position })), link };
  },
};

export const cgroupFamily: HookFamily<CgroupLink> = {
  family: 'cgroup',
  hooks: places.map(({ entry }) => entry),
  target: cgroupReader,
  options: ['priority', 'place'],
  linkType: 'cgroup',
  ...pinnedLinks(maker),
  rearrange: (folder, _link, next, notes) => moveLink(maker, folder, next, notes),
  plan(request) {
    const { program, hook, target: words, options } = request;
    const target = cgroupNamed(words);
    const link = { family: 'cgroup', program: program.name, hook, target } as const;
    const place = placeOf(link, directoryOf(target));
    if (place === undefined && (options.priority !== undefined || options.place !== undefined))
      throw new NetkitError('unsupported', 'there is no order to ask for among LSM programs of a cgroup');
    const order = place === undefined ? unordered : plannedOrder(link, place, request);
    return { link: { ...link, order } };
  },
  refuseOther(present, options, around) {
    const place = placeOf(present, directoryOf(present.target));
    if (place !== undefined) refuseOtherOrder(present, place, options, around);
  },
  seenOrder(link) {
    const place = placeOf(link, directoryOf(link.target));
    return place === undefined ? undefined : queryOrder(place);
  },
  detail: () => '',
};

/** Undefined for LSM programs, of which each has a hook of its own. */
function placeOf(
  { hook }: Pick<CgroupLink, 'hook'>,
  path: string,
): Extract<OrderPlace, { hook: 'cgroup' }> | undefined {
  const attachType = places.find(({ entry }) => entry.hook === hook)?.attachType;
  return attachType === undefined || attachType === 'lsm_cgroup'
    ? undefined
    : { hook: 'cgroup', path, attachType };
}

/** @throws NetkitError `not-found` when the cgroup is gone, or another one has its path by now */
function directoryOf({ path, id }: CgroupTarget): string {
  const root = cgroupRoot();
  const present = root === undefined ? undefined : findCgroup(join(root, path));
  if (present !== undefined && String(present.id) === id) return present.directory;
  throw new NetkitError('not-found', `the cgroup ${path} is gone`, { details: { cgroup: path } });
}
