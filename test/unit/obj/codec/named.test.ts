import { describe, expect, it } from 'vitest';
import { addressKind } from '../../../../src/obj/codec/named.js';
import { codecOfType, hexOfText, refusal, valueOfHex } from './support.js';

describe('names that choose an address form', () => {
  it.each([
    'addr',
    'ip',
    'saddr',
    'daddr',
    'src_ip',
    'dst_ip',
    'srcIp',
    'ip4',
    'ipv4',
    'address',
    'nexthop',
    'next_hop_ip',
    'gateway',
    'gw',
    'addr2',
    'addr_v4',
    'v4',
    's_addr',
    'ipv4_src',
    'ipv4_dst',
    'remote_ip4',
    'local_ip4',
    'user_ip4',
    'vip',
    'backend_ip',
    'in_addr_t',
    'ip_addr_t',
    'netmask',
    'SADDR',
  ])('%s of four bytes is an IPv4 address', (name) => {
    expect(addressKind(name, 4)).toBe('ipv4');
  });

  it.each([
    'ip_proto',
    'ip_len',
    'ip_count',
    'addr_len',
    'addr_type',
    'ipv4_hits',
    'drops_v4',
    'src',
    'dst',
    'port',
    'clip',
    'ship',
    'skip',
    'tip',
    'zip',
    'counter',
    'mask',
    'id',
    '',
    'family',
    'address_count',
    'ipid',
    'addr_family',
    'src_port',
    'group',
  ])('%s of four bytes is a number', (name) => {
    expect(addressKind(name, 4)).toBeUndefined();
  });

  it('sixteen bytes are IPv6, six a MAC, other widths nothing', () => {
    for (const name of ['addr', 'ip6', 'ipv6', 'saddr', 'v6', 'daddr6', 'ipv6_src'])
      expect(addressKind(name, 16)).toBe('ipv6');
    for (const name of ['mac', 'h_dest', 'h_source', 'smac', 'dst_mac', 'mac_t', 'hwaddr', 'addr'])
      expect(addressKind(name, 6)).toBe('mac');
    expect(addressKind('machine', 6)).toBeUndefined();
    expect(addressKind('ip', 8)).toBeUndefined();
    expect(addressKind('data', 16)).toBeUndefined();
  });
});

describe('addresses', () => {
  const tuple = () =>
    codecOfType((btf, c) =>
      btf.struct('tuple', 56, [
        { name: 'saddr', type: c.be32, offset: 0 },
        { name: 'daddr', type: c.u32, offset: 4 },
        { name: 'gw', type: btf.array(c.u8, 4), offset: 8 },
        {
          name: 'in6',
          type: btf.struct('in6_addr', 16, [{ name: 'x', type: btf.array(c.u8, 16), offset: 0 }]),
          offset: 12,
        },
        { name: 'ip6', type: btf.array(c.u8, 16), offset: 28 },
        { name: 'h_dest', type: btf.array(c.u8, 6), offset: 44 },
        { name: 'sport', type: c.be16, offset: 50 },
        {
          name: 'in4',
          type: btf.struct('in_addr', 4, [{ name: 's_addr', type: c.be32, offset: 0 }]),
          offset: 52,
        },
      ]),
    );
  const value = {
    saddr: '10.0.0.1',
    daddr: '10.0.0.2',
    gw: '10.0.0.3',
    in6: '2001:db8::1',
    ip6: 'fe80::1',
    h_dest: '02:00:00:00:00:01',
    sport: 443,
    in4: '192.0.2.1',
  };
  const hex = `0a0000010a0000020a00000320010db8${'00'.repeat(11)}01fe80${'00'.repeat(13)}0102000000000101bbc0000201`;

  it('are text, their bytes as stored whatever the integer type says', () => {
    expect(valueOfHex(tuple(), hex)).toEqual(value);
    expect(hexOfText(tuple(), JSON.stringify(value))).toBe(hex);
  });

  it('refuse numbers, which could mean either byte order, and take hex', () => {
    expect(refusal(() => tuple().parse('{"saddr":167772161}'))).toBe(
      'value.saddr: 167772161 is not an address such as 10.0.0.1',
    );
    expect(refusal(() => tuple().parse('saddr=010.0.0.1'))).toBe(
      "value.saddr: '010.0.0.1' is not an IPv4 address: a part has a leading zero",
    );
    expect(refusal(() => tuple().parse('h_dest=1'))).toMatch("value.h_dest: '1' is not a MAC address");
    expect(tuple().parse('saddr=hex:0a000001')).toMatchObject({ saddr: '10.0.0.1' });
    expect(refusal(() => tuple().parse('saddr=hex:0a'))).toBe('value.saddr: hex:0a has 1 byte, __be32 has 4');
  });

  it('come from typedef names and variable names too', () => {
    expect(codecOfType((btf, c) => btf.typedef('ipv4_addr_t', c.u32)).describe()).toBe('10.0.0.1');
    expect(codecOfType((_, c) => c.u32, { name: 'server_ip' }).describe()).toBe('10.0.0.1');
    expect(codecOfType((_, c) => c.be32).describe()).toBe('be32');
    expect(codecOfType((_, c) => c.s32, { name: 'ip' }).describe()).toBe('s32');
  });

  it('in arrays are one each, unless the name says that four words are one IPv6 address', () => {
    const list = codecOfType((btf, c) => btf.array(c.be32, 2), { name: 'dns_ips' });
    expect(list.parse('["10.0.0.1"]')).toEqual(['10.0.0.1', '0.0.0.0']);
    expect(codecOfType((btf, c) => btf.array(c.be32, 4), { name: 'remote_ip6' }).parse('::1')).toBe('::1');
    expect(codecOfType((btf, c) => btf.array(c.be32, 4), { name: 'addr' }).parse('[]')).toEqual(
      Array(4).fill('0.0.0.0'),
    );
  });
});

