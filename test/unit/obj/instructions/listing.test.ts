import { describe, expect, it } from 'vitest';
import { objectNames, objectSpec } from '../fixtures.js';

describe('the listing of a program that is not loaded', () => {
  it('has the program, then its subprograms as loading appends them, by their names', () => {
    const listing = objectSpec('subprograms').listing('calls');
    expect(listing.map(({ name }) => name)).toEqual(['calls', 'c', 'd', 'a', 'b']);
    expect(listing.map(({ declaration }) => declaration)).toEqual([
      'int calls(struct xdp_md *ctx)',
      'static int c(int x)',
      'static int d(int x)',
      'int a(int x)',
      'static int b(int x)',
    ]);
    const calls = listing.flatMap(({ instructions }) =>
      instructions.map(({ text }) => text).filter((text) => text.startsWith('call ')),
    );
    const at = (name: string) => `call ${name} <${listing.find((each) => each.name === name)?.start}>`;
    expect(calls).toEqual([
      at('c'),
      at('a'),
      at('d'),
      'call bpf_get_prandom_u32',
      'call bpf_get_prandom_u32',
      at('b'),
      at('c'),
      'call bpf_get_prandom_u32',
      at('d'),
      'call bpf_get_prandom_u32',
    ]);
  });

  it('names a function whose address is taken', () => {
    const [program, callback] = objectSpec('subprograms').listing('calls_back');
    expect(program?.instructions.map(({ text }) => text)).toContain(
      `r2 = function callback <${callback?.start}>`,
    );
  });

  it('agrees with the source lines that the verifier is explained by', () => {
    const spec = objectSpec('subprograms');
    const instructions = spec.listing('calls').flatMap((each) => each.instructions);
    const named = instructions.filter(({ line }) => line !== undefined);
    expect(named.length).toBeGreaterThan(4);
    for (const { index, line } of named) expect(spec.sourceLine('calls', index)).toEqual(line);
  });

  it('names maps and the sections of global variables', () => {
    const spec = objectSpec('globals');
    const texts = spec.programs.flatMap(({ name }) =>
      spec.listing(name).flatMap(({ instructions }) => instructions.map(({ text }) => text)),
    );
    expect(
      texts.filter((text) => /^r\d = map\[\.(rodata|bss|data)\]\[0\]\+\d+$/.test(text)).length,
    ).toBeGreaterThan(1);
    const pinned = objectSpec('pinned');
    const [program] = pinned.programs;
    const [map] = pinned.maps;
    expect(
      pinned.listing(program?.name ?? '').flatMap((each) => each.instructions.map(({ text }) => text)),
    ).toContain(`r1 = map[${map?.name}]`);
  });

  it.each(objectNames.filter((name) => name !== 'bigendian'))(
    'of %s counts the instructions as the object does, and knows them all',
    (name) => {
      const spec = objectSpec(name);
      for (const program of spec.programs) {
        const [main] = spec.listing(program.name);
        expect(main?.instructions.reduce((sum, { slots }) => sum + slots, 0)).toBe(program.instructionCount);
        for (const { instructions } of spec.listing(program.name))
          for (const { text } of instructions) expect(text).not.toMatch(/^unknown|helper#|kernel-function#/);
      }
    },
  );

  it('has no lines, but all else, for an object without BTF', () => {
    const spec = objectSpec('nobtf');
    const [main] = spec.listing(spec.programs[0]?.name ?? '');
    expect(main?.instructions.length).toBeGreaterThan(1);
    expect(main?.instructions.filter(({ line }) => line !== undefined)).toEqual([]);
    expect(main?.name).toBe(spec.programs[0]?.name);
  });

  it('is none for a program that is not there', () => {
    expect(() => objectSpec('pass').listing('nothing')).toThrow(/no program 'nothing'/);
  });
});
