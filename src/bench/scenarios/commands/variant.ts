/** A command as a variant: looked at once for what it does, then run to its end over and over. */
import { runInside } from '../../../host/command-inside.js';
import { type CommandCosts, measureCommand } from '../../../host/measured-command.js';
import type { Netns } from '../../../host/netns.js';
import type { BenchCheck } from '../../document.js';
import type { Measurement, Variant } from '../../scenario.js';
import { valuesOf } from './metrics.js';
import type { WayCommands, Words } from './ways.js';

/** Where commands are run. */
export interface Surroundings {
  readonly netns: Netns;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

type Texts = Pick<Variant, 'name' | 'title' | 'role'>;

export class CliVariant implements Variant {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly role: Variant['role'];
  readonly #commands: WayCommands;
  readonly #surroundings: Surroundings;

  constructor(texts: Texts, commands: WayCommands, surroundings: Surroundings) {
    const { act, undo } = commands;
    this.name = texts.name;
    this.title = texts.title;
    this.role = texts.role;
    this.description = [act, undo]
      .flatMap((words) => (words === undefined ? [] : [words.join(' ')]))
      .join('; ');
    this.#commands = commands;
    this.#surroundings = surroundings;
  }

  /** What it makes is there when it has ended, and gone when that was undone; what makes nothing says what it should. */
  async check(): Promise<BenchCheck[]> {
    const { act, undo, isThere, says } = this.#commands;
    const checks: BenchCheck[] = [];
    const said = this.#run(act);
    if (says !== undefined)
      checks.push({ name: 'output', ok: says.test(said), detail: said.split('\n', 1)[0] || 'nothing' });
    if (isThere === undefined) return checks;
    const made = isThere();
    checks.push({ name: 'made', ok: made, detail: `what it makes is ${made ? '' : 'not '}there` });
    if (undo === undefined) return checks;
    this.#run(undo);
    const left = isThere();
    checks.push({ name: 'undone', ok: !left, detail: `it is ${left ? 'still there' : 'gone'} afterwards` });
    return checks;
  }

  async measure(seconds: number): Promise<Measurement | undefined> {
    const { act, undo } = this.#commands;
    const started = performance.now();
    const [acted, undone]: [CommandCosts[], CommandCosts[]] = [[], []];
    do {
      // Always both: what was made would be in the way of the next.
      acted.push(await this.#measured(act));
      if (undo !== undefined) undone.push(await this.#measured(undo));
      if (this.#surroundings.signal.aborted) return undefined;
    } while (performance.now() - started < seconds * 1000);
    return { seconds: (performance.now() - started) / 1000, values: valuesOf(acted, undone) };
  }

  #run([file, ...args]: Words): string {
    const { netns, env } = this.#surroundings;
    return runInside(netns, file, args, '', env);
  }

  #measured([file, ...args]: Words): Promise<CommandCosts> {
    const { netns, env } = this.#surroundings;
    return measureCommand({ file, args, env, netns });
  }
}
