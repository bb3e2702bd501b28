/** Types as they are stored, one after the other with their ids: the notation of `bpftool btf dump … format raw`. */
import type { BtfGraph, BtfMember, BtfType } from './types.js';

/** The record of a type, its members on lines of their own that begin with a tab. No line end behind the last. */
export function rawTypeText(btf: BtfGraph, id: number): string {
  const type = btf.type(id);
  const [head, ...parts] = linesOf(btf, type);
  const name = type.name === '' ? '(anon)' : type.name;
  return [`[${id}] ${rawKind(type)} '${name}'${head}`, ...parts.map((part) => `\t${part}`)].join('\n');
}

/** The kernel's word for what kind of record it is, such as `FUNC_PROTO`. */
export function rawKind(type: BtfType): string {
  if (type.kind === 'enum') return type.size > 4 ? 'ENUM64' : 'ENUM';
  return type.kind.toUpperCase();
}

function linesOf(btf: BtfGraph, type: BtfType): string[] {
  switch (type.kind) {
    case 'void':
      return [''];
    case 'int': {
      const encoding = type.bool ? 'BOOL' : type.char ? 'CHAR' : type.signed ? 'SIGNED' : '(none)';
      return [` size=${type.size} bits_offset=${type.bitOffset} nr_bits=${type.bits} encoding=${encoding}`];
    }
    case 'float':
      return [` size=${type.size}`];
    case 'ptr':
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return [` type_id=${type.target}`];
    case 'array':
      return [` type_id=${type.element} index_type_id=${type.index} nr_elems=${type.length}`];
    case 'struct':
    case 'union':
      return [` size=${type.size} vlen=${type.members.length}`, ...type.members.map(memberText)];
    case 'enum': {
      const encoding = type.signed ? 'SIGNED' : 'UNSIGNED';
      const suffix = type.size > 4 ? (type.signed ? 'LL' : 'ULL') : '';
      return [
        ` encoding=${encoding} size=${type.size} vlen=${type.values.length}`,
        ...type.values.map(({ name, value }) => `'${name}' val=${value}${suffix}`),
      ];
    }
    case 'fwd':
      return [` fwd_kind=${type.of}`];
    case 'func':
      return [` type_id=${type.prototype} linkage=${type.linkage}`];
    case 'func_proto': {
      const parameters = type.variadic ? [...type.parameters, { name: '', type: 0 }] : type.parameters;
      return [
        ` ret_type_id=${type.returns} vlen=${parameters.length}`,
        ...parameters.map(({ name, type: id }) => `'${name === '' ? '(anon)' : name}' type_id=${id}`),
      ];
    }
    case 'var':
      return [` type_id=${type.type}, linkage=${type.linkage}`];
    case 'datasec':
      return [
        ` size=${type.size} vlen=${type.variables.length}`,
        ...type.variables.map(
          ({ type: id, offset, size }) =>
            `type_id=${id} offset=${offset} size=${size} (${rawKind(btf.type(id))} '${btf.type(id).name}')`,
        ),
      ];
    case 'decl_tag':
      return [` type_id=${type.target} component_idx=${type.component}`];
  }
}

function memberText({ name, type, bitOffset, bitSize }: BtfMember): string {
  const width = bitSize === 0 ? '' : ` bitfield_size=${bitSize}`;
  return `'${name === '' ? '(anon)' : name}' type_id=${type} bits_offset=${bitOffset}${width}`;
}
