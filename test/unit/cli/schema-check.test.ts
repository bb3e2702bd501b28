import { describe, expect, it } from 'vitest';
import { expectValid } from '../../support/schema.js';

const version = { schemaVersion: 1, netkit: '0.1.0', node: '20', koffi: null, libbpf: '1.1', kernel: '6.1' };

describe("the tests' check of documents", () => {
  it('takes a document that the schema describes', () => {
    expect(() => expectValid('version', version)).not.toThrow();
  });

  it('refuses one with a field too many, too few, or of another type', () => {
    const { kernel: _kernel, ...fewer } = version;
    expect(() => expectValid('version', fewer)).toThrow(/not valid.*kernel/);
    expect(() => expectValid('version', { ...version, more: 1 })).toThrow(/not valid/);
    expect(() => expectValid('version', { ...version, netkit: 1 })).toThrow(/not valid/);
  });

  it('looks into lists, and at parts that may be null', () => {
    const check = { name: 'a', status: 'ok', blocks: null, message: 'b', hint: null };
    const document = {
      schemaVersion: 1,
      kernel: { release: 'r', machine: 'm' },
      object: null,
      checks: [check],
      hooks: [],
    };
    expect(() => expectValid('doctor', document)).not.toThrow();
    const { hint: _hint, ...without } = check;
    expect(() => expectValid('doctor', { ...document, checks: [without] })).toThrow(/not valid.*hint/);
  });

  it('does not change the document', () => {
    const copy = structuredClone(version);
    expectValid('version', copy);
    expect(copy).toEqual(version);
  });
});
