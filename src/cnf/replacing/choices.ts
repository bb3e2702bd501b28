/** What was chosen when a function was loaded, taken over to its successor. */
import type { ObjectSpec } from '../../obj/spec.js';
import type { Choices } from '../load-function.js';
import type { FunctionState } from '../state.js';

/** What is chosen anew; what is left out stays as it was. */
export type GivenChoices = Pick<Choices, 'globals' | 'mapSizes' | 'reuse' | 'targets' | 'only'>;

/**
 * The choices of the function with those that are given anew. What the new object has not is left out, with a note: what
 * is given by hand and is not there is an error later on.
 */
export function takeOver(
  { name, options }: Pick<FunctionState, 'name' | 'options'>,
  given: GivenChoices,
  spec: ObjectSpec,
  note: (text: string) => void,
): Choices {
  const maps = new Set(spec.maps.map((map) => map.name));
  const programs = new Set(spec.programs.map((program) => program.name));
  const still = <T>(
    recorded: Readonly<Record<string, T>>,
    has: (key: string) => boolean,
    what: string,
  ): Record<string, T> =>
    Object.fromEntries(
      Object.entries(recorded).filter(([key]) => {
        if (!has(key)) note(`the new object has no ${what} '${key}', for which '${name}' had an option`);
        return has(key);
      }),
    );
  // One that was its own before is kept as every other.
  const foreign = Object.entries(options.reuse).filter(([, reference]) => !reference.startsWith(`${name}/`));
  const targets = {
    ...still(options.targets ?? {}, (key) => programs.has(key), 'program'),
    ...given.targets,
  };
  return {
    globals: { ...still(options.globals, (key) => spec.globals.has(key), 'variable'), ...given.globals },
    mapSizes: { ...still(options.mapSizes, (key) => maps.has(key), 'map'), ...given.mapSizes },
    reuse: { ...still(Object.fromEntries(foreign), (key) => maps.has(key), 'map'), ...given.reuse },
    ...(Object.keys(targets).length === 0 ? {} : { targets }),
    only: given.only ?? chosenBefore(options.only, programs, name, note),
  };
}

function chosenBefore(
  only: readonly string[] | null,
  programs: ReadonlySet<string>,
  name: string,
  note: (text: string) => void,
): readonly string[] | null {
  if (only === null) return null;
  const left = only.filter((program) => programs.has(program));
  for (const program of only)
    if (!programs.has(program))
      note(`the new object has no program '${program}', which '${name}' was loaded with`);
  return left.length === 0 ? null : left;
}
