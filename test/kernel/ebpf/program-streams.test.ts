import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoadedObject } from '../../../src/ebpf/loaded-object.js';
import { type StreamLine, streamLines } from '../../../src/ebpf/program-streams.js';
import { streamWriting } from '../../../src/ebpf/stream-probe.js';
import { atLeast } from '../../../src/host/kernel.js';
import { errnoNumber } from '../../../src/sys/errno.js';
import { expectUnchanged, type KernelState, snapshotKernelState } from '../../support/kernel-state.js';
import { loadSource } from '../../support/load-source.js';
import { describeAsRoot } from '../../support/requirements.js';

const noMemory = -errnoNumber('ENOMEM');

describeAsRoot(
  'the streams of a program',
  () => {
    let before: KernelState;
    let object: LoadedObject;
    beforeAll(async () => {
      before = snapshotKernelState();
      object = await loadSource(
        'test/fixtures/streams.bpf.c',
        {},
        atLeast(7, 0) ? ['IMPLICIT_ARGUMENT'] : [],
      );
    });
    afterAll(async () => {
      object[Symbol.dispose]();
      await expectUnchanged(before);
    });

    /** What came within half a second. */
    async function lines(): Promise<StreamLine[]> {
      const found: StreamLine[] = [];
      for await (const line of streamLines([object.program('writes')], AbortSignal.timeout(500)))
        found.push(line);
      return found;
    }

    it('are read where programs can write to them, and refused with the reason where they cannot', async () => {
      const program = object.program('writes');
      const wrote = program.testRun({ data: new Uint8Array(64) }).verdict | 0;
      if (!atLeast(6, 17)) {
        expect(wrote).toBe(99);
        await expect(lines()).rejects.toMatchObject({
          code: 'unsupported',
          message: expect.stringMatching(/came with Linux 6\.17/),
        });
      } else if (wrote === noMemory) {
        await expect(lines()).rejects.toMatchObject({
          code: 'unsupported',
          message: expect.stringMatching(/get ENOMEM/),
        });
      } else {
        expect(wrote).toBe(0);
        expect((await lines()).map(({ stream, text }) => [stream, text])).toEqual([
          ['stdout', 'saw 64 bytes'],
          ['stderr', 'saw 64 bytes'],
        ]);
        expect(await lines()).toEqual([]);
      }
    });

    it('are tried by a program that says the same, and of which nothing stays', () => {
      const wrote = object.program('writes').testRun({ data: new Uint8Array(64) }).verdict | 0;
      const expected = wrote === noMemory ? 'no-memory' : wrote === 0 ? 'works' : 'unknown';
      expect(streamWriting()).toBe(expected);
    });
  },
  { tools: ['clang'] },
);
