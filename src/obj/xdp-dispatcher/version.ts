import type { BtfGraph } from '../btf/types.js';

/** The version that a dispatcher's BTF names, in the type of a variable of the section `xdp_metadata`. */
export function versionInTypes(btf: BtfGraph | undefined): number | undefined {
  const section = btf?.find('xdp_metadata', 'datasec');
  if (btf === undefined || section?.kind !== 'datasec') return undefined;
  for (const { type: id } of section.variables) {
    const variable = btf.type(id);
    if (variable.kind !== 'var' || variable.name !== 'dispatcher_version') continue;
    const pointer = btf.resolve(variable.type);
    const array = pointer.kind === 'ptr' ? btf.resolve(pointer.target) : undefined;
    if (array?.kind === 'array') return array.length;
  }
  return undefined;
}
