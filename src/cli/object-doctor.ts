/** Whether an object can run: on this kernel, as this user, on an interface. */
import { leaveOtherWays, type WayIn } from '../cnf/ways-in.js';
import { findInterface } from '../host/interfaces.js';
import { type Netns, openNetns } from '../host/netns.js';
import { requirementsOf } from '../obj/requirements.js';
import { ObjectSpec } from '../obj/spec.js';
import { bpffs } from './checks/access.js';
import { blocking, type Check, check } from './checks/check.js';
import { interfaceChecks } from './checks/interface.js';
import { afterLoading, loadingProblem, requirementChecks, rightsChecks } from './checks/object.js';
import type { Paths } from './context.js';
import { objectFile } from './object-file.js';
import type { DocumentOf } from './schema/index.js';

type Examined = Pick<DocumentOf<'doctor'>, 'checks'> & {
  readonly object: NonNullable<DocumentOf<'doctor'>['object']>;
};

/** What to look at. */
export interface Examination {
  readonly object: string;
  readonly ifname: string | undefined;
  /** Programs, instead of those that are loaded by default. */
  readonly only: readonly string[];
  readonly paths: Paths;
  /** Where the interface is, as `--netns` has it. */
  readonly netns: string | undefined;
}

/**
 * Asks the kernel for everything that the object needs, and loads it once for certain. Leaves nothing behind.
 * @throws NetkitError `not-found` (object, program, interface), `bad-object`
 */
export async function examine({ object, ifname, only, paths, netns: where }: Examination): Promise<Examined> {
  const file = objectFile(object);
  const spec = await ObjectSpec.read(file);
  if (only.length > 0) spec.only(only);
  const ways = only.length > 0 ? [] : leaveOtherWays(spec);
  using netns = where === undefined ? undefined : openNetns(where);
  const interfaces = ifname === undefined ? [] : placed(spec, ifname, netns);
  const requirements = requirementsOf(spec);
  const rights = rightsChecks(spec);
  const needs = [...ways.map(wayCheck), ...requirementChecks(requirements)];
  // Without the rights to load there is nothing to be learnt from trying.
  const mayLoad = rights.every(({ blocks }) => blocks === null);
  const loaded = mayLoad ? afterLoading(needs, loadingProblem(spec)) : needs;
  const checks = [...loaded, ...rights, pins(paths), ...interfaces];
  return {
    object: {
      file,
      ifname: ifname ?? null,
      since: requirements.since ?? null,
      programs: [...spec.chosen],
      verdict: verdictOf(checks),
    },
    checks,
  };
}

function wayCheck({ place, taken, text }: WayIn): Check {
  const name = `way in to ${place}`;
  return taken === undefined
    ? blocking(name, 'kernel', text, '--only leaves out programs of the object')
    : check(name, 'ok', text);
}

function placed(spec: ObjectSpec, ifname: string, netns: Netns | undefined): Check[] {
  return interfaceChecks(spec, findInterface(ifname, netns), netns);
}

/** Where the pins go that hold what is attached. */
function pins(paths: Paths): Check {
  const found = bpffs(paths);
  return found.status === 'missing'
    ? { ...found, blocks: 'user' }
    : check(found.name, found.status, found.message, found.hint ?? undefined);
}

/** Who stands in the way first: no right helps on a kernel that cannot. */
function verdictOf(checks: readonly Check[]): Examined['object']['verdict'] {
  const order = ['kernel', 'user', 'owner'] as const;
  return order.find((who) => checks.some(({ blocks }) => blocks === who)) ?? 'runs';
}
