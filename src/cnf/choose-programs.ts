/** Which programs of a function an `attach` means, and where each of them goes. */
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { sectionMeaning } from '../obj/sections.js';
import type { AttachPlace } from './attach-function.js';
import type { HookEntry, HookFamily, HookOption, StatedProgram } from './hooks/family.js';
import { allFamilies, hookNamed, naturalHook, sectionTarget } from './hooks/index.js';
import type { FamilyName } from './link-state.js';
import type { FunctionState } from './state.js';
import type { Where } from './targets/namespace.js';

/** A program and where it goes. */
export interface Chosen {
  readonly program: StatedProgram;
  readonly entry: HookEntry;
  readonly family: HookFamily;
  /** As the command line or else the section has it; empty where the hook needs none. */
  readonly target: string;
}

/** What tells an option on the command line, and what it is for. */
const optionMeanings: Readonly<Record<HookOption, { readonly long: string; readonly purpose: string }>> = {
  mode: { long: '--mode', purpose: 'XDP' },
  proceedOn: { long: '--proceed-on', purpose: 'XDP' },
  direct: { long: '--direct', purpose: 'XDP' },
  family: { long: '--family', purpose: 'netfilter' },
  stage: { long: '--stage', purpose: 'netfilter' },
  priority: { long: '--priority', purpose: 'hooks that run several programs in order' },
  place: {
    long: '--first, --last, --before or --after',
    purpose: 'hooks that run several programs in order',
  },
  defrag: { long: '--defrag', purpose: 'netfilter' },
  cookie: { long: '--cookie', purpose: 'probes and tracepoints' },
  pid: { long: '--pid', purpose: 'probes in programs and libraries' },
  takeOver: { long: '--take-over', purpose: 'sk_reuseport' },
};

/** Why there is no such order. */
const orderHints: Partial<Record<FamilyName, string>> = {
  tc: 'tc orders its filters by their priority alone: use --priority',
};

/** @throws NetkitError `not-found`, `usage`, `unsupported` */
export function choosePrograms(state: FunctionState, request: AttachPlace, where: Where): Chosen[] {
  const chosen =
    request.program === undefined
      ? allThatGoThere(state, request, where)
      : [placed(programNamed(state, request.program), request)];
  checkOptions(chosen, request);
  return chosen;
}

/** @throws NetkitError `not-found` */
export function programNamed(state: FunctionState, named: string): StatedProgram {
  const program = state.programs.find(({ name }) => name === named);
  if (program !== undefined) return program;
  throw new NetkitError('not-found', `function '${state.name}' has no program '${named}'`, {
    hint: suggestion(
      named,
      state.programs.map(({ name }) => name),
    ),
  });
}

/** Every program whose hook takes the target. */
function allThatGoThere(state: FunctionState, request: AttachPlace, where: Where): Chosen[] {
  const able = state.programs.filter((program) => goesSomewhere(program, request));
  const fitting = ofWhatExists(
    able.filter((program) => couldGoTo(program, request)),
    request,
    where,
  );
  if (fitting.length > 0) return fitting.map((program) => placed(program, request));
  // What keeps it from going there is told of the only one that could have been meant.
  const [only] = able.length > 0 ? able : state.programs;
  if (only !== undefined && (able.length === 1 || state.programs.length === 1))
    return [placed(only, request)];
  if (request.target === undefined && able.length > 0) throw targetMissing(able, request);
  throw new NetkitError('usage', `function '${state.name}' has no program for ${thePlace(request)}`, {
    hint: `its programs: ${state.programs.map(({ name, section }) => `${name} (${section})`).join(', ')}`,
  });
}

function thePlace({ hook, target }: AttachPlace): string {
  return hook ?? (target === undefined ? 'any hook' : `the target '${target}'`);
}

function goesSomewhere(program: StatedProgram, { hook }: AttachPlace): boolean {
  if (hook === undefined) return naturalHook(program) !== undefined;
  const entry = hookNamed(hook)?.entry;
  return entry !== undefined && takes(entry, program);
}

/** Whether the hook is one for the program, by its type and by what it was loaded for. */
export function takes({ types, loadedFor }: HookEntry, { type, section }: StatedProgram): boolean {
  const attach: string | undefined = sectionMeaning(section)?.rule.attach;
  return types.includes(type) && (loadedFor === undefined || attach === loadedFor);
}

function couldGoTo(program: StatedProgram, request: AttachPlace): boolean {
  const family = familyFor(program, request);
  const own = sectionTarget(program);
  if (family === undefined) return false;
  if (request.target === undefined) return family.target.need === 'none' || own !== undefined;
  if (family.target.need === 'none') return false;
  return own === undefined ? family.target.couldBe(request.target) : own === request.target;
}

