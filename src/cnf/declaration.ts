/** What is remembered of a function beside its programs and links when a manifest declares it: its generations. */
import * as z from 'zod/mini';

const objectFile = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}-[0-9a-f]{12}\.bpf\.o$/, 'no name of a stored object'));
const entriesFile = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}-[0-9a-f]{12}\.entries$/, 'no name of stored entries'));

const keptFile = z
  .string()
  .check(z.regex(/^[a-z0-9][a-z0-9_-]{0,62}@[^/\0]+\.kept$/, 'no name of kept entries'));

/** Files in the state directory that belong to one function. */
export const storedFile = z.union([objectFile, entriesFile, keptFile]);

/** The object file that a function was loaded from, and its copy in the state directory. */
export const storedObject = z.strictObject({ path: z.string(), file: objectFile, sha256: z.string() });

/** What was chosen when it was loaded, by the texts of the command line. */
export const loadOptions = z.strictObject({
  globals: z.record(z.string(), z.string()),
  mapSizes: z.record(z.string(), z.int()),
  only: z.nullable(z.array(z.string())),
  reuse: z.record(z.string(), z.string()),
  /** What tracing programs were loaded for, as `load --target` has it; not there when no program was named. */
  targets: z.optional(z.record(z.string(), z.string())),
});

/** What tells whether a file is still the one that was read. */
const fileIdentity = z.strictObject({
  path: z.string(),
  size: z.int(),
  mtimeNs: z.string(),
  sha256: z.string(),
});

/** What an object was compiled from, so that it is compiled again only when something of it has changed. */
const builtFrom = z.strictObject({
  inputs: z.array(fileIdentity),
  compiler: z.string(),
  flags: z.array(z.string()),
});

/** The entries that were declared for a map, in a file of the state directory. */
const storedEntries = z.strictObject({
  file: entriesFile,
  count: z.int(),
  /** The file that they were read from; null for those in the manifest. */
  from: z.nullable(fileIdentity),
});

/** A link that the declaration asked for, and how it asked. */
const declaredLink = z.strictObject({
  name: z.string(),
  /** What tells its place from the function's other ones. */
  place: z.string(),
  /** What tells its interface from a later one of the same name; null where it is on none. */
  interface: z.nullable(z.string()),
  /** The options of the attachment, as they were declared. */
  options: z.record(z.string(), z.unknown()),
  /** The chain that asked for it. */
  chain: z.nullable(z.string()),
});

export const generation = z.strictObject({
  number: z.int().check(z.gte(1)),
  /** When its programs took over, ISO 8601. */
  since: z.string(),
  /** The generation that a rollback brought back as this one. */
  from: z.nullable(z.int()),
  /** The manifest's document, as it was read. */
  document: z.record(z.string(), z.unknown()),
  /** What relative paths in it are relative to. */
  folder: z.string(),
  object: storedObject,
  options: loadOptions,
  builtFrom: z.nullable(builtFrom),
  /** By map. */
  entries: z.record(z.string(), storedEntries),
});

/** `present` is the generation that runs; `former` are those that a rollback can bring back, the latest last. */
export const declaration = z.strictObject({
  /** The absolute path of the manifest; null for standard input. */
  manifest: z.nullable(z.string()),
  present: generation,
  former: z.array(generation),
  links: z.array(declaredLink),
});

export type Declaration = z.infer<typeof declaration>;
export type Generation = z.infer<typeof generation>;
export type BuiltFrom = z.infer<typeof builtFrom>;
export type FileIdentity = z.infer<typeof fileIdentity>;
export type StoredEntries = z.infer<typeof storedEntries>;
export type DeclaredLink = z.infer<typeof declaredLink>;
