import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ExportedDocument } from '../../../../src/cnf/declared/export.js';
import { besideFiles, manifestText, typedDocument } from '../../../../src/cnf/declared/export-text.js';
import type { FunctionDocument } from '../../../../src/cnf/manifest/schema.js';

function documentWith(
  spec: Partial<FunctionDocument['spec']>,
): ExportedDocument & { document: FunctionDocument } {
  return {
    document: {
      ...{ apiVersion: 'netkit/v1', kind: 'NetworkFunction' },
      metadata: { name: '123', labels: { release: '10' } },
      spec: { program: { object: '/out/f.bpf.o' }, ...spec },
    },
    notes: [],
  };
}

describe('the text of an exported manifest', () => {
  it('has numbers where the text of a value counts, whole, and text where a name is meant', () => {
    const globals = { limit: '18446744073709551615', port: '80', mask: '0x10', code: '010', word: 'true' };
    const entries = { '10.0.0.0/8': { action: 'drop', tag: '-1' } };
    const text = manifestText([documentWith({ globals, maps: { rules: { entries } } })]);
    expect(text).toContain('  name: "123"\n');
    expect(text).toContain(
      '    limit: 18446744073709551615\n    port: 80\n    mask: "0x10"\n    code: "010"\n    word: "true"\n',
    );
    expect(text).toContain('        10.0.0.0/8:\n          action: drop\n          tag: -1\n');
  });

  it('leaves what YAML types by itself as it is', () => {
    const typed = typedDocument(
      documentWith({ attach: [{ hook: 'xdp', priority: 5, direct: true }] }).document,
    );
    expect(typed).toMatchObject({ spec: { attach: [{ priority: 5, direct: true }] } });
  });

  it('is a document each, with remarks as comments above', () => {
    const one = { ...documentWith({}), notes: ['two\nlines'] };
    const text = manifestText([one, documentWith({})]);
    expect(text.startsWith('# two lines\napiVersion: netkit/v1\n')).toBe(true);
    expect(parseAllDocuments(text)).toHaveLength(2);
  });

  it('is the same text for the same documents', () => {
    expect(manifestText([documentWith({})])).toBe(manifestText([documentWith({})]));
  });

  it('names the files that were written relative to their folder, and no others', () => {
    const maps = { rules: { from: '/out/f-rules.csv' }, others: { from: '/elsewhere.csv' } };
    const [found] = besideFiles([documentWith({ maps })], '/out', ['/out/f.bpf.o', '/out/f-rules.csv']);
    expect(found?.document.spec).toEqual({
      program: { object: './f.bpf.o' },
      maps: { rules: { from: './f-rules.csv' }, others: { from: '/elsewhere.csv' } },
    });
  });
});
