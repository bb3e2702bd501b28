import { counted } from '../../base/counted.js';
import { change } from '../../cnf/environment.js';
import { describeTarget, familyOf } from '../../cnf/hooks/index.js';
import { findFunction } from '../../cnf/inventory.js';
import { planReplace, type ReplaceProposal, type ReplaceRequest } from '../../cnf/replace-function.js';
import { assignments, sizes } from '../assignments.js';
import { sayReturn } from '../confirmation.js';
import type { Command } from '../context.js';
import {
  functionDocument,
  linkDocument,
  plannedFunctionDocument,
  recordedLinkDocument,
} from '../describe.js';
import { changeDocument, environmentOf, storeOf } from '../environment.js';
import { mapFates, sayMapFates } from '../map-fates.js';
import { objectFile } from '../object-file.js';
import { ProgramTests } from '../program-tests.js';
import type { DocumentOf } from '../schema/index.js';

type Document = DocumentOf<'replace'>;

export const run: Command<'replace'> = async (context, { function: name, object }, options) => {
  const { output, options: global } = context;
  const tests = options.test === undefined ? undefined : ProgramTests.read(options.test);
  const request: ReplaceRequest = {
    function: name,
    object: objectFile(object),
    globals: assignments(options.set, '--set', 'VAR=VALUE'),
    mapSizes: sizes(options.mapSize),
    reuse: assignments(options.reuse, '--reuse', 'MAP=REF'),
    targets:
      options.target.length === 0 ? undefined : assignments(options.target, '--target', 'PROGRAM=FUNCTION'),
    only: options.only.length === 0 ? null : options.only,
    newMaps: options.newMap,
    allowGap: options.allowGap,
    test: tests === undefined ? undefined : (folder, signal) => tests.run(folder, signal, output),
  };
  let proposal: ReplaceProposal | undefined;
  const notes: string[] = [];
  const outcome = await change(environmentOf(context, options.confirm), async (world) => {
    proposal = await planReplace({ ...world, note: (text) => notes.push(text) }, request);
    tests?.check(proposal.after.programs);
    return proposal;
  });
  // What was done in another way than one might think is told when it is done.
  for (const note of notes) output.note(note);
  if (proposal === undefined) throw new TypeError('a replacement without a plan');
  const { after, before, maps, taken } = proposal;
  const loaded = global.dryRun ? undefined : findFunction(after.bpffs, storeOf(context), name);
  const document: Document = {
    function: loaded === undefined ? plannedFunctionDocument(after) : functionDocument(loaded),
    maps: mapFates(maps, taken),
    links: before.links.map((link) => {
      const listed = loaded?.links.find((each) => each.name === link.name);
      return {
        link: listed === undefined ? recordedLinkDocument(link, name) : linkDocument(listed),
        how: familyOf(link).replacing,
      };
    }),
    tests: tests === undefined || global.dryRun ? null : tests.count,
    returnsAt: outcome.returnsAt ?? null,
    ...changeDocument(context, outcome.actions),
  };
  output.done(document, (page) => {
    if (global.dryRun) for (const { about } of document.actions) page.line(`would ${about}`);
    sayMapFates(page, document.maps, global.dryRun);
    if (global.dryRun) return;
    if (document.tests !== null) page.line(`${counted(document.tests, 'test')} passed`);
    for (const link of before.links)
      page.line(`${name}/${link.program} runs on ${describeTarget(outcome.made.get(link.name) ?? link)}`);
    page.line(
      `replaced ${name}: ${counted(after.programs.length, 'program')}, ${counted(after.maps.length, 'map')}`,
    );
    sayReturn(page, outcome.returnsAt, name);
  });
};
