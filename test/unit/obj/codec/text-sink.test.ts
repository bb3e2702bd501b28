import { expect, it } from 'vitest';
import { codecForWord, TextSink, TextSource } from '../../../../src/obj/codec/index.js';

it('a sink grows and keeps what is written, also through its view of several bytes', () => {
  const sink = new TextSink(0);
  const codec = codecForWord('u64', { littleEndian: true });
  const view = new DataView(new ArrayBuffer(8));
  let expected = '';
  for (let index = 0; index < 1000; index++) {
    view.setBigUint64(0, BigInt(index) << 40n, true);
    sink.reserve(codec.jsonLimit + 1);
    codec.writeJson(view, 0, sink);
    sink.ascii(',');
    expected += `${BigInt(index) << 40n},`;
  }
  sink.utf8('é€');
  sink.append(Buffer.from('end'));
  expect(Buffer.from(sink.view()).toString()).toBe(`${expected}é€end`);
  sink.clear();
  expect(sink.view()).toHaveLength(0);
});

it('a source of bytes within a larger buffer is read at its place', () => {
  const source = new TextSource(Buffer.from('9912399').subarray(2, 5));
  const view = new DataView(new ArrayBuffer(4));
  expect(codecForWord('u32', { littleEndian: true }).readJson(source, view, 0)).toBe(true);
  expect([view.getUint32(0, true), source.at]).toEqual([123, 3]);
});
