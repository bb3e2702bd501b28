import { describe, expect, it } from 'vitest';
import { TextLines } from '../../../src/cli/watch/lines.js';
import { EventBatch } from '../../../src/ebpf/event-batch.js';
import { codecForWord } from '../../../src/obj/codec/index.js';
import { codecOfType } from '../obj/codec/support.js';

describe('changes as text', () => {
  it('have their keys in one column, whatever the first of them is called', () => {
    const lines = new TextLines(codecForWord('u64'), codecForWord('ipv4'));
    const text = (['added', 'changed', 'removed'] as const).map((kind) =>
      lines.change({ kind, key: '10.0.0.1', before: undefined, now: 5n }).toString(),
    );
    expect(text).toEqual(['added    10.0.0.1  5\n', 'changed  10.0.0.1  5\n', 'removed  10.0.0.1  5\n']);
  });
});

describe('records as text', () => {
  it('stand under their titles, as wide as their types may need', () => {
    const codec = codecOfType((btf, c) =>
      btf.struct('drop', 16, [
        { name: 'time', type: c.u64, offset: 0 },
        { name: 'saddr', type: c.u32, offset: 8 },
        { name: 'port', type: c.u32, offset: 12 },
      ]),
    );
    const view = new DataView(new ArrayBuffer(32));
    codec.encodeText('time=1,saddr=10.9.0.2,port=4', view, 0);
    codec.encodeText('time=18446744073709551615,saddr=255.255.255.255,port=4294967295', view, 16);
    const source = {
      view,
      codec,
      offsets: new Uint32Array([0, 16]),
      sizes: new Uint32Array([16, 16]),
      typedSize: 16,
      lease: 0,
    };
    const text = Buffer.from(new TextLines(codec).records(new EventBatch(source, 2))).toString();
    expect(text.split('\n')).toEqual([
      'TIME                  SADDR            PORT',
      '1                     10.9.0.2         4',
      '18446744073709551615  255.255.255.255  4294967295',
      '',
    ]);
  });
});
