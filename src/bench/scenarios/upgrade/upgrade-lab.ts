/** Every way set up on an interface of its own: two programs that take turns there, and behind them the filter in which packets end. */
import { messageOf, NetkitError } from '../../../base/errors.js';
import { tc } from '../../../ebpf/attach/index.js';
import { load } from '../../../ebpf/load.js';
import type { BpfMap } from '../../../ebpf/map.js';
import type { BenchEnvironment } from '../../document.js';
import { goOn } from '../../go-on.js';
import { benchObject } from '../../lab/bench-object.js';
import { CommandLog } from '../../lab/command-log.js';
import { LabNetwork, type Wire } from '../../lab/network.js';
import { type Placement, placeBeside } from '../../lab/placement.js';
import { Sender } from '../../lab/sender.js';
import { wireRecord } from '../../lab/wire-record.js';
import type { PrepareContext, Prepared } from '../../scenario.js';
import { readEnded, signs } from './accounts.js';
import { metrics, upgradeGroups } from './metrics.js';
import { type Standing, totalsText, UpgradeVariant } from './variant.js';
import type { Judge, UpgradeWay } from './ways.js';

const traffic = { family: 'ipv4', size: 64, flows: 1 } as const;

const generalNotes = [
  'Packets come as fast as the receiver takes them, and faster: those for which it had no room are counted apart, and are not lost by a replacement.',
  'A time is that of the call, through the library of netkit: where it takes milliseconds, the kernel waits in it until no CPU is at work with the old program, while packets meet the new one.',
] as const;

interface Stood extends Standing {
  readonly wire: Wire;
}

export class UpgradeLab {
  readonly #context: PrepareContext;
  readonly #placement: Placement;
  readonly #log = new CommandLog();
  readonly #network: LabNetwork;
  readonly #sender: Sender;
  readonly #standing: Stood[] = [];
  readonly #variants: UpgradeVariant[] = [];
  readonly #leftOut: string[] = [];

  private constructor(context: PrepareContext, placement: Placement) {
    const { scope } = context;
    this.#context = context;
    this.#placement = placement;
    this.#sender = new Sender(scope, traffic);
    const { receiver: cpu } = placement;
    this.#network = new LabNetwork(scope, { family: traffic.family, cpu, log: this.#log });
  }

  /** @throws NetkitError `unsupported`, `not-permitted` */
  static async begin(context: PrepareContext): Promise<UpgradeLab> {
    return new UpgradeLab(context, await placeBeside(context.scope));
  }

  /** The first that stands is what the others are compared with. @throws NetkitError when none does */
  async prepare(ways: readonly UpgradeWay[]): Promise<Prepared> {
    for (const way of ways) {
      goOn(this.#context.signal);
      this.#context.progress(`setting up ${way.title}`);
      await this.#tryToAdd(way);
    }
    const [reference] = ways.filter(({ name }) => this.#standing.some(({ way }) => way.name === name));
    if (reference === undefined)
      throw new NetkitError('unsupported', 'no way can be set up here', { hint: this.#leftOut.at(-1) });
    this.#add(await this.#stand(reference), 'control');
    return {
      groups: [{ name: 'upgrade', title: '', axis: null, metrics, variants: this.#variants }],
      environment: () => this.#environment(),
      busySeconds: () => this.#standing.reduce((sum, { wire }) => sum + (wire.napi.busyNs() ?? 0), 0) / 1e9,
      complete: (groups) => groups.flatMap(upgradeGroups),
      notes: () => this.#notes(),
    };
  }

  async #tryToAdd(way: UpgradeWay): Promise<void> {
    try {
      this.#add(await this.#stand(way), this.#standing.length === 0 ? 'reference' : 'variant');
    } catch (error) {
      if (!(error instanceof NetkitError) || error.code === 'interrupted') throw error;
      this.#leftOut.push(`Left out: ${way.title}, since ${messageOf(error)}.`);
    }
  }

  #add(standing: Stood, role: UpgradeVariant['role']): void {
    this.#standing.push(standing);
    this.#variants.push(new UpgradeVariant(standing, this.#sender, role));
  }

  async #stand(way: UpgradeWay): Promise<Stood> {
    const { scope } = this.#context;
    const wire = await this.#network.wire();
    const { ifname, place } = wire.to;
    const sink = benchObject('upgrade');
    sink.only(['end']);
    const object = scope.use(load(sink));
    // Behind whatever judges at tc.
    const filter = tc({ ifname, netns: place.netns, direction: 'ingress', priority: 2 });
    scope.use(object.program('end').attach(filter));
    const [one, other] = [this.#judge(way, signs[0]), this.#judge(way, signs[1])];
    const replace = way.begin([one.judge, other.judge], wire.to, scope);
    this.#log.note(
      place.title,
      `netkit load bpf/bench/upgrade.bpf.o --only ${way.program}, twice: ${way.title}`,
    );
    const ended = object.map('ended');
    return { way, wire, ends: wire, replace, ended: () => readEnded(ended, [one.judged, other.judged]) };
  }

  #judge({ program }: UpgradeWay, sign: string): { readonly judge: Judge; readonly judged: BpfMap } {
    const spec = benchObject('upgrade');
    spec.only([program]);
    spec.globals.set('sign', sign);
    const name = `judge${sign}`;
    const object = this.#context.scope.use(load(spec, { name }));
    const source = { spec, program, name, maps: object.maps };
    return { judge: { program: object.program(program), source }, judged: object.map('judged') };
  }

  #environment(): Partial<BenchEnvironment> {
    return {
      interfaces: wireRecord(this.#standing[0]?.wire, 'way', 'flood'),
      placement: [...this.#placement.record],
      commands: this.#log.lines,
    };
  }

  #notes(): string[] {
    const told = this.#variants.flatMap(({ title, totals }) =>
      totals.replacements === 0 ? [] : [`${title}: ${totalsText(totals)}.`],
    );
    const shared = 'There is one CPU, which sender and receiver share.';
    return [...told, ...this.#leftOut, ...(this.#placement.isShared ? [shared] : []), ...generalNotes];
  }
}
