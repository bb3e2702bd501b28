/** What of a chain differs between its manifest, what is recorded, and the kernel. */
import type { ChainDocument } from '../manifest/schema.js';
import { memberNames } from './chains.js';
import { type Declared, documentRows, goneRow } from './drift.js';
import { type DriftRow, row } from './drift-row.js';
import { toJson } from './field-changes.js';
import type { ChainStatus } from './status-chain.js';

/** Its members' attachments are told with their functions. */
export function driftOfChain(status: ChainStatus, declared: Declared<ChainDocument>): DriftRow[] {
  const { document, members, inOrder } = status;
  if (document === undefined) return [];
  const wanted = declared === 'gone' ? undefined : declared;
  const names = memberNames(document);
  const running = members
    .filter(({ alive }) => alive)
    .sort((one, other) => (one.place ?? 0) - (other.place ?? 0))
    .map((member) => member.function);
  const isChanged = wanted !== undefined && memberNames(wanted).join() !== names.join();
  return [
    ...(declared === 'gone' ? [goneRow()] : []),
    row(
      'order',
      {
        declared: wanted === undefined ? undefined : memberNames(wanted).join(', '),
        recorded: names.join(', '),
        kernel: inOrder === undefined ? undefined : running.join(', ') || 'nothing',
      },
      isChanged || inOrder === false,
    ),
    ...(wanted === undefined ? [] : documentRows(toJson(document), toJson(wanted), () => false)),
  ];
}
