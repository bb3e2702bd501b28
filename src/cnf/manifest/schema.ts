/** The documents of a manifest: closed, so that a slip of the finger is an error and never a field without effect. */
import * as z from 'zod/mini';
import { functionName } from '../names.js';
import { attachment, hook, mode, netns, program, verdicts } from './attachment-schema.js';
import { declaredMap } from './map-schema.js';
import { health, metric } from './operation-schema.js';
import {
  field,
  interfaceName,
  isRecord,
  listOf,
  matching,
  maybe,
  namedBy,
  path,
  type Rule,
  ruled,
  text,
  valueSchema,
  written,
} from './schema-parts.js';

export const apiVersion = 'netkit/v1';
/** As many as libxdp's dispatcher has slots. */
const mostMembers = 10;

const name = matching(
  functionName,
  'a name of lower-case letters, digits, - and _ (63 at most, a letter or digit first)',
);

const metadata = z.strictObject(
  {
    name: field(
      name,
      'What it is called. Functions and chains share one set of names: lower-case letters, digits, `-` and `_`.',
    ),
    labels: maybe(
      namedBy(text('the name of a label'), written(), 'labels (a mapping)'),
      'Texts of your own, by name. netkit shows them and gives them no meaning.',
    ),
  },
  'a mapping with a name',
);

const chosenPrograms = {
  only: maybe(
    listOf(program, 'a list of programs').check(z.minLength(1, 'a list with at least one program')),
    'Load these programs of the object alone.',
  ),
  targets: maybe(
    namedBy(program, text('what a program is loaded for'), 'targets by program (a mapping)'),
    'What tracing programs are loaded for, by program: a function of the kernel, or one of another program.',
  ),
};

const programSource = z.union(
  [
    z.strictObject({
      source: field(path, 'The C file to compile. Relative paths are relative to the manifest.'),
      includes: maybe(
        listOf(path, 'a list of folders'),
        'Further folders to look for headers in, before those of netkit and the system.',
      ),
      defines: maybe(
        namedBy(
          matching(/^[A-Za-z_]\w*$/, 'the name of a macro'),
          written('the text of a macro'),
          'macros (a mapping)',
        ),
        'Macros for the compiler, by name, as `-D` has them.',
      ),
      ...chosenPrograms,
    }),
    z.strictObject({
      object: field(path, 'The object file to load. Relative paths are relative to the manifest.'),
      ...chosenPrograms,
    }),
    z.strictObject({
      builtin: field(name, 'A function that comes with netkit, such as `firewall`.'),
      ...chosenPrograms,
    }),
  ],
  "exactly one of 'source', 'object' and 'builtin'",
);

const configNeedsBuiltin: Rule = {
  broken: ({ config, program: from }) =>
    config !== undefined && isRecord(from) && from.builtin === undefined
      ? { path: ['config'], message: "'config' is for built-in functions ('program: {builtin: NAME}')" }
      : undefined,
  json: {
    anyOf: [{ not: { required: ['config'] } }, { properties: { program: { required: ['builtin'] } } }],
  },
};

const functionSpec = ruled(
  z.strictObject(
    {
      program: field(
        programSource,
        'Where the programs come from: exactly one of a C source, an object file and a function that comes with netkit.',
      ),
      globals: maybe(
        namedBy(text('the name of a variable'), valueSchema, 'values by variable (a mapping)'),
        'Values of global variables, by name, set before the programs are loaded.',
      ),
      maps: maybe(
        namedBy(text('the name of a map'), declaredMap, 'maps by name (a mapping)'),
        'What is declared of maps, by name: sizes, contents, and what becomes of those. Other maps are as the object has them.',
      ),
      attach: maybe(listOf(attachment, 'a list of attachments'), 'Where the programs attach.'),
      config: maybe(
        z.record(z.string(), z.unknown(), 'a configuration (a mapping)'),
        'The configuration of a built-in function, which says what it may hold.',
      ),
      metrics: maybe(listOf(metric, 'a list of metrics'), 'Numbers in maps that are shown as metrics.'),
      health: maybe(health, 'What tells whether the function works.'),
    },
    'a mapping with a program',
  ),
  configNeedsBuiltin,
);

const chainMember = z.union(
  [
    name,
    z.strictObject({
      name: field(name, 'The function.'),
      program: maybe(program, 'Which of its programs. May be left out when it has one for the hook.'),
      proceedOn: maybe(
        verdicts,
        'The verdicts upon which the next member runs. The default is what the object says, or else `pass`.',
      ),
    }),
  ],
  'the name of a function, or {name, program, proceedOn}',
);

const uniqueMembers: Rule = {
  broken: ({ functions }) => {
    const index = firstDouble(functions);
    return index === undefined
      ? undefined
      : { path: ['functions', index], message: 'this function is in the chain already' };
  },
  // Doubles of which one is a name and the other a mapping are beyond JSON Schema.
  json: { properties: { functions: { uniqueItems: true } } },
};

const chainSpec = ruled(
  z.strictObject(
    {
      interface: field(interfaceName, 'The interface that the functions are on.'),
      hook: field(hook, 'The hook that they share.'),
      netns: maybe(
        netns,
        'The network namespace of the interface, by name or path. Left out: the one that netkit runs in.',
      ),
      mode: maybe(mode, 'For XDP: how the chain is attached, as for an attachment.'),
      functions: field(
        listOf(chainMember, 'a list of functions').check(
          z.minLength(1, 'a list with at least one function'),
          z.maxLength(mostMembers, `a list of at most ${mostMembers} functions`),
        ),
        `The functions in their order, ${mostMembers} at most: names, or mappings that say more. None of them may attach there by itself.`,
      ),
    },
    'a mapping with an interface, a hook and functions',
  ),
  uniqueMembers,
);

const version = field(
  z.literal(apiVersion, `'${apiVersion}'`),
  'The version of this form. Later releases of netkit go on reading it.',
);

export const functionDocument = z.strictObject({
  apiVersion: version,
  kind: field(z.literal('NetworkFunction'), 'A function: programs with their maps and attachments.'),
  metadata: field(metadata, 'Its name, and labels of your own.'),
  spec: field(functionSpec, 'What it is to be.'),
});

export const chainDocument = z.strictObject({
  apiVersion: version,
  kind: field(z.literal('Chain'), 'Several functions on one interface, in order.'),
  metadata: field(metadata, 'Its name, and labels of your own.'),
  spec: field(chainSpec, 'What it is to be.'),
});

/** What tells the two apart, for documents that are neither. */
export const documentHead = z.looseObject(
  { apiVersion: version, kind: z.enum(['NetworkFunction', 'Chain'], "'NetworkFunction' or 'Chain'") },
  'a mapping with apiVersion, kind, metadata and spec',
);

export type FunctionDocument = z.infer<typeof functionDocument>;
export type ChainDocument = z.infer<typeof chainDocument>;
export type Document = FunctionDocument | ChainDocument;
export type Attachment = z.infer<typeof attachment>;
export type DeclaredProgram = z.infer<typeof programSource>;
export type ChainMember = z.infer<typeof chainMember>;
export { type DeclaredMap, type InlineEntries, mostInlineEntries } from './map-schema.js';
export type { Health, Metric, Probe } from './operation-schema.js';
export type { Value } from './schema-parts.js';

function firstDouble(members: unknown): number | undefined {
  if (!Array.isArray(members)) return undefined;
  const seen = new Set<unknown>();
  for (const [index, member] of members.entries()) {
    const called: unknown = isRecord(member) ? member.name : member;
    if (called !== undefined && seen.has(called)) return index;
    seen.add(called);
  }
  return undefined;
}
