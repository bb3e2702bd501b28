/** What tracing programs are loaded for, where that is not what their sections say. */
import { NetkitError } from '../base/errors.js';
import type { LoadTarget } from '../ebpf/load.js';
import { sectionMeaning } from '../obj/sections.js';
import type { ObjectSpec } from '../obj/spec.js';
import type { World } from './environment.js';
import { openProgram } from './reference.js';

/** `FUNCTION` of the kernel, `FUNCTION@REF` or `@REF` of another program, by the programs' names. */
export type TargetTexts = Readonly<Record<string, string>>;

/**
 * Opens the programs that are named.
 * @throws NetkitError `not-found` for an unknown program, `usage` where no function is named
 */
export function openTargets(
  world: World,
  spec: ObjectSpec,
  texts: TargetTexts,
): ReadonlyMap<string, LoadTarget> {
  return new Map(
    Object.entries(texts).map(([name, text]) => {
      const { functionName, reference } = read(spec, name, text);
      const program =
        reference === undefined ? undefined : world.scope.use(openProgram(reference, world.bpffs));
      return [name, { functionName, program }];
    }),
  );
}

/** What a program is attached to then, as lists show it. */
export function loadedTarget(spec: ObjectSpec, name: string, text: string): string {
  const { functionName, reference } = read(spec, name, text);
  return reference === undefined ? functionName : `${functionName}@${reference}`;
}

/** The types of program that the kernel wants to have been loaded for one function or event. */
const loadedForOne: readonly string[] = ['tracing', 'ext', 'lsm'];

function read(
  spec: ObjectSpec,
  name: string,
  text: string,
): { readonly functionName: string; readonly reference: string | undefined } {
  const { section, type } = spec.program(name);
  if (!loadedForOne.includes(type)) {
    throw new NetkitError(
      'usage',
      `'${name}' (section ${section}) is loaded for no function: it takes no target`,
      {
        hint: 'fentry, fexit, fmod_ret, freplace, LSM and BTF-enabled tracepoint programs take one',
      },
    );
  }
  const at = text.indexOf('@');
  const written = at < 0 ? text : text.slice(0, at);
  const functionName = written === '' ? sectionMeaning(section)?.target : written;
  const reference = at < 0 ? undefined : text.slice(at + 1);
  if (functionName === undefined || reference === '') {
    throw new NetkitError('usage', `--target '${name}=${text}' names no function`, {
      hint: 'it is PROGRAM=FUNCTION for one of the kernel, or PROGRAM=FUNCTION@FUNCTION/PROGRAM for one of another program',
    });
  }
  return { functionName, reference };
}
