import { allBtf, btfUsers } from '../../ebpf/btf-objects.js';
import type { Command } from '../context.js';

export const run: Command<'btf list'> = async ({ output }) => {
  const users = btfUsers();
  const btf = allBtf().map(({ id, name, kernel, size }) => ({
    id,
    name: name === '' ? null : name,
    kernel,
    bytes: size,
    programIds: users.get(id)?.programs ?? [],
    mapIds: users.get(id)?.maps ?? [],
  }));
  output.result({ btf }, (page) =>
    page.table(
      [
        { title: 'ID', align: 'right' },
        'NAME',
        { title: 'BYTES', align: 'right' },
        { title: 'PROGRAMS', mayCut: true },
        { title: 'MAPS', mayCut: true },
      ],
      btf.map(({ id, name, bytes, programIds, mapIds }) => [
        id,
        name,
        bytes,
        programIds.join(', ') || null,
        mapIds.join(', ') || null,
      ]),
    ),
  );
};
