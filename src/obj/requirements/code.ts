/** What the instructions of a program ask of a kernel. */
import type { ListedFunction, ListedInstruction } from '../instructions/listing.js';
import { operationOf } from '../instructions/meaning.js';
import type { Operation } from '../instructions/operation.js';
import type { LinuxVersion } from '../kernel-versions/version.js';

/** Kinds of instructions that came with a kernel, and the numbers of them that it takes. */
export const instructionFeatures = {
  'cpu-v2': '4.14',
  subprograms: '4.16',
  'cpu-v3': '5.1',
  'large-programs': '5.2',
  'bounded-loops': '5.3',
  atomics: '5.12',
  'cpu-v4': '6.6',
  'may-goto': '6.9',
  'load-acquire': '6.15',
} as const satisfies Record<string, LinuxVersion>;
export type InstructionFeature = keyof typeof instructionFeatures;

export interface CodeNeeds {
  /** The numbers of the helpers that it calls. */
  readonly helpers: ReadonlySet<number>;
  /** What it names: functions that it calls, variables whose addresses it takes. */
  readonly names: ReadonlySet<string>;
  readonly features: ReadonlySet<InstructionFeature>;
}

/** Kernels before 5.2 take no more. */
const smallProgram = 4096;

export function codeNeeds(functions: readonly ListedFunction[]): CodeNeeds {
  const helpers = new Set<number>();
  const names = new Set<string>();
  const features = new Set<InstructionFeature>();
  if (functions.length > 1) features.add('subprograms');
  let slots = 0;
  for (const instruction of functions.flatMap((each) => each.instructions)) {
    slots += instruction.slots;
    const operation = operationOf(instruction);
    if (operation.kind === 'helper-call') helpers.add(operation.helper);
    // Calls of helpers are named too, which is no harm: nothing else of the kernel has their names.
    for (const [name] of instruction.text.matchAll(/\b[A-Za-z_]\w+/g)) names.add(name);
    for (const feature of featuresOf(instruction, operation)) features.add(feature);
  }
  if (slots > smallProgram) features.add('large-programs');
  return { helpers, names, features };
}

const laterComparisons: ReadonlySet<string> = new Set(['<', '<=', 's<', 's<=']);

function featuresOf({ index, target }: ListedInstruction, operation: Operation): InstructionFeature[] {
  const found: InstructionFeature[] = [];
  const isBackward = target !== undefined && target <= index;
  switch (operation.kind) {
    case 'branch':
      if (laterComparisons.has(operation.comparison)) found.push('cpu-v2');
      if (operation.width === 32) found.push('cpu-v3');
      if (isBackward) found.push('bounded-loops');
      break;
    case 'jump':
      if (operation.long) found.push('cpu-v4');
      if (isBackward) found.push('bounded-loops');
      break;
    case 'may-goto':
      found.push('may-goto');
      break;
    case 'move':
      if (operation.signExtend !== undefined) found.push('cpu-v4');
      break;
    case 'arithmetic':
      if (operation.operator === 's/' || operation.operator === 's%') found.push('cpu-v4');
      break;
    case 'swap':
      if (operation.order === 'bswap') found.push('cpu-v4');
      break;
    case 'load':
      if (operation.signed) found.push('cpu-v4');
      break;
    case 'atomic':
      if (operation.fetch || operation.operator !== 'add') found.push('atomics');
      break;
    case 'load-acquire':
    case 'store-release':
      found.push('load-acquire');
      break;
    default:
      break;
  }
  return found;
}
