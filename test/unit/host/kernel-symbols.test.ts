import { describe, expect, it } from 'vitest';
import { KernelSymbols } from '../../../src/host/kernel-symbols.js';

const text = [
  'ffffffff81000000 T _text',
  'ffffffff81000000 T _stext',
  'ffffffff81234560 T __bpf_call_base',
  'ffffffff81234570 t htab_map_lookup_elem',
  'ffffffffc0000010 t helper_of_module\t[nf_conntrack]',
  'ffffffffc0025bb8 t bpf_prog_e398a76bf3b30c8c_c\t[bpf]',
  '',
].join('\n');

describe('the symbols of the kernel', () => {
  const symbols = new KernelSymbols(text);

  it('are found by name, those of modules too', () => {
    expect(symbols.address('_text')).toBe(0xffffffff81000000n);
    expect(symbols.address('__bpf_call_base')).toBe(0xffffffff81234560n);
    expect(symbols.address('helper_of_module')).toBe(0xffffffffc0000010n);
    expect(symbols.address('call_base')).toBeUndefined();
    expect(symbols.address('.*')).toBeUndefined();
  });

  it('are found by address, the first of several, and by nothing but their first byte', () => {
    expect(symbols.at(0xffffffff81000000n)).toBe('_text');
    expect(symbols.at(0xffffffff81234570n)).toBe('htab_map_lookup_elem');
    expect(symbols.at(0xffffffffc0025bb8n)).toBe('bpf_prog_e398a76bf3b30c8c_c');
    expect(symbols.at(0xffffffff81234571n)).toBeUndefined();
  });

  it('have no address where the kernel hides them', () => {
    const hidden = new KernelSymbols(text.replaceAll(/^\w{16}/gm, '0'.repeat(16)));
    expect(hidden.address('_text')).toBeUndefined();
    expect(hidden.at(0n)).toBeUndefined();
  });

  it('are none where there is no text', () => {
    expect(new KernelSymbols('').address('_text')).toBeUndefined();
  });
});
