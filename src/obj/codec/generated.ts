/**
 * Readers and writers of structs as JavaScript of their own: an object literal that names its members is several times
 * faster than a loop over them, because V8 then knows the object's shape. Names of members come from BTF, which anybody can
 * write: they enter the source as JSON strings and as nothing else. See docs/decisions/0009-generated-readers.md.
 */
import type { Form, ShownMember } from './value.js';

/** Values and objects in one function; larger types are read by loops. */
const partLimit = 200;
/** Elements of an array that are read in place. */
const elementLimit = 16;

type Reader = Form['read'];
type Writer = (view: DataView, offset: number, value: { [member: string]: unknown }) => boolean;

/** False where a policy forbids code from strings (`node --disallow-code-generation-from-strings`). */
let allowed: boolean | undefined;

function isAllowed(): boolean {
  if (allowed === undefined) {
    try {
      allowed = Function('return true')() === true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** What a struct's `read` does, compiled; undefined where it cannot be. */
export function generatedReader(members: readonly ShownMember[]): Reader | undefined {
  const source = new ReaderSource();
  const expression = source.object(members, 0);
  if (expression === undefined || !isAllowed()) return undefined;
  const { forms } = source;
  const declared = forms.map((_, index) => `r${index}=f[${index}].read`).join(',');
  const body = `'use strict';${declared === '' ? '' : `const ${declared};`}return (v,o)=>(${expression});`;
  return Function('f', body)(forms);
}

/** Builds the expression that a reader returns. */
class ReaderSource {
  /** The forms that are called, `r0`, `r1` and so on. */
  readonly forms: Form[] = [];
  #parts = 0;

  /** An object literal; undefined for one that has too many parts, or a name that literals treat in a way of their own. */
  object(members: readonly ShownMember[], base: number): string | undefined {
    const properties: string[] = [];
    for (const { name, offset, form } of members) {
      const value = name === '__proto__' ? undefined : this.#value(form, base + offset);
      if (value === undefined) return undefined;
      properties.push(`${JSON.stringify(name)}:${value}`);
    }
    return `{${properties.join(',')}}`;
  }

  #value(form: Form, at: number): string | undefined {
    this.#parts++;
    if (this.#parts > partLimit) return undefined;
    if (form.access !== undefined) return `v.${form.access.get}(o+${at},${form.access.littleEndian})`;
    if (form.shown !== undefined) return this.object(form.shown, at);
    const { elements } = form;
    if (elements !== undefined && elements.count <= elementLimit) {
      const values: string[] = [];
      for (let index = 0; index < elements.count; index++) {
        const value = this.#value(elements.form, at + index * elements.form.size);
        if (value === undefined) return undefined;
        values.push(value);
      }
      return `[${values.join(',')}]`;
    }
    this.forms.push(form);
    return `r${this.forms.length - 1}(v,o+${at})`;
  }
}

/**
 * Writes an object that has all members that are shown and no others. False: it has not, and the slow way knows what to
 * do. Throws what the members' forms throw, without a path.
 */
export function generatedWriter(members: readonly ShownMember[]): Writer | undefined {
  if (members.length === 0 || members.length > partLimit) return undefined;
  // A name that every object has would be found in an object that does not have it.
  if (members.some(({ name }) => name in Object.prototype) || !isAllowed()) return undefined;
  const writers = members.map((_, index) => `w${index}=f[${index}].form.write`).join(',');
  const values = members.map(({ name }, index) => `m${index}=x[${JSON.stringify(name)}]`).join(',');
  const missing = members.map((_, index) => `m${index}===undefined`).join('||');
  const calls = members.map(({ offset }, index) => `w${index}(v,o+${offset},m${index});`).join('');
  const body =
    `'use strict';const ${writers};return (v,o,x)=>{let n=0;for(const _ in x)n++;if(n!==${members.length})return false;` +
    `const ${values};if(${missing})return false;${calls}return true;};`;
  return Function('f', body)(members);
}
