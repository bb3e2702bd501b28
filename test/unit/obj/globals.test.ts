import { describe, expect, test } from 'vitest';
import { objectBytes, objectSpec } from './fixtures.js';

describe('global variables', () => {
  test('are listed with section, type and place', () => {
    const { globals } = objectSpec('globals');
    expect(globals.list().map(({ name }) => name)).toEqual([
      ...[
        'small',
        'negative',
        'port',
        'rate',
        'offset',
        'budget',
        'floor64',
        'enabled',
        'default_action',
        'verbosity',
      ],
      ...[
        'label',
        'mac',
        'weights',
        'limits',
        'hidden',
        'tuned',
        'generation',
        'open_ports',
        'epoch',
        'apart',
      ],
      ...['total', 'seen', 'last_action'],
    ]);
    expect(globals.spec('rate')).toMatchObject({
      section: '.rodata',
      typeName: '__u32',
      offset: 4,
      size: 4,
      constant: true,
    });
    expect(globals.spec('weights').typeName).toBe('__u32[4]');
    expect(globals.spec('hidden')).toMatchObject({ section: '.rodata', constant: true });
    expect(globals.spec('epoch')).toMatchObject({ section: '.data', constant: false });
    expect(globals.spec('tuned').section).toBe('.rodata.tuning');
  });

  test.each([
    ['small', 200],
    ['negative', -5],
    ['port', 8080],
    ['offset', -100_000],
    ['budget', 18446744073709551615n],
    ['floor64', -9223372036854775808n],
    ['enabled', true],
    ['default_action', 'DROP'],
    ['verbosity', 'LOW'],
    ['label', 'edge'],
    ['weights', [1, 2, 3, 4]],
    ['hidden', 42],
    ['tuned', 9],
    ['epoch', 1n << 40n],
    ['total', 0n],
    ['last_action', 'PASS'],
  ])('%s has the value of the C source', (name, value) => {
    expect(objectSpec('globals').globals.get(name)).toEqual(value);
  });

  test('are read as structs by member, bit fields included', () => {
    expect(objectSpec('globals').globals.get('limits')).toEqual({
      rate: 10,
      over: 'COUNT',
      ports: [
        { first: 1, last: 2 },
        { first: 3, last: 4 },
      ],
      flags: 5,
      kind: 17,
    });
  });
});

describe('setting a global variable', () => {
  test.each([
    ['small', '0xff', 255],
    ['negative', '-128', -128],
    ['budget', '18446744073709551615', 18446744073709551615n],
    ['enabled', 'false', false],
    ['default_action', 'PASS', 'PASS'],
    ['default_action', '7', 'COUNT'],
    ['label', 'core', 'core'],
    ['mac', '02:00:00:00:00:02', '02:00:00:00:00:02'],
    ['weights', '[9,8,7,6]', [9, 8, 7, 6]],
    ['hidden', '43', 43],
    ['tuned', '10', 10],
    ['generation', '4', 4],
    ['total', '5', 5n],
  ])('%s=%s is what loading will see', (name, text, value) => {
    const { globals } = objectSpec('globals');
    globals.set(name, text);
    expect(globals.get(name)).toEqual(value);
  });

  test('takes values as well as text', () => {
    const { globals } = objectSpec('globals');
    globals.set('budget', 3n);
    globals.set('enabled', false);
    globals.set('open_ports', { first: 1, last: 2 });
    expect([globals.get('budget'), globals.get('enabled'), globals.get('open_ports')]).toEqual([
      3n,
      false,
      { first: 1, last: 2 },
    ]);
  });

  test('changes its own bytes in the image of its section, and nothing else', () => {
    const { globals, bytes } = objectSpec('globals');
    const original = objectSpec('globals');
    globals.set('port', '443');
    globals.set('seen', '[true,false,true,false]');
    expect([...globals.changes().keys()]).toEqual(['.rodata', '.bss']);
    const rodata = globals.changes().get('.rodata') ?? new Uint8Array();
    expect(rodata).toHaveLength(108);
    expect([...rodata.subarray(0, 8)]).toEqual([200, 251, 443 & 0xff, 443 >> 8, 0xe8, 3, 0, 0]);
    expect([...(globals.changes().get('.bss') ?? [])]).toEqual([...Array(8).fill(0), 1, 0, 1, 0, 0, 0, 0, 0]);
    for (const { name } of globals) {
      if (name !== 'port' && name !== 'seen') expect(globals.get(name)).toEqual(original.globals.get(name));
    }
    expect(bytes).toEqual(objectBytes('globals'));
  });

  test('leaves no changes behind when nothing was set', () => {
    const { globals } = objectSpec('globals');
    globals.get('rate');
    expect(globals.changes().size).toBe(0);
  });

  test.each([
    ['small', '256', /small.*256.*255/],
    ['small', '-1', /small.*-1/],
    ['port', '65536', /port.*65535/],
    ['negative', '128', /negative.*127/],
    ['budget', '18446744073709551616', /budget/],
    ['enabled', 'perhaps', /enabled/],
    ['default_action', 'DORP', /default_action.*DORP/],
    ['label', 'seventeen letters', /label/],
    ['weights', '[1,2,3,4,5]', /weights/],
  ])('%s=%s is refused, and changes nothing', (name, text, message) => {
    const { globals } = objectSpec('globals');
    expect(() => globals.set(name, text)).toThrow(
      expect.objectContaining({ code: 'bad-value', message: expect.stringMatching(message) }),
    );
    expect(globals.changes().size).toBe(0);
  });

  test('by an unknown name is refused with the name that was probably meant', () => {
    const { globals } = objectSpec('globals');
    for (const attempt of [() => globals.set('ratee', '1'), () => globals.get('ratee')]) {
      expect(attempt).toThrow(
        expect.objectContaining({
          code: 'not-found',
          message: "there is no global variable 'ratee'",
          hint: "did you mean 'rate'?",
        }),
      );
    }
  });

  test('needs BTF', () => {
    expect(() => objectSpec('nobtf').globals.set('drop_all', 'true')).toThrow(
      expect.objectContaining({ code: 'not-found', hint: 'the object has no BTF, which names them' }),
    );
  });
});
