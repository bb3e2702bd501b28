import { NetkitError } from '../../base/errors.js';
import type { Availability } from '../../ebpf/feature/availability.js';
import { hookAvailable } from '../../ebpf/feature/hooks.js';
import { loadTask } from '../../ebpf/feature/program-types.js';
import { served } from '../../ebpf/feature/requirement.js';
import { load } from '../../ebpf/load.js';
import { capabilityHint, type PrivilegedTask } from '../../host/capabilities.js';
import { atLeast, kernelRelease } from '../../host/kernel.js';
import { versionNumbers } from '../../obj/kernel-versions/version.js';
import { hasOtherWay, type ObjectRequirements, type Requirement } from '../../obj/requirements.js';
import type { ObjectSpec } from '../../obj/spec.js';
import { blocking, type Check, check } from './check.js';

type Kind = Requirement['kind'];

/** What the lines are called: one kind of requirement each. */
const titles: Readonly<Record<Kind, string>> = {
  'program-type': 'program types',
  hook: 'hooks',
  target: 'targets',
  'struct-ops': 'kernel structs',
  'map-type': 'map types',
  helper: 'helpers',
  kfunc: 'kfuncs',
  'kernel-variable': 'kernel variables',
  'kernel-btf': 'kernel BTF',
  kconfig: 'kernel configuration',
  instructions: 'instructions',
  'xdp-frags': 'XDP frags',
};

interface Answered {
  readonly requirement: Requirement;
  readonly answer: Availability;
}

/** Whether the kernel has what the object needs: a line for each thing that it lacks, and one for each kind that is all there. */
export function requirementChecks({ requirements }: ObjectRequirements): Check[] {
  const answered = requirements.map((requirement) => ({ requirement, answer: served(requirement) }));
  // A type that is missing takes its hooks and helpers along: one line says it.
  const missingTypes = new Set(
    answered.flatMap(({ requirement, answer }) =>
      requirement.kind === 'program-type' && answer.available !== true ? [requirement.type] : [],
    ),
  );
  const told = answered.filter(
    ({ requirement }) =>
      !((requirement.kind === 'hook' || requirement.kind === 'helper') && missingTypes.has(requirement.type)),
  );
  const kinds = [...new Set(told.map(({ requirement }) => requirement.kind))];
  return kinds.flatMap((kind) =>
    kindChecks(
      kind,
      told.filter(({ requirement }) => requirement.kind === kind),
    ),
  );
}

function kindChecks(kind: Kind, all: readonly Answered[]): Check[] {
  const problems = all.filter(({ answer }) => answer.available !== true);
  const there = all.length - problems.length;
  const names = [...new Set(all.map(({ requirement }) => nameOf(requirement)))];
  const summary =
    names.length > 6
      ? `all ${names.length} are there`
      : `${names.join(', ')}: ${names.length > 1 ? 'all are' : 'it is'} there`;
  const rest =
    there > 0 && problems.length > 0
      ? [check(titles[kind], 'ok', there === 1 ? 'the other one is there' : `the other ${there} are there`)]
      : [];
  if (problems.length === 0)
    return [check(titles[kind], 'ok', kind === 'kernel-btf' ? 'it is there' : summary)];
  return [...problems.map(problemCheck), ...rest];
}

function problemCheck({ requirement, answer: { available, reason } }: Answered): Check {
  const name = `${singular[requirement.kind]} ${nameOf(requirement)}`.trim();
  const message = `${reason}${neededBy(requirement)}`;
  if (available === null) return check(name, 'unknown', message);
  const hint = hintFor(requirement);
  if (requirement.optional) return check(name, 'warning', `${message}; the object does without`, hint);
  const otherWay = detour(requirement);
  if (otherWay !== undefined) return check(name, 'warning', `${message}; ${otherWay}`);
  return blocking(name, 'kernel', message, hint);
}

const singular: Readonly<Record<Kind, string>> = {
  'program-type': 'program type',
  hook: 'hook',
  target: 'target',
  'struct-ops': 'kernel struct',
  'map-type': 'map type',
  helper: 'helper',
  kfunc: 'kfunc',
  'kernel-variable': 'kernel variable',
  'kernel-btf': 'kernel BTF',
  kconfig: 'kernel configuration',
  instructions: 'instructions',
  'xdp-frags': 'XDP frags',
};

