/** Which program of an object is meant. */
import { NetkitError } from '../../../base/errors.js';
import { suggestion } from '../../../base/suggest.js';
import type { ObjectSpec } from '../../../obj/spec.js';

/**
 * The program of that name, or the only one that runs on packets.
 * @throws NetkitError `not-found`, `usage`, `unsupported`
 */
export function chosenProgram(
  spec: ObjectSpec,
  named: string | undefined,
  runsOnPackets: (type: string) => boolean,
): string {
  const able = spec.programs.filter(({ type }) => runsOnPackets(type)).map(({ name }) => name);
  if (named !== undefined) {
    const found = spec.programs.find(({ name }) => name === named);
    if (found === undefined) {
      throw new NetkitError('not-found', `'${spec.name}' has no program '${named}'`, {
        hint: suggestion(
          named,
          spec.programs.map(({ name }) => name),
        ),
      });
    }
    if (able.includes(named)) return named;
    throw new NetkitError('unsupported', `'${named}' is of type ${found.type}, which runs on no packets`);
  }
  const [only] = able;
  if (only !== undefined && able.length === 1) return only;
  if (only === undefined)
    throw new NetkitError('unsupported', `'${spec.name}' has no program that runs on packets`);
  throw new NetkitError(
    'usage',
    `'${spec.name}' has ${able.length} programs: which one is meant is not said`,
    {
      hint: `name one behind a slash: ${able.join(', ')}`,
    },
  );
}
