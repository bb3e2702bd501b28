import { join } from 'node:path';
import { expect, it } from 'vitest';
import { explainLoadFailure } from '../../../src/ebpf/load-failure.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { errnoNumber, SysError } from '../../../src/sys/errno.js';
import { LibbpfFailure } from '../../../src/sys/libbpf-log.js';

it('a load that signals interrupted each time is no refusal, whatever the verifier had written by then', () => {
  const spec = ObjectSpec.readSync(join(packageRoot(), 'test/fixtures/objects/pass.bpf.o'));
  const failure = new LibbpfFailure(
    new SysError('load the object', errnoNumber('EAGAIN')),
    "libbpf: prog 'pass': BPF program load failed: Resource temporarily unavailable\n",
  );
  const error = explainLoadFailure(spec, failure, () => '0: (b7) r0 = 2\n');
  expect(error.code).toBe('failed');
  expect(error.message).toBe(
    "the verifier was interrupted by signals each time that it looked at program 'pass'",
  );
  expect(error.hint).toMatch(/profiler/);
});
