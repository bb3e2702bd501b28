/** The way on which a program goes to XDP: into the interface's chain, or alone, through a link. */
import { NetkitError } from '../../base/errors.js';
import { readChain, type XdpOccupant } from '../../ebpf/dispatcher/chain.js';
import type { ChainPlace } from '../../ebpf/dispatcher/place.js';
import { hookAvailable } from '../../ebpf/feature.js';
import { BpfMap } from '../../ebpf/map.js';
import { Program } from '../../ebpf/program.js';
import { readTailChain } from '../../ebpf/tail-chain/chain.js';
import { whyNoPart } from '../../ebpf/tail-chain/member.js';
import { tailChainFolder } from '../../ebpf/tail-chain/place.js';
import { missingFor } from '../../host/capabilities.js';
import { exists } from '../../host/folders.js';
import { currentNetnsInode } from '../../host/netns.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { dispatcherName } from '../../obj/xdp-dispatcher/config.js';
import { readRunConfig } from '../../obj/xdp-dispatcher/run-config.js';
import { functionFolder, pinPath } from '../layout.js';
import { storedObjectFile } from '../state-object.js';
import { storedSpec } from '../stored-spec.js';
import { sameTarget } from '../targets/index.js';
import { type InterfaceTarget, interfaceNamed } from '../targets/interface.js';
import type { HookRequest, PlannedLink } from './family.js';

/** Lets tests have chains by tail calls where the kernel could do better. */
const pretendsNoFreplace = process.env['NETKIT_TEST_WITHOUT_FREPLACE'] !== undefined;

/** @throws NetkitError `unsupported` where the chain that was asked for cannot be; `usage`, `conflict` */
export function planXdp(request: HookRequest): PlannedLink {
  const { options, program, where } = request;
  const target = interfaceNamed(request.target, where);
  const mode = options.mode ?? 'auto';
  const alone = { family: 'xdp', program: program.name, hook: 'xdp', target, mode } as const;
  if (options.direct === true || mode === 'offload') {
    refuseChainOptions(
      request,
      options.direct === true ? '--direct attaches without' : 'the card runs no chain',
    );
    return { link: alone };
  }
  const spec = storedSpec(request.world.store.objectPath(storedObjectFile(request.state)));
  const choice = chooseChain(request, spec, target);
  if ('reason' in choice) {
    refuseChainOptions(request, choice.reason);
    refuseSecond(request, target, choice.reason);
    return {
      link: alone,
      note: `attached alone, since there can be no chain of XDP programs: ${choice.reason}`,
    };
  }
  const said = readRunConfig(spec.btf, program.name);
  return {
    link: {
      ...alone,
      family: choice.family,
      priority: checkedChainPriority(options.priority) ?? said.priority,
      proceedOn: [...(options.proceedOn ?? said.proceedOn)],
      beside: options.place ?? null,
    },
  };
}

type Choice = { readonly family: 'xdp-chain' | 'xdp-tail-chain' } | { readonly reason: string };

/** One by tail calls where programs cannot be replaced, and where there is one already. */
function chooseChain(request: HookRequest, spec: ObjectSpec, target: InterfaceTarget): Choice {
  // Members of others are opened by their ids.
  if (missingFor('enumerate').length > 0)
    return { reason: 'it needs CAP_SYS_ADMIN, which this user does not have' };
  const barred = whyNoReplacing();
  if (barred !== undefined || hasTailChain(request, target)) {
    const against = whyNoTailCalls(request, spec);
    if (against === undefined) return { family: 'xdp-tail-chain' };
    return { reason: barred === undefined ? against : `${barred}, and ${against}` };
  }
  return spec.btf === undefined
    ? { reason: `${spec.name} was compiled without BTF` }
    : { family: 'xdp-chain' };
}

/** Undefined where a program can take the place of a function of the dispatcher, as far as that can be told before. */
function whyNoReplacing(): string | undefined {
  if (pretendsNoFreplace) return 'it needs freplace, and a test pretends that there is none';
  const { available, reason } = hookAvailable('freplace');
  // Where this user may not know, the attempt says why.
  return available === false ? `it needs freplace, and ${reason}` : undefined;
}

function hasTailChain({ state, where }: HookRequest, { ifindex }: InterfaceTarget): boolean {
  const netnsInode = where.netns?.inode ?? currentNetnsInode();
  return readTailChain(tailChainFolder({ bpffs: state.bpffs, ifindex, netnsInode })) !== undefined;
}

/** Undefined for a program that takes part in chains by tail calls. */
function whyNoTailCalls({ state, program }: HookRequest, spec: ObjectSpec): string | undefined {
  const folder = functionFolder(state.bpffs, state.name);
  using loaded = Program.fromPin(pinPath(folder, 'progs', program.name));
  return whyNoPart(spec, program.name, loaded.info().mapIds, (name) => {
    const path = pinPath(folder, 'maps', name);
    if (!exists(path)) return undefined;
    using map = BpfMap.fromPin(path);
    return map.info.id;
  });
}

function refuseChainOptions({ options, program }: HookRequest, reason: string): void {
  const { priority, proceedOn, place } = options;
  if (priority === undefined && proceedOn === undefined && place === undefined) return;
  if (options.direct === true || options.mode === 'offload') {
    throw new NetkitError('usage', `--priority, --proceed-on and places are for chains: ${reason} one`);
  }
  throw new NetkitError('unsupported', `'${program.name}' cannot be in a chain of XDP programs: ${reason}`, {
    hint: 'without --priority, --proceed-on and a place it is attached alone',
  });
}

/** A second program is refused with the reason why there is no chain for it. */
function refuseSecond({ links, program, where }: HookRequest, target: InterfaceTarget, reason: string): void {
  const isItself = links.some(
    (link) => link.hook === 'xdp' && link.program === program.name && sameTarget(link.target, target),
  );
  const { ifname, ifindex } = target;
  const occupant = isItself ? undefined : occupantOn({ ifname, ifindex, netns: where.netns, bpffs: '' });
  if (occupant === undefined) return;
  const { name, id } = whatIs(occupant);
  throw new NetkitError(
    'conflict',
    `${ifname} has an XDP program already: '${name}', id ${id} (${occupant.mode})`,
    {
      hint: `several on one interface are a chain, and '${program.name}' cannot be in one: ${reason}`,
      details: { ifname, ifindex, program: { name, id }, mode: occupant.mode },
    },
  );
}

/** Undefined also where this user may not know: the attempt then says what is wrong. */
function occupantOn(place: ChainPlace): XdpOccupant | undefined {
  try {
    return readChain(place);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-permitted') return undefined;
    throw error;
  }
}

function whatIs(occupant: XdpOccupant): { readonly name: string; readonly id: number } {
  return occupant.kind === 'chain'
    ? { name: dispatcherName, id: occupant.dispatcherId }
    : { name: occupant.name, id: occupant.programId };
}

/** @throws NetkitError `bad-value` */
export function checkedChainPriority(priority: number | undefined): number | undefined {
  if (priority === undefined || (Number.isInteger(priority) && priority >= 0 && priority <= mostPriority))
    return priority;
  throw new NetkitError(
    'bad-value',
    `a priority in a chain is a whole number from 0 to ${mostPriority}, not ${priority}`,
  );
}

/** libxdp's tools show higher ones as negative. */
const mostPriority = 0x7fffffff;
