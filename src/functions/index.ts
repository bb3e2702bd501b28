/** The functions that come with netkit and take a configuration. */
import type { FunctionKind } from '../cnf/function-kind.js';

/** Listing them loads none of them. */
export const functionKinds: readonly FunctionKind[] = [
  {
    name: 'firewall',
    configuration: async () => (await import('./firewall/configuration.js')).configuration,
  },
];
