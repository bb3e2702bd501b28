import { expect, it } from 'vitest';
import { UserRing } from '../../../src/ebpf/user-ring.js';
import { codecFor } from '../../../src/obj/codec/index.js';
import { thrownBy } from '../../support/events.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { loadSource } from '../../support/load-source.js';
import { describeAsRoot } from '../../support/requirements.js';

describeAsRoot(
  'user ring buffers',
  () => {
    it('hand records to programs in order, say when they are full, and go round', async () => {
      await leavingNothing(async () => {
        using object = await loadSource('test/fixtures/user-ring.bpf.c');
        const { btf } = object.spec;
        const type = btf?.find('order', 'struct');
        if (btf === undefined || type === undefined) throw new Error('no struct order');
        const codec = codecFor(btf, type.id);
        using ring = new UserRing(object.map('orders'), codec);
        const run = () => object.program('drain').testRun({ data: new Uint8Array(64) }).verdict;
        let pushed = 0;
        let sum = 0n;
        let refused = 0;
        for (let round = 0; round < 40; round++) {
          for (let index = 0; index < 100 + 10 * round; index++) {
            if (!ring.push({ number: pushed + 1, kind: 7 })) {
              refused += 1;
              break;
            }
            pushed += 1;
            sum += BigInt(pushed);
          }
          expect(run()).toBe(0);
        }
        // 16 bytes each: 256 fit.
        expect(refused).toBeGreaterThan(10);
        expect(object.map('.bss').get(0)).toMatchObject({
          sum,
          taken: pushed,
          last: { number: pushed, kind: 7 },
        });
        expect(() => ring.push({ number: -1 })).toThrow(/number/);
        expect(thrownBy(() => new UserRing(object.map('.bss'), codec))).toMatchObject({
          code: 'unsupported',
        });
        ring[Symbol.dispose]();
        expect(() => ring.push({ number: 1 })).toThrow(TypeError);
      });
    });
  },
  { kernelHas: ['user-ringbuf'] },
);
