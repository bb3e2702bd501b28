import fc from 'fast-check';
import { hookNames } from '../../../../src/base/hook-names.js';
import type { Value } from '../../../../src/cnf/manifest/schema.js';

/** Arbitrary documents that are right. Values are text, as they are once they are read. */

const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/);
const word = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/).filter((text) => text !== '__proto__');
/** Everything that YAML can hold, and what it would take for something else. */
const anyText = fc.oneof(
  fc.constantFrom(
    '010',
    '1e3',
    'null',
    '~',
    'yes',
    'true',
    '0x1F',
    '- a',
    '# b',
    ': ',
    "it's",
    '"',
    '<<',
    '\n',
    ' x ',
    '{a}',
    '',
    'a: b',
    '18446744073709551616',
    '\u{1f600}',
    '\ufeff',
    '---',
    '*a',
    '!b',
    '&c',
    '%d',
    '@e',
    '`f',
    '\ta',
    'a\n  b\n',
    '\u0085\u2028',
  ),
  fc.string({ maxLength: 12 }).filter((text) => !/\p{Cc}/u.test(text)),
);
const text = anyText.filter((value) => value !== '');
/** No manifest has that key: it would set an object's prototype. */
const keyText = anyText.filter((key) => key !== '__proto__');
const nameText = keyText.filter((key) => key !== '');
const duration = fc
  .tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('ms', 's', 'm', 'h'))
  .map((parts) => parts.join(''));

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    anyText,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keyText, tie('value'), { maxKeys: 3 }),
  ),
}));

const named = <T>(names: fc.Arbitrary<string>, values: fc.Arbitrary<T>) =>
  fc.dictionary(names, values, { maxKeys: 3, noNullPrototype: true });
const some = <T>(elements: fc.Arbitrary<T>, minLength = 0) => fc.array(elements, { minLength, maxLength: 3 });

/** Of a record, those without `undefined`; the ones named are always there. */
function part<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }, ...requiredKeys: (keyof T)[]) {
  return fc.record(model, { requiredKeys, noNullPrototype: true });
}

const metadata = part({ name, labels: named(nameText, anyText) }, 'name');
const chosen = { only: some(text, 1), targets: named(nameText, text) };
const program = fc.oneof(
  part({ source: text, includes: some(text), defines: named(word, anyText), ...chosen }, 'source'),
  part({ object: text, ...chosen }, 'object'),
);
const builtin = part({ builtin: name, ...chosen }, 'builtin');
const entries = fc.oneof(named(keyText, value), some(part({ key: value, value }, 'key', 'value')));
const sized = { maxEntries: fc.integer({ min: 1, max: 0xffffffff }), keep: fc.boolean(), reuse: text };
const declaredMap = fc.oneof(
  part({ ...sized, exact: fc.constant(false) }),
  part({ ...sized, entries, exact: fc.boolean() }, 'entries'),
  part({ ...sized, from: text, exact: fc.boolean() }, 'from'),
);
const verdicts = some(fc.constantFrom('aborted', 'drop', 'pass', 'tx', 'redirect'));
const ifname = fc.stringMatching(/^[a-z][a-z0-9.]{0,14}$/);
const usual = {
  program: text,
  hook: fc.constantFrom(...hookNames.filter((each) => each !== 'netfilter')),
  netns: text,
  missing: fc.constantFrom('wait', 'fail'),
  mode: fc.constantFrom('native', 'generic', 'offload', 'auto'),
  priority: fc.integer({ min: 1, max: 65_535 }),
  proceedOn: verdicts,
  direct: fc.boolean(),
  place: fc.oneof(
    fc.constantFrom('first', 'last'),
    fc.record({ before: text }, { noNullPrototype: true }),
    fc.record({ after: text }, { noNullPrototype: true }),
  ),
  cookie: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  pid: fc.integer({ min: 1, max: 4_194_304 }),
};
const attachment = fc.oneof(
  part(
    {
      ...usual,
      interfaces: some(
        fc.oneof(
          ifname,
          ifname.map((each) => `${each}*`),
        ),
        1,
      ),
    },
    'program',
  ),
  part({ ...usual, target: text }, 'hook'),
  part(
    {
      hook: fc.constant('netfilter'),
      priority: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
      family: fc.constantFrom('ipv4', 'ipv6'),
      stage: fc.constantFrom('input', 'output'),
      defrag: fc.boolean(),
    },
    'hook',
  ),
);
const metric = part(
  {
    map: text,
    name: word,
    type: fc.constantFrom('counter', 'gauge'),
    labels: some(word.filter((label) => !label.startsWith('__'))),
    field: text,
    help: text,
  },
  'map',
  'name',
  'type',
);
const probe = fc.oneof(
  part(
    { map: text, key: value, field: text, op: fc.constantFrom('==', '!=', '<', '<=', '>', '>='), value },
    'map',
    'key',
    'op',
    'value',
  ),
  part({ command: some(anyText, 1), timeout: duration }, 'command'),
);
const common = {
  globals: named(nameText, value),
  maps: named(nameText, declaredMap),
  attach: some(attachment),
  metrics: some(metric),
  health: part({ probe, settle: duration, interval: duration }),
};
const configuration = named(keyText, fc.jsonValue({ maxDepth: 2 }).filter(hasNoOddNumbers));

const functions = fc.record(
  {
    apiVersion: fc.constant('netkit/v1'),
    kind: fc.constant('NetworkFunction'),
    metadata,
    spec: fc.oneof(
      part({ program, ...common }, 'program'),
      part({ program: builtin, config: configuration, ...common }, 'program'),
    ),
  },
  { noNullPrototype: true },
);
const member = fc.oneof(name, part({ name, program: text, proceedOn: verdicts }, 'name'));
const chains = fc.record(
  {
    apiVersion: fc.constant('netkit/v1'),
    kind: fc.constant('Chain'),
    metadata,
    spec: part(
      {
        interface: ifname,
        hook: fc.constantFrom(...hookNames),
        netns: text,
        mode: usual.mode,
        functions: fc.uniqueArray(member, {
          minLength: 1,
          maxLength: 10,
          selector: (each) => (typeof each === 'string' ? each : each.name),
        }),
      },
      'interface',
      'hook',
      'functions',
    ),
  },
  { noNullPrototype: true },
);

/** Any document that is right. */
export const documents: fc.Arbitrary<object> = fc.oneof(functions, chains);

/** JSON has no -0, and a manifest no number that is not exact; nor is there a key that sets a prototype. */
function hasNoOddNumbers(json: unknown): boolean {
  const written = JSON.stringify(json, (_, each: unknown) =>
    Object.is(each, -0) || (typeof each === 'number' && Math.abs(each) > Number.MAX_SAFE_INTEGER)
      ? '!odd'
      : each,
  );
  return !/!odd|__proto__/.test(written) && !/[\u007f-\u009f]/.test(written);
}
