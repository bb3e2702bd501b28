import { type FunctionState, stateFormat } from '../../src/cnf/state.js';

/** What is recorded of a function that has no programs, maps and links, but for what is given. */
export function functionState(name: string, given: Partial<FunctionState> = {}): FunctionState {
  return {
    formatVersion: stateFormat,
    name,
    change: 'c1',
    bootId: 'b1',
    bpffs: '/nowhere',
    persist: false,
    object: { path: `/${name}.bpf.o`, file: `${name}-0123456789ab.bpf.o`, sha256: '00' },
    options: { globals: {}, mapSizes: {}, only: null, reuse: {} },
    programs: [],
    maps: [],
    links: [],
    loadedAt: '2026-01-01T00:00:00.000Z',
    ...given,
  };
}
