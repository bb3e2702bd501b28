import { describe, expect, it } from 'vitest';
import { ordersByPart, parseFieldOrders, type TypedPart } from '../../../src/cli/field-orders.js';
import { objectSpec } from '../obj/fixtures.js';
import { refusal } from './refusal.js';

describe('--field', () => {
  it('reads MEMBER=ORDER', () => {
    expect(parseFieldOrders(['port=be16', 'tuple.addr=be32'])).toEqual({
      port: 'be16',
      'tuple.addr': 'be32',
    });
    expect(parseFieldOrders([])).toEqual({});
  });

  it.each([
    [['port'], /'port' is not MEMBER=ORDER/],
    [['=be16'], /'=be16' is not MEMBER=ORDER/],
    [[''], /'' is not MEMBER=ORDER/],
    [['port='], /'' is no byte order for port/],
    [['port=be8'], /'be8' is no byte order/],
    [['port=BE16'], /'BE16' is no byte order/],
    [['port=be16', 'port=be32'], /port is given twice/],
  ])('refuses %j', (given, says) => {
    expect(refusal(() => parseFieldOrders(given))).toMatchObject({
      code: 'usage',
      message: expect.stringMatching(says),
    });
  });

  describe('of a map with struct flow keys and struct counters values', () => {
    const typed = flows();

    it('finds the part that has the member', () => {
      expect(ordersByPart({ sport: 'be16' }, typed)).toEqual({ key: { sport: 'be16' }, value: {} });
      expect(ordersByPart({ packets: 'be64' }, typed)).toEqual({ key: {}, value: { packets: 'be64' } });
      expect(ordersByPart({ 'key.sport': 'be16', 'value.bytes': 'be64' }, typed)).toEqual({
        key: { sport: 'be16' },
        value: { bytes: 'be64' },
      });
    });

    it('means both where both have it', () => {
      const [key] = typed;
      if (key === undefined) throw new Error('no key');
      const twice = [key, { ...key, part: 'value' as const }];
      expect(ordersByPart({ sport: 'be16' }, twice)).toEqual({
        key: { sport: 'be16' },
        value: { sport: 'be16' },
      });
      expect(ordersByPart({ 'value.sport': 'be16' }, twice)).toEqual({ key: {}, value: { sport: 'be16' } });
    });

    it('refuses a member that is not there, is wider, or is in the other part', () => {
      const port = refusal(() => ordersByPart({ port: 'be16' }, typed));
      expect(port).toMatchObject({ code: 'bad-value', hint: "did you mean 'sport'?" });
      expect(port.message).toMatch(
        /key \(struct flow\) and the value \(struct counters\).*'port' of 16 bits/,
      );
      expect(refusal(() => ordersByPart({ sport: 'be32' }, typed)).message).toMatch(/'sport' of 32 bits/);
      expect(refusal(() => ordersByPart({ 'value.sport': 'be16' }, typed)).code).toBe('bad-value');
    });

    it('refuses any member of a map without types', () => {
      expect(refusal(() => ordersByPart({ sport: 'be16' }, [])).hint).toMatch(/--key-type/);
    });
  });
});

function flows(): TypedPart[] {
  const { btf, maps } = objectSpec('maps');
  const map = maps.find(({ name }) => name === 'flows');
  if (btf === undefined || map?.keyType === undefined || map.valueType === undefined)
    throw new Error('the fixture has no typed map flows');
  return [
    { part: 'key', type: { btf, id: map.keyType } },
    { part: 'value', type: { btf, id: map.valueType } },
  ];
}