function nameOf(requirement: Requirement): string {
  switch (requirement.kind) {
    case 'program-type':
    case 'map-type':
      return requirement.type;
    case 'hook':
      return requirement.attach ?? requirement.section;
    case 'target':
      return `${requirement.section}/${requirement.name}`;
    case 'struct-ops':
      return requirement.struct;
    case 'helper':
      return `bpf_${requirement.helper}`;
    case 'kfunc':
    case 'kernel-variable':
    case 'kconfig':
      return requirement.name;
    case 'instructions':
      return requirement.feature;
    case 'kernel-btf':
    case 'xdp-frags':
      return '';
  }
}

function neededBy({ neededBy: names }: Requirement): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, 3).join(', ');
  return ` (needed by ${shown}${names.length > 3 ? ` and ${names.length - 3} more` : ''})`;
}

function hintFor(requirement: Requirement): string {
  const { since, kind, neededBy: names } = requirement;
  if (kind === 'kconfig') return `use a kernel that was built with ${requirement.name}`;
  if (kind === 'kernel-btf') return 'use a kernel built with CONFIG_DEBUG_INFO_BTF=y';
  if (kind === 'target') return 'attach it to something that this kernel has, or load the module that has it';
  const isNewer = since !== undefined && !atLeast(...versionNumbers(since));
  const kernel = isNewer ? `use Linux ${since} or newer` : 'use a kernel that offers it';
  const [program] = names;
  return kind === 'map-type' || program === undefined
    ? kernel
    : `${kernel}, or leave ${program} out with --only`;
}

/** How netkit attaches all the same. */
function detour(requirement: Requirement): string | undefined {
  if (!hasOtherWay(requirement)) return undefined;
  return hookAvailable('tc/ingress').available === true
    ? 'netkit attaches it as a tc filter of a clsact qdisc'
    : undefined;
}

/** Whether this user may load the object, and attach it to what netkit knows. */
export function rightsChecks(spec: ObjectSpec): Check[] {
  const types = new Set(spec.programs.filter(({ name }) => spec.chosen.has(name)).map(({ type }) => type));
  const tasks = new Set<PrivilegedTask>();
  for (const type of types) if (type !== 'unspec') tasks.add(loadTask(type));
  if (tasks.size === 0) tasks.add('load');
  const hints = new Set([...tasks].flatMap((task) => capabilityHint(task) ?? []));
  if (hints.size === 0) return [check('rights', 'ok', 'this user may load and attach it')];
  return [...hints].map((hint) =>
    blocking('rights', 'user', 'this user may not load programs of these types', hint),
  );
}

/** Loads the object and drops it. @returns undefined when it loads, else why not */
export function loadingProblem(spec: ObjectSpec): NetkitError | undefined {
  try {
    using _loaded = load(spec);
    return undefined;
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
}

/** What the try to load it adds: the last word on what the kernel was found to lack. */
export function afterLoading(checks: readonly Check[], problem: NetkitError | undefined): Check[] {
  if (problem === undefined) {
    const softened = checks.map((each) =>
      each.blocks === 'kernel'
        ? {
            ...each,
            status: 'warning' as const,
            blocks: null,
            message: `${each.message}; it loads all the same`,
          }
        : each,
    );
    return [...softened, check('loading', 'ok', 'it was loaded, and is gone again')];
  }
  const isExplained = checks.some(({ blocks }) => blocks !== null);
  // What is missing was said already, in fewer words than the kernel's.
  if (isExplained) return [...checks, check('loading', 'warning', `not possible: ${problem.message}`)];
  const hint = problem.code === 'verifier-refused' ? 'netkit verify OBJ explains it' : problem.hint;
  const blocks = problem.code === 'not-permitted' ? 'user' : 'kernel';
  return [...checks, blocking('loading', blocks, `${problem.message} (Linux ${kernelRelease()})`, hint)];
}
