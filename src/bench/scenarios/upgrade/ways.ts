/** The ways to put a program into the place of another one while packets come. */
import type { Scope } from '../../../base/scope.js';
import { tc, tcx, xdp } from '../../../ebpf/attach/index.js';
import type { MemberSource } from '../../../ebpf/dispatcher/member.js';
import type { Program } from '../../../ebpf/program.js';
import { buildTailChain } from '../../../ebpf/tail-chain/build.js';
import { switchTo } from '../../../ebpf/tail-chain/change.js';
import { loadTailMember } from '../../../ebpf/tail-chain/member.js';
import { replaceFilter } from '../../../ebpf/tc-filter.js';
import { actionsOf } from '../../../obj/xdp-dispatcher/actions.js';
import type { End } from '../../lab/network.js';

/** One of the two programs that take turns. */
export interface Judge {
  readonly program: Program;
  readonly source: MemberSource;
}

/** Puts one of the two in the place of the other, by its number. */
export type Replace = (next: 0 | 1) => void;

export interface UpgradeWay {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** There to show what the others spare: packets meet neither or both. */
  readonly isContrast: boolean;
  /** The program of bpf/bench/upgrade.bpf.c. */
  readonly program: string;
  /**
   * Puts the first on the interface.
   * @param scope ends with the benchmark
   */
  readonly begin: (judges: readonly [Judge, Judge], end: End, scope: Scope) => Replace;
}

const place = ({ ifname, place: { netns } }: End) => ({ ifname, netns });

const xdpLink: UpgradeWay = {
  name: 'xdp-link',
  title: 'XDP link update',
  description: 'BPF_LINK_UPDATE of a native XDP link, with the old program as what is expected',
  isContrast: false,
  program: 'judge_xdp',
  begin: (judges, end, scope) => {
    const link = scope.use(judges[0].program.attach(xdp(place(end))));
    return (next) => link.update(judges[next].program, judges[other(next)].program);
  },
};

const tcxLink: UpgradeWay = {
  name: 'tcx-link',
  title: 'tcx link update',
  description: 'BPF_LINK_UPDATE of a tcx ingress link, with the old program as what is expected',
  isContrast: false,
  program: 'judge_tc',
  begin: (judges, end, scope) => {
    const link = scope.use(judges[0].program.attach(tcx({ ...place(end), direction: 'ingress' })));
    return (next) => link.update(judges[next].program, judges[other(next)].program);
  },
};

/** Both loaded for a chain of netkit's, the first in it, as member 0. */
function inTailChain(judges: readonly [Judge, Judge], end: End, scope: Scope) {
  const members: Program[] = [];
  const open = ({ source }: Judge, slot: Parameters<typeof loadTailMember>[1]): Program => {
    const program = scope.use(loadTailMember(source, slot));
    members.push(program);
    return program;
  };
  const chain = buildTailChain([{ proceedOn: ['pass'], open: (slot) => open(judges[0], slot) }], scope);
  open(judges[1], { programs: chain.programs, way: chain.way, frags: false });
  scope.use(chain.program.attach(xdp(place(end))));
  return { chain, members };
}

const tailSlot: UpgradeWay = {
  name: 'tail-slot',
  title: 'tail-call slot',
  description: 'another program written into the slot of the program array from which native XDP calls it',
  isContrast: false,
  program: 'judge_member',
  begin: (judges, end, scope) => {
    const { chain, members } = inTailChain(judges, end, scope);
    return (next) => {
      const program = members[next];
      if (program !== undefined) chain.programs.setReference(0, program);
    };
  },
};

const tailOrder: UpgradeWay = {
  name: 'tail-order',
  title: 'order of a tail-call chain',
  description:
    "netkit's own: the new program in a free slot, then another order of the whole chain by one update of a map in a map",
  isContrast: false,
  program: 'judge_member',
  begin: (judges, end, scope) => {
    const { chain, members } = inTailChain(judges, end, scope);
    for (const [slot, program] of members.entries()) chain.programs.setReference(slot, program);
    const goOn = actionsOf(['pass']) % 0x100;
    return (next) => switchTo(chain, { frags: false, members: [{ slot: next, priority: 0, goOn }] });
  },
};

const tcFilter: UpgradeWay = {
  name: 'tc-filter',
  title: 'tc filter replaced',
  description: 'a filter of the same priority and handle on the clsact qdisc, direct action, by netlink',
  isContrast: false,
  program: 'judge_tc',
  begin: (judges, end, scope) => {
    const direction = 'ingress' as const;
    scope.use(judges[0].program.attach(tc({ ...place(end), direction, priority: 1 })));
    // What a process that is killed leaves goes with the interface.
    const filter = { ifindex: end.ifindex, direction, handle: 1, priority: 1 };
    return (next) => replaceFilter(judges[next].program, filter, end.place.netns);
  },
};

const xdpAgain: UpgradeWay = {
  name: 'xdp-again',
  title: 'XDP detached, attached again',
  description: 'the link of the old program closed, then one made for the new: a gap between',
  isContrast: true,
  program: 'judge_xdp',
  begin: (judges, end, scope) => {
    const attach = (judge: Judge) => judge.program.attach(xdp(place(end)));
    let link = attach(judges[0]);
    scope.defer(() => link[Symbol.dispose]());
    return (next) => {
      link[Symbol.dispose]();
      link = attach(judges[next]);
    };
  },
};

const tcxBeside: UpgradeWay = {
  name: 'tcx-beside',
  title: 'tcx attached beside, then detached',
  description: 'a link for the new program behind that of the old, which is then closed: both for a moment',
  isContrast: true,
  program: 'judge_tc',
  begin: (judges, end, scope) => {
    const attach = (judge: Judge) => judge.program.attach(tcx({ ...place(end), direction: 'ingress' }));
    let link = attach(judges[0]);
    scope.defer(() => link[Symbol.dispose]());
    return (next) => {
      const old = link;
      link = attach(judges[next]);
      old[Symbol.dispose]();
    };
  },
};

export const upgradeWays: readonly UpgradeWay[] = [
  xdpLink,
  tailSlot,
  tailOrder,
  tcxLink,
  tcFilter,
  xdpAgain,
  tcxBeside,
];

function other(which: 0 | 1): 0 | 1 {
  return which === 0 ? 1 : 0;
}
