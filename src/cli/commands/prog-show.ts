import { foreignProgram, listFunctions } from '../../cnf/inventory.js';
import { openProgram } from '../../cnf/reference.js';
import type { Command } from '../context.js';
import { programDocument } from '../describe.js';
import { pinsOf, storeOf } from '../environment.js';
import { openReference } from '../open-reference.js';

export const run: Command<'prog show'> = async (context, { reference }) => {
  const bpffs = pinsOf(context);
  using opened = await openReference(context, reference, openProgram);
  const { id } = opened.info();
  const own = listFunctions(bpffs, storeOf(context))
    .flatMap(({ programs, members }) => [...programs, ...members])
    .find(({ info }) => info?.id === id);
  const program = programDocument(
    own ?? { ...foreignProgram(opened), pin: reference.startsWith('/') ? reference : undefined },
  );
  context.output.result({ program }, (page) =>
    page.fields([
      ['name', program.name],
      ['id', program.id],
      ['type', program.type],
      ['function', program.function],
      ['section', program.section],
      ['tag', program.tag],
      ['loaded at', program.loadedAt],
      ['translated', bytes(program.translatedBytes)],
      ['native code', bytes(program.jitedBytes)],
      [
        'verified',
        program.verifiedInstructions === null ? null : `${program.verifiedInstructions} instructions`,
      ],
      ['maps', program.mapIds.join(', ') || null],
      ['btf', program.btfId],
      ['pin', program.pin],
    ]),
  );
};

function bytes(count: number | null): string | null {
  return count === null ? null : `${count} bytes`;
}
