/** XDP: one program on an interface, through a link, native or generic. */
import { NetkitError } from '../../base/errors.js';
import { type XdpMode, xdp } from '../../ebpf/attach/index.js';
import type { Link } from '../../ebpf/link.js';
import type { Program } from '../../ebpf/program.js';
import type { Netns } from '../../host/netns.js';
import type { LinkOf } from '../link-state.js';
import { describePlace } from '../targets/index.js';
import { namespaceWith } from '../targets/interface.js';
import type { HookFamily, Notes } from './family.js';
import { interfaceReader } from './interface-target.js';
import { pinnedLinks } from './pinned-link.js';
import { planXdp } from './xdp-way.js';

type XdpLink = LinkOf<'xdp'>;

export const xdpFamily: HookFamily<XdpLink> = {
  family: 'xdp',
  hooks: [{ hook: 'xdp', sections: ['xdp', 'xdp.frags'], types: ['xdp'], loadedFor: 'xdp' }],
  target: interfaceReader,
  options: ['mode', 'priority', 'proceedOn', 'direct', 'place'],
  linkType: 'xdp',
  ...pinnedLinks({ make }),
  plan: planXdp,
  refuseOther(present, { mode = 'auto', priority, proceedOn, place }) {
    const where = `${present.program} is attached to xdp${detail(present)} of ${describePlace(present.target)} already`;
    if (mode !== 'auto' && mode !== present.mode) {
      throw new NetkitError('conflict', where, {
        hint: 'detach it first: the kernel cannot change the mode of a link',
      });
    }
    if (priority === undefined && proceedOn === undefined && place === undefined) return;
    throw new NetkitError('conflict', `${where}, without a chain`, {
      hint: 'detach it first: a chain begins on an empty hook',
    });
  },
  detail,
};

function detail({ mode }: XdpLink): string {
  return ` (${mode})`;
}

/** `auto` is native, or generic where the driver refuses: said, never silent. */
function make(program: Program, link: XdpLink, notes: Notes): { made: Link; link: XdpLink } {
  using netns = namespaceWith(link.target);
  if (link.mode !== 'auto') return attachIn(program, link, link.mode, netns);
  try {
    return attachIn(program, link, 'native', netns);
  } catch (error) {
    if (!(error instanceof NetkitError) || error.code !== 'unsupported') throw error;
    const taken = attachIn(program, link, 'generic', netns);
    notes.note(`${error.message}: attached in generic mode, which is slower`, link.name);
    return taken;
  }
}

function attachIn(program: Program, link: XdpLink, mode: XdpMode, netns: Netns | undefined) {
  const made = program.attach(xdp({ ifname: link.target.ifname, mode, netns }));
  return { made, link: { ...link, mode } };
}
