/** What a manifest may say of the built-in firewall: `bpf/firewall.bpf.c`. */
import * as z from 'zod/mini';
import { formatAddress, type Prefix, parsePrefix } from '../../base/address.js';
import { NetkitError } from '../../base/errors.js';
import { type ConfiguredMap, configurationOf, type ResolvedConfig } from '../../cnf/function-kind.js';
import { mostInlineEntries } from '../../cnf/manifest/schema.js';
import { isRecord, listOf, matching, maybe, oneOf, whole } from '../../cnf/manifest/schema-parts.js';

/** Text that may be a prefix; whether it is one, `parsePrefix` knows. */
const prefixLike = /^[0-9a-fA-F.:]+(\/[0-9]{1,3})?$/;
const prefixes = listOf(
  matching(prefixLike, "a prefix such as '10.0.0.0/8' or '2001:db8::/32'"),
  'a list of prefixes',
).check(
  z.maxLength(
    mostInlineEntries,
    `at most ${mostInlineEntries} prefixes: more come from a file, by 'from' of the map`,
  ),
);

const lists = ['block', 'allow'] as const;
const actions = { block: 'drop', allow: 'pass' } as const;
/** The maps of the object, and what their prefixes are called. */
const families = [
  { family: 4, map: 'blocklist_v4', called: 'IPv4' },
  { family: 6, map: 'blocklist_v6', called: 'IPv6' },
] as const;

const fields = z.strictObject(
  {
    defaultAction: maybe(
      oneOf(['pass', 'drop'], 'one of the actions'),
      'What becomes of IP packets whose source is in none of the prefixes; `pass` when left out.',
    ),
    block: maybe(
      prefixes,
      'Drop what comes from these prefixes, IPv4 or IPv6; a bare address stands for itself. Of several prefixes that hold an address the longest decides.',
    ),
    allow: maybe(
      prefixes,
      'Let through what comes from these prefixes: exceptions within what `block` names, or from `defaultAction: drop`.',
    ),
    maxEntries: maybe(
      whole(1, 0xffffffff),
      'How many prefixes of each family there is room for; 65536 when left out.',
    ),
  },
  'a configuration of the firewall (a mapping)',
);

const schema = fields.check(
  z.check<unknown>(
    (payload) => {
      const { value } = payload;
      if (!isRecord(value)) return;
      for (const { path, message } of problems(value)) {
        const issue = { code: 'custom', params: { sentence: true }, continue: true } as const;
        payload.issues.push({ ...issue, path, message, input: value });
      }
    },
    // Also when a field is wrong by itself: all that is wrong is said at once.
    { when: () => true },
  ),
);

export const configuration = configurationOf(schema, resolve);

interface Problem {
  readonly path: (string | number)[];
  /** A whole sentence. */
  readonly message: string;
}

/** What the fields cannot tell each for itself. They may be wrong. */
function problems(config: Readonly<Record<string, unknown>>): Problem[] {
  const found: Problem[] = [];
  const places = new Map<string, string>();
  const counts = { 4: 0, 6: 0 };
  for (const list of lists) {
    const texts = config[list];
    if (!Array.isArray(texts)) continue;
    for (const [index, text] of texts.entries()) {
      // What looks like no prefix at all is the schema's to refuse.
      if (typeof text !== 'string' || !prefixLike.test(text)) continue;
      const path = [list, index];
      const prefix = prefixOf(text);
      if (prefix instanceof NetkitError) {
        found.push({ path, message: prefix.message });
        continue;
      }
      counts[prefix.family]++;
      const key = keyOf(prefix);
      const before = places.get(key);
      if (before === undefined) places.set(key, `${list}[${index}]`);
      else found.push({ path, message: `'${key}' is in ${before} already` });
    }
  }
  const { maxEntries } = config;
  for (const { family, called } of families) {
    if (typeof maxEntries !== 'number' || counts[family] <= maxEntries) continue;
    const message = `expected room for the ${counts[family]} ${called} prefixes of 'block' and 'allow', not for ${maxEntries}`;
    found.push({ path: ['maxEntries'], message });
  }
  return found;
}

function prefixOf(text: string): Prefix | NetkitError {
  try {
    return parsePrefix(text);
  } catch (error) {
    if (error instanceof NetkitError) return error;
    throw error;
  }
}

function keyOf({ bytes, length }: Prefix): string {
  return `${formatAddress(bytes)}/${length}`;
}

function resolve(config: z.infer<typeof schema>): ResolvedConfig {
  const { defaultAction, maxEntries } = config;
  const all = lists.flatMap((list) =>
    (config[list] ?? []).map((text) => ({ prefix: parsePrefix(text), action: actions[list] })),
  );
  const maps = families.flatMap(({ family, map }): [string, ConfiguredMap][] => {
    const own = all.filter(({ prefix }) => prefix.family === family);
    if (own.length === 0 && maxEntries === undefined) return [];
    // Counters and tag stay as they are: only the action is declared.
    const entries = Object.fromEntries(own.map(({ prefix, action }) => [keyOf(prefix), { action }]));
    return [
      [
        map,
        {
          ...(maxEntries === undefined ? {} : { maxEntries }),
          ...(own.length === 0 ? {} : { entries }),
        },
      ],
    ];
  });
  return {
    globals: defaultAction === undefined ? {} : { default_action: defaultAction },
    maps: Object.fromEntries(maps),
  };
}
