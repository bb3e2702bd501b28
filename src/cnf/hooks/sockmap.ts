/** Maps of sockets: what the sockets that are put into one send and receive. */
import { NetkitError } from '../../base/errors.js';
import type { Hook } from '../../base/hook-names.js';
import { type SockmapAttachType, sockmap } from '../../ebpf/attach/index.js';
import { programOfSockmap } from '../../ebpf/attach/sockmap.js';
import type { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { atLeast } from '../../host/kernel.js';
import { bpffsOf, pinPath } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { openMap } from '../reference.js';
import type { HookFamily, TargetReader } from './family.js';
import { type LinkMaker, onlyHeld, pinnedLinks } from './pinned-link.js';

type SockmapLink = LinkOf<'sockmap'>;
type Making = Parameters<LinkMaker<SockmapLink>['make']>;
type Made = ReturnType<LinkMaker<SockmapLink>['make']>;

const mapReader: TargetReader = {
  need: 'required',
  noun: 'a map of sockets, as FUNCTION/MAP',
  couldBe: (text) => /[/:]/.test(text),
  exists(text, { bpffs }) {
    try {
      using _map = openMap(text, bpffs);
      return true;
    } catch (error) {
      if (error instanceof NetkitError) return false;
      throw error;
    }
  },
};

const attachTypes: Partial<Record<Hook, SockmapAttachType>> = {
  sk_msg: 'sk_msg_verdict',
  'sk_skb/stream_parser': 'sk_skb_stream_parser',
  'sk_skb/stream_verdict': 'sk_skb_stream_verdict',
  'sk_skb/verdict': 'sk_skb_verdict',
};

const linked = pinnedLinks<SockmapLink>({ make: (...making) => made(true, ...making) });

function made(asLink: boolean, ...[program, link, notes, folder]: Making): Made {
  using map = mapOf(link, bpffsOf(folder));
  const attachType = attachTypes[link.hook];
  if (!asLink && attachType !== undefined && programOfSockmap(map, attachType) === 'unknown')
    notes.note(
      `Linux tells from 5.18 on what a map of sockets has: a program of somebody else in ${link.target.reference} is replaced`,
      link.name,
    );
  const target = { ...link.target, id: map.info.id };
  return { made: program.attach(sockmap({ map, attachType, asLink })), link: { ...link, target } };
}

export const sockmapFamily: HookFamily<SockmapLink> = {
  family: 'sockmap',
  hooks: [
    { hook: 'sk_msg', sections: ['sk_msg'], types: ['sk_msg'] },
    { hook: 'sk_skb/stream_parser', sections: ['sk_skb/stream_parser'], types: ['sk_skb'] },
    { hook: 'sk_skb/stream_verdict', sections: ['sk_skb/stream_verdict'], types: ['sk_skb'] },
    { hook: 'sk_skb/verdict', sections: ['sk_skb/verdict'], types: ['sk_skb'] },
  ],
  target: mapReader,
  options: [],
  linkType: 'sockmap',
  ...linked,
  attach(folder, link, notes) {
    try {
      return linked.attach(folder, link, notes);
    } catch (error) {
      if (atLeast(6, 10) || !(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
      throw onlyHeld(link, 'links to maps of sockets came with Linux 6.10');
    }
  },
  hold(folder, link, notes) {
    using program = Program.fromPin(pinPath(folder, 'progs', link.program));
    return made(false, program, link, notes, folder).made;
  },
  plan({ world, program, hook, target }) {
    using map = openMap(target, world.bpffs);
    const { id, type } = map.info;
    if (type !== 'sockmap' && type !== 'sockhash')
      throw new NetkitError('usage', `'${target}' is a map of type ${type}, not of sockets`);
    return {
      link: {
        family: 'sockmap',
        program: program.name,
        hook,
        target: { kind: 'map', reference: target, id },
      },
    };
  },
  refuseReplacement({ target: { reference } }, { function: name, reuse }) {
    const own = reference.startsWith(`${name}/`) ? reference.slice(name.length + 1) : undefined;
    return own === undefined || reuse[own] === reference
      ? undefined
      : `has a new map '${own}', whose sockets its programs would not see`;
  },
  detail: () => '',
};

/** @throws NetkitError `not-found`, and `conflict` when what named the map when it was planned names another one now */
function mapOf({ target: { reference, id } }: SockmapLink, bpffs: string): BpfMap {
  const map = openMap(reference, bpffs);
  if (id === 0 || map.info.id === id) return map;
  map[Symbol.dispose]();
  throw new NetkitError('conflict', `'${reference}' is another map by now`, { details: { map: id } });
}
