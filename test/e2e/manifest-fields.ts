/** Every field that a manifest may have, enumerated from its JSON Schema. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configuration } from '../../src/functions/firewall/configuration.js';
import { packageRoot } from '../../src/host/package-root.js';

const openField = 'NetworkFunction.spec.config';

interface Node {
  readonly type?: string | readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, Node>> | undefined;
  readonly additionalProperties?: Node | boolean | undefined;
  readonly items?: Node | undefined;
  readonly anyOf?: readonly Node[] | undefined;
  readonly required?: readonly string[] | undefined;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly $ref?: string | undefined;
}

const node: z.ZodType<Node> = z.lazy(() =>
  z.looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    properties: z.record(z.string(), node).optional(),
    additionalProperties: z.union([z.boolean(), node]).optional(),
    items: node.optional(),
    anyOf: z.array(node).optional(),
    required: z.array(z.string()).optional(),
    const: z.unknown().optional(),
    enum: z.array(z.unknown()).optional(),
    $ref: z.string().optional(),
  }),
);

/**
 * The fields without fields below them, such as `NetworkFunction.spec.maps.*.maxEntries`. What may be one of several things
 * has all of them, each with a word in parentheses: `spec.program(source).source`, `spec.globals.*(list)`.
 */
export function manifestFields(): string[] {
  const file = join(packageRoot(), 'schemas/manifest.schema.json');
  const schema = node.parse(JSON.parse(readFileSync(file, 'utf8')));
  const kinds = (schema.anyOf ?? []).flatMap((document) =>
    below(document, String(document.properties?.kind?.const)),
  );
  return [...kinds, ...configFields()];
}

/** Those of the built-in firewall's configuration, which the manifest's schema leaves open. */
function configFields(): string[] {
  const schema = node.parse(z.toJSONSchema(configuration.schema, { target: 'draft-2020-12', io: 'input' }));
  return below(schema, openField);
}

function below(schema: Node, path: string): string[] {
  const { anyOf, properties, items, additionalProperties, $ref } = schema;
  if ($ref === '#/$defs/Value') return ['text', 'list', 'mapping'].map((kind) => `${path}(${kind})`);
  if ($ref !== undefined) throw new Error(`${path} refers to ${$ref}`);
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([name, member]) => below(member, `${path}.${name}`));
  if (anyOf !== undefined) return anyOf.flatMap((each) => below(each, `${path}(${kindOf(each)})`));
  if (items !== undefined) return below(items, `${path}[]`);
  if (typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0)
    return below(additionalProperties, `${path}.*`);
  // Each built-in function says what is in it.
  if (path === openField) return [];
  return [path];
}

/** What tells an alternative from the others. */
function kindOf({ type, required, enum: words }: Node): string {
  if (words !== undefined) return 'word';
  if (type === 'array') return 'list';
  if (type === 'object') return required?.[0] ?? 'mapping';
  return 'text';
}
