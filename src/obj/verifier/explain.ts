/** From the verifier's log to what a programmer wants to know: which rule, where, why, and what to do. */
import { argumentForms, callForms } from './call-forms.js';
import type {
  ExplainedRegister,
  Explanation,
  ExplanationContext,
  Finding,
  Form,
  Scene,
} from './explanation.js';
import { flowForms, useForms } from './flow-forms.js';
import { readLog, type VerifierLog } from './log.js';
import { memoryForms } from './memory-forms.js';
import { placeOf } from './place.js';
import { registerWords } from './register-words.js';
import { stackForms } from './stack-forms.js';

/** The most particular first. */
const forms: readonly Form[] = [
  ...flowForms,
  ...callForms,
  ...memoryForms,
  ...stackForms,
  ...useForms,
  ...argumentForms,
];

/**
 * Explains why the verifier refused a program.
 *
 * @param text the log, from kernels 5.10 to 7.2, at the level of instructions (1) or of states (2)
 * @returns undefined when the refusal is none of the rules that netkit knows
 */
export function explain(text: string, context: ExplanationContext): Explanation | undefined {
  const log = readLog(text);
  const scene = sceneOf(log, context);
  const finding = findingOf(scene);
  if (finding === undefined) return undefined;
  const refused = log.steps.at(-1)?.index;
  const instruction = finding.at ?? refused;
  const { place, related } =
    finding.line === undefined ? placeOf(log, context, instruction) : { place: finding.line, related: [] };
  const further = (finding.related ?? []).flatMap(({ at, about }) => {
    const other = placeOf(log, context, at).place;
    const same = other === undefined || (other.file === place?.file && other.line === place.line);
    return same ? [] : [{ place: other, about }];
  });
  return {
    rule: finding.rule,
    message: finding.message,
    mend: finding.mend,
    registers: registersOf(finding, log),
    place,
    related: [...related, ...further],
    reason: log.reason,
    instruction,
  };
}

function sceneOf(log: VerifierLog, context: ExplanationContext): Scene {
  const text = log.steps.at(-1)?.text ?? '';
  return {
    log,
    context,
    text,
    helper: /^call (bpf_\w+|\w+#-?\d+)/.exec(text)?.[1]?.replace(/#.*/, ''),
    register: (number) => (number === undefined ? undefined : log.registers.get(`R${number}`)),
  };
}

function findingOf(scene: Scene): Finding | undefined {
  const verdict = scene.log.verdict.join('\n');
  for (const { pattern, find } of forms) {
    const match = pattern.exec(verdict);
    const finding = match === null ? undefined : find(match, scene);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function registersOf({ registers = [] }: Finding, { registers: known }: VerifierLog): ExplainedRegister[] {
  return [...new Set(registers)].flatMap((name) => {
    const register = known.get(name);
    return register === undefined ? [] : [{ name, state: register.text, words: registerWords(register) }];
  });
}
