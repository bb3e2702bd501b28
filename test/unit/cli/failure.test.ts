import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { reportFailure } from '../../../src/cli/failure.js';
import { manifestError } from '../../../src/cnf/manifest/problems.js';
import { FakeIo } from './fake-io.js';

const plain = { json: false, jsonStrings: false, debug: false };
const problem = (line: number, path: string) => ({
  file: line === 3 ? null : 'fw.yaml',
  line,
  column: 7,
  path,
  message: `expected text, not ${line}`,
  expected: 'text',
});

describe('a wrong manifest', () => {
  it('is told on a terminal with all mistakes, one a line, where an editor finds the place', () => {
    const io = new FakeIo();
    const error = manifestError([problem(1, 'spec.a'), problem(2, ''), problem(3, 'spec["\x1b[2J"]')]);
    expect(reportFailure(io, error, plain)).toBe(1);
    expect(io.err.split('\n')).toEqual([
      'netkit: fw.yaml:1:7: spec.a: expected text, not 1',
      'fw.yaml:2:7: expected text, not 2',
      expect.stringMatching(/^<stdin>:3:7: spec\[".*\[2J"\]: expected text, not 3$/),
      '',
    ]);
    expect(io.err).not.toContain('\x1b');
    expect(error.message).toBe('fw.yaml:1:7: spec.a: expected text, not 1 and 2 more');
  });

  it('with a single mistake is one line', () => {
    const io = new FakeIo();
    reportFailure(io, manifestError([problem(1, 'spec.a')]), plain);
    expect(io.err).toBe('netkit: fw.yaml:1:7: spec.a: expected text, not 1\n');
  });

  it('is told in JSON with all mistakes as data', () => {
    const io = new FakeIo();
    reportFailure(io, manifestError([problem(1, 'spec.a'), problem(3, '')]), { ...plain, json: true });
    expect(JSON.parse(io.err).error).toEqual({
      code: 'bad-manifest',
      message: 'fw.yaml:1:7: spec.a: expected text, not 1 and 1 more',
      hint: null,
      details: { problems: [problem(1, 'spec.a'), problem(3, '')], count: 2 },
    });
  });

  it('has lines of its own only where its details are of that form', () => {
    const io = new FakeIo();
    reportFailure(io, new NetkitError('failed', 'it broke', { details: { problems: ['a', 'b'] } }), plain);
    expect(io.err).toBe('netkit: it broke\n');
  });
});
