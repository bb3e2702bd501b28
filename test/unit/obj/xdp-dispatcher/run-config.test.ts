import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ObjectSpec } from '../../../../src/obj/spec.js';
import { actionsOf, parseVerdicts, verdictsOf } from '../../../../src/obj/xdp-dispatcher/actions.js';
import { readRunConfig } from '../../../../src/obj/xdp-dispatcher/run-config.js';
import { versionInTypes } from '../../../../src/obj/xdp-dispatcher/version.js';

const path = new URL('../../../fixtures/objects/chain.bpf.o', import.meta.url);
const { btf } = ObjectSpec.parse(new Uint8Array(readFileSync(path)));

describe('what an object says of a place in a chain', () => {
  it.each([
    // xdp-loader shows the same: XDP_DROP,XDP_PASS for the first, XDP_TX for the second.
    ['member_11', 7, ['drop', 'pass']],
    ['a_member_with_a_long_name_b', 8, ['tx']],
    ['member_1', 50, ['pass']],
    ['no_such_program', 50, ['pass']],
  ])('is read for %s', (name, priority, proceedOn) => {
    expect(readRunConfig(btf, name)).toEqual({ priority, proceedOn });
  });

  it('is the default without BTF', () => {
    expect(readRunConfig(undefined, 'member_11')).toEqual({ priority: 50, proceedOn: ['pass'] });
    expect(versionInTypes(undefined)).toBeUndefined();
    expect(versionInTypes(btf)).toBeUndefined();
  });
});

describe('verdicts upon which a chain goes on', () => {
  it('are bits, and that of an empty slot is always set', () => {
    expect(actionsOf([])).toBe(0x80000000);
    expect(actionsOf(['pass', 'drop', 'pass'])).toBe(0x80000006);
    expect(verdictsOf(0x8000001f)).toEqual(['aborted', 'drop', 'pass', 'tx', 'redirect']);
    expect(verdictsOf(0x80000000)).toEqual([]);
  });

  it('are read from words, also as the kernel spells them', () => {
    expect(parseVerdicts('tx, pass')).toEqual(['pass', 'tx']);
    expect(parseVerdicts('XDP_DROP')).toEqual(['drop']);
    expect(parseVerdicts('none')).toEqual([]);
    expect(() => parseVerdicts('pas')).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('pass') }),
    );
    expect(() => parseVerdicts('')).toThrow(/is no verdict/);
  });
});