describe('byte orders given by --field', () => {
  const build = (fieldOrders: Record<string, 'be16' | 'be32' | 'be64'>) =>
    codecOfType(
      (btf, c) => {
        const inner = btf.struct('inner', 4, [
          { name: 'port', type: c.u16, offset: 0 },
          { name: 'x', type: c.u16, offset: 2 },
        ]);
        return btf.struct('outer', 12, [
          { name: 'port', type: c.u16, offset: 0 },
          { name: 'list', type: btf.array(c.u16, 1), offset: 2 },
          { name: 'in', type: inner, offset: 4 },
          { name: 'addr', type: c.u32, offset: 8 },
        ]);
      },
      { fieldOrders },
    );
  const text = '{"port":1,"list":[1],"in":{"port":1}}';

  it('go by member name everywhere, or by path in one place', () => {
    expect(hexOfText(build({ port: 'be16' }), text)).toBe('000101000001000000000000');
    expect(hexOfText(build({ 'in.port': 'be16' }), text)).toBe('010001000001000000000000');
    expect(hexOfText(build({ list: 'be16' }), text)).toBe('010000010100000000000000');
  });

  it('go before an address name', () => {
    expect(build({ addr: 'be32' }).parse('addr=1')).toMatchObject({ addr: 1 });
  });

  it('that fit no member are refused', () => {
    expect(refusal(() => build({ prot: 'be16' }))).toBe(
      "struct outer has no integer member 'prot' to set a byte order for | did you mean 'port'?",
    );
    expect(refusal(() => build({ addr: 'be16' }))).toBe('addr has 4 bytes, be16 has 2');
  });
});

describe('prefix keys', () => {
  const key = (width: number) =>
    codecOfType(
      (btf, c) =>
        btf.struct('lpm', 4 + width, [
          { name: 'prefixlen', type: c.u32, offset: 0 },
          { name: 'data', type: btf.array(c.u8, width), offset: 4 },
        ]),
      { prefix: true, role: 'key' },
    );

  it.each([
    [4, '10.0.0.0/8', '080000000a000000'],
    [4, '0.0.0.0/0', '0000000000000000'],
    [16, '2001:db8::/32', `2000000020010db8${'00'.repeat(12)}`],
    [6, 'hex:0a0b0c000000/24', '180000000a0b0c000000'],
  ])('of %i bytes read and print %s', (width, text, hex) => {
    expect(hexOfText(key(width), text)).toBe(hex);
    expect(valueOfHex(key(width), hex)).toBe(text);
    expect(hexOfText(key(width), `hex:${hex}`)).toBe(hex);
  });

  it('take a bare address at full length, and the members of their struct', () => {
    expect(key(4).parse('10.0.0.1')).toBe('10.0.0.1/32');
    expect(key(16).parse('::1')).toBe('::1/128');
    expect(key(4).parse('{"prefixlen":8,"data":[10]}')).toBe('10.0.0.0/8');
    expect(key(4).parse('prefixlen=8,data=[10]')).toBe('10.0.0.0/8');
  });

  it('refuse host bits by the name of the network', () => {
    const meant = 'key: 10.1.0.0/8 has host bits set: did you mean 10.0.0.0/8?';
    expect(refusal(() => key(4).parse('10.1.0.0/8'))).toBe(meant);
    expect(refusal(() => key(4).parse('{"prefixlen":8,"data":[10,1]}'))).toBe(meant);
    expect(refusal(() => key(6).parse('hex:0a0b0c000001/24'))).toBe(
      'key: hex:0a0b0c000001/24 has host bits set: did you mean hex:0a0b0c000000/24?',
    );
  });

  it('refuse the other family, long lengths and wrong widths', () => {
    expect(refusal(() => key(4).parse('2001:db8::/32'))).toBe(
      "key: '2001:db8::/32' is IPv6, this key holds IPv4 prefixes",
    );
    expect(refusal(() => key(16).parse('10.0.0.0/8'))).toBe(
      "key: '10.0.0.0/8' is IPv4, this key holds IPv6 prefixes",
    );
    expect(refusal(() => key(4).parse('10.0.0.0/33'))).toMatch('a length of 33 is more than 32');
    expect(refusal(() => key(4).parse('prefixlen=33'))).toMatch('a prefix length of 33 is more than 32');
    expect(refusal(() => key(4).parse('hex:0a00'))).toBe('hex:0a00 has 2 bytes, the key (struct lpm) has 8');
    expect(refusal(() => key(4).parse('drop'))).toMatch("'drop' is not an IPv4 address");
    expect(refusal(() => codecOfType((_, c) => c.u64, { prefix: true }))).toMatch('is not a prefix key');
  });

  it('show host bits that another tool stored', () => {
    expect(valueOfHex(key(4), '080000000a010000')).toBe('10.1.0.0/8');
  });
});
