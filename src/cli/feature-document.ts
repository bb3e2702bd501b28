import { machine } from 'node:os';
import { NetkitError } from '../base/errors.js';
import { closest } from '../base/suggest.js';
import type { Availability, Feature } from '../ebpf/feature/availability.js';
import { callsOf, helpersByName } from '../ebpf/feature/calls.js';
import { allHooks } from '../ebpf/feature/hooks.js';
import {
  allInterfaceAbilities,
  type InterfaceAbilities,
  interfaceAbilities,
} from '../ebpf/feature/interfaces.js';
import { allKfuncs } from '../ebpf/feature/kfuncs.js';
import { allMapTypes } from '../ebpf/feature/map-types.js';
import { allMisc } from '../ebpf/feature/misc.js';
import { allProgramTypes } from '../ebpf/feature/program-types.js';
import { allBuildSettings, setup } from '../ebpf/feature/settings.js';
import { findInterface, type Interface } from '../host/interfaces.js';
import { kernelRelease } from '../host/kernel.js';
import { type Netns, openNetns } from '../host/netns.js';
import { type FeatureSection, featureSections } from './feature-sections.js';
import type { DocumentOf } from './schema/index.js';

export type FeatureDocument = DocumentOf<'feature'>;
type Part<Name extends keyof FeatureDocument> = NonNullable<FeatureDocument[Name]>;

/** What to look at. */
export interface FeatureRequest {
  readonly sections: ReadonlySet<FeatureSection>;
  /** One interface; all when left out. */
  readonly ifname?: string | undefined;
  /** Where the interfaces are, as `--netns` has it. */
  readonly netns?: string | undefined;
  /** Tries also what the kernel would log. */
  readonly full?: boolean | undefined;
}

/**
 * What the kernel offers, as `netkit feature --json` prints it. Leaves nothing in the kernel.
 * @throws NetkitError `not-found` (interface)
 */
export function featureDocument({ sections, ifname, netns, full }: FeatureRequest): FeatureDocument {
  const when = <T>(section: FeatureSection, make: () => T): T | null =>
    sections.has(section) ? make() : null;
  return {
    kernel: { release: kernelRelease(), machine: machine() },
    interfaces: when('interfaces', () => interfaces(ifname, netns)),
    programTypes: when('programs', () => allProgramTypes().map(answer)),
    mapTypes: when('maps', () => allMapTypes().map(answer)),
    hooks: when('hooks', () => allHooks().map(answer)),
    helpers: when('helpers', () => helpers(full === true)),
    kfuncs: when('kfuncs', () =>
      allKfuncs().map((each) => ({ ...answer(each), module: each.module ?? null })),
    ),
    misc: when('misc', () => allMisc().map((each) => ({ ...answer(each), about: each.about }))),
    setup: when('setup', setupDocument),
    build: when('build', () =>
      (allBuildSettings() ?? []).map(({ name, about, value }) => ({ name, about, value: value ?? null })),
    ),
  };
}

function answer({
  name,
  since,
  available,
  reason,
}: Feature | (Availability & { name: string; since: string })) {
  return { name, since: since ?? null, available, reason: available === true ? null : reason };
}

function helpers(full: boolean): Part<'helpers'> {
  const calls = allProgramTypes().map(({ name }) => callsOf(name, { full }));
  return helpersByName(calls).map((each) => ({
    ...answer(each),
    name: `bpf_${each.name}`,
    programTypes: [...each.types],
    whenSleepable: [...each.whenSleepable],
  }));
}

function setupDocument(): Part<'setup'> {
  const { jit, jitHardening, jitSymbols, jitLimit, unprivileged, lockdown, statistics } = setup();
  return {
    jit: jit ?? null,
    jitHardening: jitHardening ?? null,
    jitSymbols: jitSymbols ?? null,
    jitLimit: jitLimit ?? null,
    unprivileged: unprivileged ?? null,
    lockdown,
    statistics: statistics ?? null,
  };
}

function interfaces(ifname: string | undefined, where: string | undefined): Part<'interfaces'> {
  using netns = where === undefined ? undefined : openNetns(where);
  const found =
    ifname === undefined
      ? allInterfaceAbilities(netns)
      : [interfaceAbilities(interfaceNamed(ifname, netns), netns)];
  return found.map(interfaceDocument);
}

/** A word that is neither an interface nor a section was probably meant for a section. */
function interfaceNamed(ifname: string, netns: Netns | undefined): Interface {
  try {
    return findInterface(ifname, netns);
  } catch (error) {
    const near = closest(ifname, featureSections);
    const isProbe = ifname === 'probe';
    if (!(error instanceof NetkitError) || (near === undefined && !isProbe)) throw error;
    throw new NetkitError(error.code, `${error.message}, and no section of that name`, {
      // As bpftool has it.
      hint: isProbe ? 'netkit feature alone tries everything' : `did you mean '${near}'?`,
      details: error.details,
      cause: error,
    });
  }
}

function interfaceDocument(found: InterfaceAbilities): Part<'interfaces'>[number] {
  const { ifname, ifindex, driver, mtu, channels, lro, xdp, reason } = found;
  return {
    ifname,
    ifindex,
    driver: driver ?? null,
    mtu,
    channels: channels ?? null,
    lro: lro ?? null,
    xdp:
      xdp === undefined
        ? null
        : {
            ...xdp,
            zeroCopySegments: xdp.zeroCopySegments ?? null,
            rxMetadata: xdp.rxMetadata === undefined ? null : [...xdp.rxMetadata],
            txMetadata: xdp.txMetadata === undefined ? null : [...xdp.txMetadata],
          },
    reason: reason ?? null,
  };
}
