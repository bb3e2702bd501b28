/** The configuration of a built-in function, in the terms of its object. */
import type { ConfiguredMap, FunctionKind } from '../function-kind.js';
import type { FunctionDocument } from '../manifest/schema.js';
import type { Problems } from './problems.js';

export type ConfiguredMaps = Readonly<Record<string, ConfiguredMap>>;

export interface Configured {
  readonly globals: Readonly<Record<string, string>>;
  readonly maps: ConfiguredMaps;
}

const nothing: Configured = { globals: {}, maps: {} };

/** What `spec.config` means; nothing without one, and where it is wrong. */
export async function resolveConfig(
  { config, program }: FunctionDocument['spec'],
  kinds: readonly FunctionKind[],
  problems: Problems,
): Promise<Configured> {
  if (config === undefined || !('builtin' in program)) return nothing;
  const kind = kinds.find(({ name }) => name === program.builtin);
  if (kind === undefined) {
    problems.add(['spec', 'config'], `the function '${program.builtin}' takes no configuration`);
    return nothing;
  }
  const reading = (await kind.configuration()).resolve(config);
  if (reading.problems === null) return reading.resolved;
  for (const { path, message } of reading.problems) problems.add(['spec', 'config', ...path], message);
  return nothing;
}
