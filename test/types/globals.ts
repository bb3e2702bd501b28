/** Global variables of every kind by their generated types: the object is test/fixtures/globals.bpf.c. Nothing of this runs. */
import { load, type Mac, ObjectSpec } from 'netkit';
import { globals } from './globals.types.js';

export function use(): void {
  const spec = ObjectSpec.readSync('globals.bpf.o', { types: globals });
  spec.globals.set('rate', 5);
  spec.globals.set('budget', 5n);
  spec.globals.set('enabled', false);
  spec.globals.set('verbosity', 'HIGH');
  spec.globals.set('label', 'edge');
  spec.globals.set('mac', '02:00:00:00:00:01');
  spec.globals.set('weights', [1, 2]);
  spec.globals.set('limits', { rate: 1, over: 'COUNT', ports: [{ first: 1 }], kind: 3 });
  const budget: bigint = spec.globals.get('budget');
  const mac: Mac = spec.globals.get('mac');
  const last: number = spec.globals.get('limits').ports[1].last;
  const size: number = spec.globals.spec('rate').size;
  using object = load(spec);
  const total: bigint | undefined = object.map('.bss').get(0)?.total;
  const data = object.map('.data').get(0);
  if (data !== undefined) object.map('.data').set(0, { ...data, generation: 4 });
  console.log(budget, mac, last, size, total);
}

export function misuse(): void {
  const spec = ObjectSpec.readSync('globals.bpf.o', { types: globals });
  // @ts-expect-error: 32 bits are a number
  spec.globals.set('rate', 5n);
  // @ts-expect-error: 64 bits are a bigint
  spec.globals.set('budget', 5);
  // @ts-expect-error: not a boolean
  spec.globals.set('enabled', 'yes');
  // @ts-expect-error: no such enumerator
  spec.globals.set('verbosity', 'MEDIUM');
  // @ts-expect-error: text, not its bytes
  spec.globals.set('label', [101, 100]);
  // @ts-expect-error: not a MAC address
  spec.globals.set('mac', '02-00-00-00-00-01');
  // @ts-expect-error: an array of four
  spec.globals.set('weights', [1, 2, 3, 4, 5]);
  // @ts-expect-error: no such member
  spec.globals.set('limits', { rates: 1 });
  // @ts-expect-error: no such variable
  spec.globals.get('buget');
  // @ts-expect-error: no such variable
  spec.globals.spec('buget');
  // @ts-expect-error: an array of four
  console.log(spec.globals.get('weights')[4]);
  using object = load(spec);
  // @ts-expect-error: a section is written as a whole
  object.map('.data').set(0, { generation: 4 });
  // @ts-expect-error: constants are fixed when loaded
  object.map('.rodata.tuning').set(0, { tuned: 1 });
}
