import { listFunctions } from '../../cnf/inventory.js';
import { type MetProgram, type PacketWay, packetWay } from '../../cnf/packet-way.js';
import { setup } from '../../ebpf/feature/settings.js';
import { findInterface, listInterfaces } from '../../host/interfaces.js';
import { openNetns } from '../../host/netns.js';
import type { Command } from '../context.js';
import { pinsOf, storeOf } from '../environment.js';
import type { Cell, Page } from '../page.js';
import type { DocumentOf } from '../schema/index.js';

type Met = DocumentOf<'net'>['receive'][number];

export const run: Command<'net'> = async (context, { target }) => {
  const { netns: reference } = context.options;
  const bpffs = pinsOf(context);
  using netns = reference === undefined ? undefined : openNetns(reference);
  const targets = target === undefined ? listInterfaces(netns) : [findInterface(target, netns)];
  const way = packetWay(targets, netns, bpffs, listFunctions(bpffs, storeOf(context)));
  const statistics = setup().statistics === true;
  const document = documentOf(way, statistics, target === undefined);
  context.output.result(document, (page) => show(page, document));
};

function documentOf(way: PacketWay, statistics: boolean, onlyBusy: boolean): DocumentOf<'net'> {
  const met = (programs: readonly MetProgram[]): Met[] =>
    programs.map((program) => metDocument(program, statistics));
  const interfaces = way.interfaces
    .filter(({ receive, send }) => !onlyBusy || receive.length + send.length > 0)
    .map(({ target, receive, send }) => ({
      ifname: target.ifname,
      ifindex: target.ifindex,
      receive: met(receive),
      send: met(send),
    }));
  return { statistics, interfaces, receive: met(way.receive), send: met(way.send) };
}

function metDocument(met: MetProgram, statistics: boolean): Met {
  const { program, owner } = met;
  // The kernel counts where it calls a program itself: a chain's members are entered from another program.
  const counted = statistics && met.hook !== 'xdp/chain' ? program : undefined;
  return {
    hook: met.hook,
    program: program === undefined ? null : { id: program.id, name: program.name, type: program.type },
    linkId: met.linkId ?? null,
    priority: met.priority ?? null,
    detail: met.detail ?? null,
    owner: {
      function: owner.function ?? null,
      libxdp: owner.libxdp === true,
      pin: owner.pin ?? null,
      process: owner.process ?? null,
    },
    runs: counted === undefined ? null : Number(counted.runCount),
    // 2^53 ns of running are a hundred days of one CPU.
    runNs: counted === undefined ? null : Number(counted.runTimeNs),
  };
}

function show(page: Page, { interfaces, receive, send, statistics }: DocumentOf<'net'>): void {
  const rows: Cell[][] = [];
  for (const { ifname, receive: incoming, send: outgoing } of interfaces) {
    rows.push(...incoming.map((met) => row(ifname, 'in', met, statistics)));
    rows.push(...outgoing.map((met) => row(ifname, 'out', met, statistics)));
  }
  rows.push(...receive.map((met) => row('(any)', 'in', met, statistics)));
  rows.push(...send.map((met) => row('(any)', 'out', met, statistics)));
  if (rows.length === 0) {
    page.line('no program is in the way of packets here');
    return;
  }
  const columns = [
    'INTERFACE',
    'WAY',
    'HOOK',
    { title: 'PRIORITY', align: 'right' },
    'PROGRAM',
    { title: 'ID', align: 'right' },
    { title: 'OWNER', mayCut: true },
    { title: 'DETAIL', mayCut: true },
  ] as const;
  const counted = [
    { title: 'RUNS', align: 'right' },
    { title: 'NS A RUN', align: 'right' },
  ] as const;
  page.table(statistics ? [...columns, ...counted] : columns, rows);
}

function row(ifname: string, way: 'in' | 'out', met: Met, statistics: boolean): Cell[] {
  const cells = [
    ifname,
    way,
    met.hook,
    met.priority,
    met.program?.name,
    met.program?.id,
    ownerText(met.owner),
    met.detail,
  ];
  if (!statistics) return cells;
  const { runs, runNs } = met;
  return [...cells, runs, runs === null || runs === 0 || runNs === null ? null : Math.round(runNs / runs)];
}

function ownerText({ function: own, libxdp, pin, process }: Met['owner']): string | null {
  if (own !== null) return `${own.name}/${own.program}`;
  if (libxdp) return `libxdp${pin === null ? '' : `, ${pin}`}`;
  if (pin !== null) return `pin ${pin}`;
  return process === null ? null : `process ${process.pid} (${process.command})`;
}