/** Words may have the form of an interface and of a kernel function: what is there is what was meant. */
function ofWhatExists(
  programs: readonly StatedProgram[],
  request: AttachPlace,
  where: Where,
): readonly StatedProgram[] {
  const { target } = request;
  const isNamed = (program: StatedProgram): boolean => sectionTarget(program) === target;
  const readers = new Set(programs.map((program) => familyFor(program, request)?.target));
  if (readers.size < 2 || target === undefined) return programs;
  const existing = new Set([...readers].filter((reader) => reader?.exists(target, where) === true));
  const real = programs.filter(
    (program) => isNamed(program) || existing.has(familyFor(program, request)?.target),
  );
  return real.length > 0 ? real : programs;
}

function familyFor(program: StatedProgram, { hook }: AttachPlace): HookFamily | undefined {
  return (hook === undefined ? naturalHook(program) : hookNamed(hook))?.family;
}

/** Where one program goes, which was named or is the only one. @throws NetkitError */
function placed(program: StatedProgram, request: AttachPlace): Chosen {
  const { name } = program;
  const { entry, family } = hookFor(program, request);
  const { need, noun } = family.target;
  if (need === 'none' && request.target !== undefined) {
    throw new NetkitError('usage', `'${name}' goes to ${entry.hook}, which takes no target`, {
      hint: 'leave it out; --netns names the network namespace',
    });
  }
  const own = sectionTarget(program);
  if (need === 'fixed' && request.target !== undefined && request.target !== own) {
    throw new NetkitError(
      'usage',
      `'${name}' was loaded for ${own ?? entry.hook}, and cannot be attached to '${request.target}'`,
      { hint: 'leave the target out' },
    );
  }
  const target = request.target ?? own;
  if (target === undefined && need === 'required')
    throw new NetkitError('usage', `attach needs a target: ${noun}`);
  return { program, entry, family, target: target ?? '' };
}

function hookFor(
  program: StatedProgram,
  request: AttachPlace,
): { readonly entry: HookEntry; readonly family: HookFamily } {
  const { name, section, type } = program;
  const { hook: wanted } = request;
  if (wanted !== undefined) {
    const found = hookNamed(wanted);
    if (found !== undefined && takes(found.entry, program)) return found;
    if (found?.entry.types.includes(type) === true) {
      throw new NetkitError(
        'usage',
        `program '${name}' was loaded for '${section}': it cannot go to ${wanted}`,
      );
    }
    throw new NetkitError('usage', `program '${name}' is of type ${type}: it cannot go to ${wanted}`);
  }
  const natural = naturalHook(program);
  if (natural !== undefined) return natural;
  const possible = allFamilies()
    .flatMap(({ hooks }) => hooks)
    .filter((entry) => takes(entry, program))
    .map(({ hook }) => hook);
  if (possible.length > 0) {
    throw new NetkitError('usage', `the section '${section}' of program '${name}' tells no hook`, {
      hint: `add --hook ${oneOf(possible)}`,
    });
  }
  throw new NetkitError('unsupported', `programs of section '${section}' (type ${type}) are not attached`, {
    hint: otherWay.find(([pattern]) => pattern.test(section))?.[1],
    details: { program: name, section, type },
  });
}

/** What becomes of programs that are not attached. */
const otherWay: readonly (readonly [RegExp, string])[] = [
  [/^syscall$/, "it runs when it is asked to: 'netkit prog run'"],
  [/^struct_ops/, "the table that it is in is attached: 'netkit attach FUNCTION/TABLE'"],
];

function oneOf(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

function targetMissing(programs: readonly StatedProgram[], request: AttachPlace): NetkitError {
  const nouns = programs.flatMap((program) => familyFor(program, request)?.target.noun ?? []);
  return new NetkitError('usage', `attach needs a target: ${oneOf([...new Set(nouns)])}`);
}

/** Of one family alone: beside it, the other programs of a function may be attached by the same command. */
const ownOptions: ReadonlySet<HookOption> = new Set(['family', 'stage', 'defrag', 'cookie', 'pid']);

function checkOptions(chosen: readonly Chosen[], { options }: AttachPlace): void {
  for (const [option, value] of Object.entries(options ?? {}) as [HookOption, unknown][]) {
    if (value === undefined || value === 'auto') continue;
    const others = chosen.filter(({ family }) => !family.options.includes(option));
    const [other] = others;
    if (other === undefined || (ownOptions.has(option) && others.length < chosen.length)) continue;
    const { long, purpose } = optionMeanings[option];
    throw new NetkitError(
      'usage',
      `${long} is for ${purpose}; '${other.program.name}' goes to ${other.entry.hook}`,
      {
        hint: option === 'priority' || option === 'place' ? orderHints[other.family.family] : undefined,
      },
    );
  }
}
