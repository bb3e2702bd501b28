import { expect, it } from 'vitest';
import { typesModule } from '../../../src/build/types-module.js';
import { load } from '../../../src/ebpf/load.js';
import { possibleCpus } from '../../../src/ebpf/possible-cpus.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { objectValues } from '../../../src/obj/value-types/object.js';
import { leavingNothing } from '../../support/kernel-state.js';
import { describeAsRoot } from '../../support/requirements.js';
import { whyNot } from '../../support/value-conformity.js';
import { globals } from '../../types/globals.types.js';
import { maps } from '../../types/maps.types.js';
import { objectPath } from '../../unit/obj/fixtures.js';

describeAsRoot(
  'an object that is loaded by its types',
  () => {
    it.each(['maps', 'globals', 'pinned', 'tc'] as const)(
      'has maps whose codecs give what the types say: %s',
      async (name) => {
        await leavingNothing(() => {
          const spec = ObjectSpec.readSync(objectPath(name));
          using object = load(spec);
          const values = objectValues(spec);
          expect(typesModule(spec).text).toContain('export type');
          for (const [map, { key, value }] of values.maps) {
            const loaded = object.map(map);
            const parts = [
              [key, loaded.keyCodec],
              [value, loaded.valueCodec],
            ] as const;
            for (const [type, codec] of parts) {
              if (type === undefined) continue;
              for (const byte of [0, 1, 200]) {
                const bytes = new DataView(new Uint8Array(codec.size).fill(byte).buffer);
                expect(whyNot(type, codec.decode(bytes, 0), map)).toBeUndefined();
              }
            }
          }
        });
      },
    );

    it('reads and writes entries as its types have it', async () => {
      await leavingNothing(() => {
        using object = load(ObjectSpec.readSync(objectPath('maps'), { types: maps }));
        const flows = object.map('flows');
        flows.set('10.0.0.1', 5n, 'noexist');
        flows.set({ saddr: '10.0.0.2', dport: 53 }, { bytes: 7n });
        expect(flows.get({ saddr: '10.0.0.1' })).toEqual({ packets: 5n, bytes: 0n });
        expect([...flows].map(([key, { bytes }]) => [key.saddr, key.dport, bytes]).sort()).toEqual([
          ['10.0.0.1', 0, 0n],
          ['10.0.0.2', 53, 7n],
        ]);
        expect(flows.get(flows.keyCodec.parse('saddr=10.0.0.2,dport=53'))?.bytes).toBe(7n);
        const prefixes = object.map('prefixes_v4');
        prefixes.set('10.0.0.0/8', 'DROP');
        prefixes.set('10.1.0.0/16', { action: 'PASS', note: 2 });
        expect(prefixes.lookup('10.1.2.3')).toEqual({ action: 'PASS', note: 2 });
        expect(prefixes.get('10.1.2.3')).toBeUndefined();
        object.map('percpu_counts').set(1, { packets: 2n });
        expect(object.map('percpu_counts').get(1)).toEqual(
          Array.from({ length: possibleCpus() }, () => ({ packets: 2n, bytes: 0n })),
        );
        object.map('queue').push(1n);
        object.map('queue').push(2n);
        expect([object.map('queue').peek(), object.map('queue').pop(), object.map('queue').pop()]).toEqual([
          1n,
          1n,
          2n,
        ]);
        expect(object.map('queue').pop()).toBeUndefined();
        object.map('filter').push(17);
        expect(object.map('filter').mayHave(17)).toBe(true);
      });
    });

    it('refers to maps and programs, by keys of types that the kernel does not keep', async () => {
      await leavingNothing(() => {
        using object = load(ObjectSpec.readSync(objectPath('maps'), { types: maps }));
        const tenant = object.map('tenant_a');
        object.map('tenants').setReference(1, tenant);
        expect([...object.map('tenants')]).toEqual([
          [1, `id:${tenant.info.id}`],
          [2, `id:${tenant.info.id}`],
        ]);
        const stages = object.map('stages');
        stages.setReference(2, object.program('tail'));
        expect(stages.get(2)).toBe(`id:${object.program('tail').info().id}`);
        // Of a hash of maps the kernel forgets that its keys are numbers.
        expect(object.map('tables').keyCodec.parse('7')).toBe(7);
        object.map('cpus').set(1, 64);
        expect(object.map('cpus').get(1)).toBe(64);
      });
    });

    it('sets variables before, and reads and writes their sections after', async () => {
      await leavingNothing(() => {
        const spec = ObjectSpec.readSync(objectPath('globals'), { types: globals });
        spec.globals.set('default_action', 'PASS');
        spec.globals.set('limits', { rate: 3, ports: [{ first: 80 }] });
        spec.globals.set('generation', 9);
        using object = load(spec, { name: 'some.name' });
        const settings = object.map('.rodata').get(0);
        expect(settings).toMatchObject({ default_action: 'PASS', label: 'edge', budget: 2n ** 64n - 1n });
        expect(settings?.limits.ports[0].first).toBe(80);
        expect(object.map('.rodata.tuning').get(0)).toEqual({ tuned: 9 });
        object.program('globals').testRun({ data: new Uint8Array(64) });
        const data = object.map('.data').get(0);
        expect(data).toMatchObject({ generation: 10, epoch: 0x100_0000_0001n, open_ports: { first: 1025 } });
        if (data === undefined) throw new Error('the section has no entry');
        object.map('.data').set(0, { ...data, generation: 20 });
        object.program('globals').testRun({ data: new Uint8Array(64) });
        expect(object.map('.data').get(0)?.generation).toBe(21);
        expect(object.map('.data.own').get(0)).toEqual({ apart: 79 });
        expect(object.map('.bss').get(0)?.last_action).toBe('PASS');
      });
    });

    it('takes an existing map, typed or not, in place of one of its own', async () => {
      await leavingNothing(() => {
        using first = load(ObjectSpec.readSync(objectPath('maps'), { types: maps }));
        first.map('flows').set('10.0.0.9', 1n);
        const flows = first.map('flows');
        using second = load(ObjectSpec.readSync(objectPath('maps'), { types: maps }), {
          reuse: new Map([['flows', flows]]),
        });
        expect(second.map('flows').get('10.0.0.9')?.packets).toBe(1n);
      });
    });
  },
  { kernelHas: ['bloom-filter'] },
);
