/** What is different about two runs beside the figures. */
import type { BenchDocument } from './document.js';

/** More stolen time than this is worth a word. */
const muchSteal = 0.05;

/** A sentence for each difference that may change figures. */
export function differences(before: BenchDocument, after: BenchDocument): string[] {
  const [one, other] = [before.environment, after.environment];
  const named = (what: string, was: string | number, is: string | number): string[] =>
    was === is ? [] : [`${what}: ${was} before, ${is} now`];
  return [
    ...named('scenario', before.scenario, after.scenario),
    ...named('version of netkit', before.netkit, after.netkit),
    ...named('kernel', one.kernel.release, other.kernel.release),
    ...(one.kernel.release === other.kernel.release
      ? named('build of the kernel', one.kernel.version, other.kernel.version)
      : []),
    ...named('architecture', one.kernel.architecture, other.kernel.architecture),
    ...ofLists('setting of the kernel', one.kernel.settings, other.kernel.settings, ({ value }) => value),
    ...named('CPU', one.machine.cpu, other.machine.cpu),
    ...named('CPUs', one.machine.cpus, other.machine.cpus),
    ...named('virtual machine', virtualText(one.machine.isVirtual), virtualText(other.machine.isVirtual)),
    ...ofLists('version of', one.tools, other.tools, ({ version }) => version),
    ...ofPlacement(before, after),
    ...ofRun('old', before),
    ...ofRun('new', after),
  ];
}

function ofLists<T extends { readonly name: string }>(
  what: string,
  before: readonly T[],
  after: readonly T[],
  textOf: (one: T) => string,
): string[] {
  return before.flatMap((one) => {
    const other = after.find(({ name }) => name === one.name);
    return other === undefined || textOf(other) === textOf(one)
      ? []
      : [`${what} ${one.name}: ${textOf(one)} before, ${textOf(other)} now`];
  });
}

function ofPlacement(before: BenchDocument, after: BenchDocument): string[] {
  const text = ({ environment }: BenchDocument): string =>
    environment.placement
      .map(({ what, cpus }) => `${what} on ${cpus.join(', ')}`)
      .toSorted()
      .join('; ');
  return text(before) === text(after) ? [] : ['what ran on which CPU is not the same'];
}

function ofRun(which: string, { ended, environment: { during } }: BenchDocument): string[] {
  return [
    ...(ended === 'interrupted' ? [`the ${which} run was interrupted`] : []),
    ...(during.steal > muchSteal
      ? [`in the ${which} run the hypervisor gave ${Math.round(during.steal * 100)} % of the CPUs to others`]
      : []),
  ];
}

function virtualText(isVirtual: boolean | null): string {
  return isVirtual === null ? 'unknown' : isVirtual ? 'yes' : 'no';
}
