/** `netkit bench probes`: what each way to observe costs what it observes. */
import { messageOf, NetkitError } from '../../base/errors.js';
import { suggestion } from '../../base/suggest.js';
import { load } from '../../ebpf/load.js';
import type { LoadedObject } from '../../ebpf/loaded-object.js';
import { goOn } from '../go-on.js';
import { benchObject } from '../lab/bench-object.js';
import { placedAlone } from '../lab/placement.js';
import type { Group, PrepareContext, Prepared, Scenario, Variant } from '../scenario.js';
import { type Added, timeMetric, withAdded } from './probes/added.js';
import { clockPeriod, type Hook, type HookGroup, hookNames, hooks, type Where } from './probes/hooks.js';
import { callOperation, type Operation, packetOperation } from './probes/operations.js';
import { bareVariant, type ProbeProgram, ProbeVariant } from './probes/variant.js';

const sliceSeconds = 0.04;

const generalNotes = [
  `A probe is attached for its own measurements alone: every program of the machine pays for it that long. By the clock (every ${clockPeriod / 1000} µs) the figure is that of a run, whatever runs meanwhile; of the others that of an operation.`,
  'What comes out below nothing, since the noise is larger than the cost, counts as nothing.',
  'USDT is left out, since nothing that netkit runs has such a probe to pass: one is a uprobe at a place that the author of a program chose.',
] as const;

/** @param only names of hooks; all when empty. @throws NetkitError `usage` for a hook that is not measured */
export function probesScenario(only: readonly string[]): Scenario {
  const unknown = only.find((name) => !hookNames.includes(name));
  if (unknown !== undefined) {
    throw new NetkitError('usage', `--only: there is no hook '${unknown}'`, {
      hint: suggestion(unknown, hookNames) ?? `the hooks are ${hookNames.join(', ')}`,
    });
  }
  const chosen = hooks.filter(({ name }) => only.length === 0 || only.includes(name));
  return {
    name: 'probes',
    title: 'What does each way to observe cost what it observes?',
    sliceSeconds,
    prepare: async (context) => new ProbesLab(context).prepare(chosen),
  };
}

interface GroupTexts {
  readonly name: HookGroup;
  /** Of the times. */
  readonly title: string;
  /** Of what is added to them. */
  readonly added: string;
}

const groupTexts: readonly GroupTexts[] = [
  {
    name: 'call',
    title: 'How long does a system call take while it is observed?',
    added: 'What does observing add to a system call?',
  },
  {
    name: 'library',
    title: 'How long does a call of the C library take while it is observed?',
    added: 'What does observing add to a call of the C library?',
  },
  {
    name: 'clock',
    title: 'How long does a system call take while the clock interrupts?',
    added: 'What does a run by the clock cost?',
  },
  {
    name: 'packet',
    title: 'How long does a packet take while it is observed?',
    added: 'What does observing add to a packet?',
  },
];

class ProbesLab {
  readonly #context: PrepareContext;
  readonly #where: Where;
  readonly #groups: Group[] = [];
  readonly #added: Added[] = [];
  readonly #leftOut: string[] = [];

  constructor(context: PrepareContext) {
    this.#context = context;
    this.#where = { cpu: placedAlone(context.scope) };
  }

  /** @throws NetkitError `unsupported` when no hook can be measured, `interrupted` */
  async prepare(chosen: readonly Hook[]): Promise<Prepared> {
    for (const texts of groupTexts) {
      const wanted = chosen.filter(({ group }) => group === texts.name);
      if (wanted.length > 0) await this.#addGroup(texts, wanted);
    }
    if (this.#groups.length === 0)
      throw new NetkitError('unsupported', 'nothing can be observed here', { hint: this.#leftOut.at(-1) });
    return {
      groups: this.#groups,
      environment: () => ({
        placement: [{ what: 'netkit, whose operations are observed', cpus: [this.#where.cpu] }],
      }),
      complete: (groups) => withAdded(groups, this.#added),
      notes: () => [...this.#leftOut, ...generalNotes],
    };
  }

  async #addGroup({ name, title, added }: GroupTexts, wanted: readonly Hook[]): Promise<void> {
    const { scope } = this.#context;
    const operation = this.#tried(wanted, () =>
      name === 'packet' ? packetOperation(scope) : callOperation(),
    );
    if (operation === undefined) return;
    const probes: ProbeVariant[] = [];
    for (const hook of wanted) {
      await this.#turn(`loading what is attached by ${hook.title}`);
      probes.push(...(this.#tried([hook], () => this.#variants(hook, operation, probes.length === 0)) ?? []));
    }
    const [reference] = probes;
    if (reference === undefined) return;
    const bare = (role: 'reference' | 'control', again: string): Variant =>
      bareVariant(operation, { name: `nothing${again}`, title: `nothing${again && ' (again)'}`, role });
    const variants = [bare('reference', ''), bare('control', ' again'), ...probes];
    this.#groups.push({ name, title, axis: null, metrics: [timeMetric], variants });
    this.#added.push({
      group: name,
      title: added,
      reference: reference.name,
      control: `${reference.name} again`,
      hookOf: (variant) => probes.find((each) => each.name === variant)?.hook,
    });
  }

  /** @param isFirst the others are compared with it, and so it is there once more */
  #variants(hook: Hook, operation: Operation, isFirst: boolean): ProbeVariant[] {
    const { name, title, program } = hook;
    const object = this.#context.scope.use(loadProbe(hook));
    const { cpu } = this.#where;
    const empty: ProbeProgram = { program: object.program(`${program}_empty`), runs: undefined };
    const counting = { program: object.program(`${program}_counting`), runs: () => runsOn(object, cpu) };
    // Here it is seen whether the kernel lets it be attached at all.
    empty.program.attach(hook.options(this.#where))[Symbol.dispose]();
    const make = (names: Pick<Variant, 'name' | 'title'>, probe: ProbeProgram): ProbeVariant =>
      new ProbeVariant({ ...names, role: 'variant' }, hook, operation, this.#where, probe);
    const again = isFirst ? [make({ name: `${name} again`, title: `${title} (again)` }, empty)] : [];
    return [
      make({ name, title }, empty),
      ...again,
      make({ name: `${name} counting`, title: `${title}, counting` }, counting),
    ];
  }

  async #turn(what: string): Promise<void> {
    this.#context.progress(what);
    await new Promise((resolve) => setImmediate(resolve));
    goOn(this.#context.signal);
  }

  /** @returns undefined where it does not work here: then the notes say why */
  #tried<T>(affected: readonly Hook[], work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      for (const { title } of affected) this.#leftOut.push(`Left out: ${title}, since ${messageOf(error)}.`);
      return undefined;
    }
  }
}

/** Both programs of a hook, loaded for it. @throws NetkitError where the kernel has no such programs */
function loadProbe({ program, target }: Hook): LoadedObject {
  const spec = benchObject('probes');
  const names = [`${program}_empty`, `${program}_counting`];
  spec.only(names);
  const targets =
    target === undefined ? undefined : new Map(names.map((name) => [name, { functionName: target }]));
  return load(spec, targets === undefined ? {} : { targets });
}

function runsOn(object: LoadedObject, cpu: number): number {
  const values = object.map('runs').get(0);
  if (!Array.isArray(values)) throw new TypeError('probes.bpf.c counts per CPU');
  return Number(values[cpu]);
}
