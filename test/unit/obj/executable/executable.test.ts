import { describe, expect, it } from 'vitest';
import {
  fileOffset,
  functionOffsets,
  isCode,
  readExecutable,
} from '../../../../src/obj/executable/executable.js';
import { usdtProbes } from '../../../../src/obj/executable/usdt.js';
import { makeExecutable, stapNote } from '../../../support/executable-file.js';

const code = { offset: 0x1000, address: 0x401000, size: 0x200, executable: true };
const data = { offset: 0x1200, address: 0x403200, size: 0x100, executable: false };

describe('an executable', () => {
  const bytes = makeExecutable({
    segments: [code, data],
    functions: [
      { name: 'start', address: 0x401010 },
      { name: 'start_of_all', address: 0x401020 },
      { name: 'twice', address: 0x401030 },
      { name: 'twice', address: 0x401040 },
    ],
    others: [{ name: 'start', address: 0x403210 }],
  });
  const executable = readExecutable(bytes, 'it');

  it('tells where in the file an address is, and what is code', () => {
    expect(fileOffset(executable, 0x401010)).toBe(0x1010);
    expect(fileOffset(executable, 0x403200)).toBe(0x1200);
    expect(fileOffset(executable, 0x500000)).toBeUndefined();
    expect(isCode(executable, 0x1010)).toBe(true);
    expect(isCode(executable, 0x1200)).toBe(false);
    expect(isCode(executable, 0xfff)).toBe(false);
  });

  it('has functions by their whole names, variables apart', () => {
    expect(functionOffsets(executable, 'start')).toEqual([0x1010]);
    expect(functionOffsets(executable, 'twice')).toEqual([0x1030, 0x1040]);
    expect(functionOffsets(executable, 'star')).toEqual([]);
    expect(functionOffsets(executable, 'start_of_all_that_is')).toEqual([]);
  });

  it('is neither another file, nor one that is cut short', () => {
    expect(() => readExecutable(Buffer.from('#!/bin/sh\n'), 'it')).toThrow(/^it: not an ELF file/);
    const small = Uint8Array.from(bytes);
    small[4] = 1;
    expect(() => readExecutable(small, 'it')).toThrow('it: not a 64-bit program or library');
    const object = Uint8Array.from(bytes);
    object[16] = 1;
    expect(() => readExecutable(object, 'it')).toThrow('it: neither a program nor a shared library');
    for (let length = 4; length < bytes.length; length += 61) {
      let thrown: unknown;
      try {
        functionOffsets(readExecutable(bytes.subarray(0, length), 'it'), 'start');
      } catch (error) {
        thrown = error;
      }
      expect(
        thrown === undefined || (thrown instanceof Error && 'code' in thrown && thrown.code === 'bad-object'),
      ).toBe(true);
    }
  });
});

describe('the probes of an executable', () => {
  const make = (base: { address: number; noted: number }) =>
    readExecutable(
      makeExecutable({
        segments: [code, data],
        functions: [],
        others: [],
        stapBase: base.address,
        notes: [
          stapNote({
            address: 0x401010,
            base: base.noted,
            semaphore: 0x403208,
            provider: 'p',
            name: 'n',
            text: '-4@%eax',
          }),
          stapNote({ address: 0x401050, base: base.noted, semaphore: 0, provider: 'p', name: 'n', text: '' }),
          stapNote({
            address: 0x401090,
            base: base.noted,
            semaphore: 0,
            provider: 'p',
            name: 'other',
            text: '8@%rax',
          }),
        ],
      }),
      'it',
    );

  it('are places in the file, with semaphores, several to a name', () => {
    expect(usdtProbes(make({ address: 0x2000, noted: 0x2000 }))).toEqual([
      {
        provider: 'p',
        name: 'n',
        places: [
          { offset: 0x1010, semaphore: 0x1208, arguments: '-4@%eax' },
          { offset: 0x1050, semaphore: 0, arguments: '' },
        ],
      },
      { provider: 'p', name: 'other', places: [{ offset: 0x1090, semaphore: 0, arguments: '8@%rax' }] },
    ]);
  });

  it('move with the file when it was linked anew', () => {
    const [probe] = usdtProbes(make({ address: 0x2010, noted: 0x2000 }));
    expect(probe?.places.map(({ offset }) => offset)).toEqual([0x1020, 0x1060]);
    expect(() => usdtProbes(make({ address: 0x900000, noted: 0x2000 }))).toThrow(/is in no part of the file/);
  });

  it('are none where there are no notes', () => {
    const bytes = makeExecutable({ segments: [code], functions: [], others: [] });
    expect(usdtProbes(readExecutable(bytes, 'it'))).toEqual([]);
  });
});
