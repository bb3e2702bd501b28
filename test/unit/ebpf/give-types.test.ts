import { expect, it } from 'vitest';
import { explainTypes } from '../../../src/ebpf/give-types.js';
import { errnoNumber, SysError } from '../../../src/sys/errno.js';
import { BtfBuilder } from '../../support/btf-builder.js';

function blob(build: (btf: BtfBuilder) => void): Uint8Array {
  const btf = new BtfBuilder();
  btf.int('int', 4, { signed: true });
  build(btf);
  return btf.bytes();
}
const refusal = (errno: 'EINVAL' | 'EPERM' | 'ENOMEM') =>
  new SysError('give types to the kernel', errnoNumber(errno));

it.each<[string, string, readonly [number, number], (btf: BtfBuilder) => void]>([
  ['float', '5.13', [5, 12], (btf) => btf.float('double', 8)],
  ['decl_tag', '5.16', [5, 15], (btf) => btf.declTag('t', btf.struct('s', 0, []))],
  ['type_tag', '5.17', [5, 16], (btf) => btf.typeTag('user', 1)],
  ['enum64', '6.0', [5, 19], (btf) => btf.enum64('wide', { all: 2n ** 64n - 1n })],
  ['signed enum', '6.0', [5, 19], (btf) => btf.enum('e', { minus: -1 }, { signed: true })],
])(
  'a %s that the kernel refuses is said to have come with Linux %s',
  (what, since, [major, minor], build) => {
    const bytes = blob(build);
    const before = explainTypes(refusal('EINVAL'), bytes, { major, minor, patch: 0 });
    expect(before).toMatchObject({ code: 'unsupported', details: { kind: what } });
    expect(before).toMatchObject({
      message: expect.stringContaining(
        `a ${what}, which this kernel does not know: it came with Linux ${since}, this is`,
      ),
    });
    const [next, patch] = since.split('.').map(Number);
    expect(
      explainTypes(refusal('EINVAL'), bytes, { major: next ?? 0, minor: patch ?? 0, patch: 0 }),
    ).toMatchObject({ code: 'bad-value', message: 'the kernel refuses the types of keys and values' });
  },
);

it('other refusals of types are told as what they are', () => {
  const bytes = blob(() => undefined);
  expect(explainTypes(refusal('EPERM'), bytes)).toMatchObject({ code: 'not-permitted' });
  const failure = refusal('ENOMEM');
  expect(explainTypes(failure, bytes)).toBe(failure);
});
