/** Tables and lists of programs, maps and links for people. */
import type { Page } from './page.js';
import type { LinkInfo, MapInfo, ProgramInfo } from './schema/index.js';

/** `xdp (native) of eth0 in netns blue` */
export function targetText(link: LinkInfo): string {
  const detail = link.detail === null ? '' : ` (${link.detail})`;
  const target =
    link.target ?? (link.ifindex === null || link.ifindex === 0 ? '' : `interface ${link.ifindex}`);
  const where =
    link.netns?.name === null || link.netns === null || link.netns.name.startsWith('/')
      ? ''
      : ` in netns ${link.netns.name}`;
  return `${link.hook ?? link.type}${detail}${target === '' ? '' : ` of ${target}`}${where}${link.dead ? ' (dead)' : ''}`;
}

export function programTable(page: Page, programs: readonly ProgramInfo[]): void {
  page.table(
    [
      { title: 'ID', align: 'right' },
      'NAME',
      'TYPE',
      'FUNCTION',
      'SECTION',
      'TAG',
      { title: 'BYTES', align: 'right' },
    ],
    programs.map((program) => [
      program.id,
      program.name,
      program.type,
      program.function,
      program.section,
      program.tag,
      program.translatedBytes,
    ]),
  );
}

export function mapTable(page: Page, maps: readonly MapInfo[]): void {
  page.table(
    [
      { title: 'ID', align: 'right' },
      'NAME',
      'TYPE',
      { title: 'FUNCTION', mayCut: true },
      { title: 'KEY', align: 'right' },
      { title: 'VALUE', align: 'right' },
      { title: 'ENTRIES', align: 'right' },
      { title: 'FLAGS', mayCut: true },
    ],
    maps.map((map) => [
      map.id,
      map.name,
      map.type,
      map.function,
      map.keySize,
      map.valueSize,
      map.maxEntries,
      map.flags.join(',') || null,
    ]),
  );
}

export function linkTable(page: Page, links: readonly LinkInfo[]): void {
  page.table(
    [
      { title: 'ID', align: 'right' },
      'TYPE',
      'TARGET',
      'PROGRAM',
      { title: 'PROGRAM ID', align: 'right' },
      'FUNCTION',
    ],
    links.map((link) => [
      link.id,
      link.type,
      targetText(link),
      link.program.name,
      link.program.id,
      link.function,
    ]),
  );
}
