/**
 * What is known of a built-in function beyond its object: the configuration that a manifest may give it (`spec.config`),
 * and what follows from it for globals and maps. Here no function is known by name: whoever knows them hands in a list.
 */
import type * as z from 'zod/mini';
import { check } from './manifest/issues.js';
import type { Value } from './manifest/schema.js';

/** A built-in function that takes a configuration. */
export interface FunctionKind {
  /** What comes after `builtin:`. */
  readonly name: string;
  /** Its configuration; loading that costs time, also for zod. */
  readonly configuration: () => Promise<Configuration>;
}

export interface Configuration {
  /** Closed, and described field by field: documentation and JSON Schema follow from it. */
  readonly schema: z.ZodMiniType;
  /** What a configuration means, or all that is wrong with it. */
  readonly resolve: (config: unknown) => ConfigReading;
}

/** What a configuration says in the terms of the object. What it leaves open is not there. */
export interface ResolvedConfig {
  readonly globals: Readonly<Record<string, string>>;
  readonly maps: Readonly<Record<string, ConfiguredMap>>;
}

export interface ConfiguredMap {
  readonly maxEntries?: number;
  /** By the texts of their keys. */
  readonly entries?: Readonly<Record<string, Value>>;
}

/** What is wrong with a configuration. */
export interface ConfigProblem {
  /** Below `spec.config`. */
  readonly path: readonly (string | number)[];
  /** A whole sentence, as those of the manifest's own schemas. */
  readonly message: string;
}

export type ConfigReading =
  | { readonly problems: readonly ConfigProblem[] }
  | { readonly problems: null; readonly resolved: ResolvedConfig };

/** The configuration of a schema, which checks all that there is to check, and what follows from it. */
export function configurationOf<S extends z.ZodMiniType>(
  schema: S,
  resolve: (config: z.output<S>) => ResolvedConfig,
): Configuration {
  return {
    schema,
    resolve: (config) => {
      const read = check(schema, config);
      return 'value' in read
        ? { problems: null, resolved: resolve(read.value) }
        : { problems: read.mistakes };
    },
  };
}
