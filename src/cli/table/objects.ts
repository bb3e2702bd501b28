import type { CommandEntry } from './types.js';

/** Commands on files: sources, objects, headers. None of them needs privileges. */
export const objectCommands = [
  {
    name: 'build',
    summary: 'compile C to an eBPF object with BTF',
    about: [
      'Compiles each source with clang for the bpf target, always with debug information, so that the object has BTF. The folders of libbpf, of the headers that come with netkit, and of a `vmlinux.h` made from this kernel are on the include path.',
      'Each source becomes one object: `firewall.bpf.c` becomes `firewall.bpf.o` in the current folder. Several sources need `-o` to be a folder, or none.',
    ],
    arguments: [
      {
        name: 'sources',
        shown: 'SRC',
        kind: 'source',
        required: true,
        variadic: true,
        about: 'A C source file.',
      },
    ],
    options: [
      {
        long: 'output',
        short: 'o',
        value: { name: 'OUT', kind: 'file' },
        about: 'The object file to write, or a folder for several.',
      },
      {
        long: 'include',
        short: 'I',
        value: { name: 'DIR', kind: 'folder' },
        repeatable: true,
        about: 'A further folder for headers; searched first.',
      },
      {
        long: 'define',
        short: 'D',
        value: { name: 'NAME[=VALUE]', kind: 'text' },
        repeatable: true,
        about: 'Define a macro.',
      },
      {
        long: 'watch',
        about:
          'Stay, and compile again whenever a source or a header that it includes changes. With `--json`, one document a line.',
      },
    ],
    exits: [
      { status: 1, about: 'A source does not compile; the diagnostics are on standard error.' },
      { status: 3, about: 'A source, or clang, is not there.' },
    ],
    examples: [
      { command: 'netkit build firewall.bpf.c', about: 'Write firewall.bpf.o.' },
      {
        command: 'netkit build -D MAX_RULES=4096 -o /tmp/fw.bpf.o firewall.bpf.c',
        about: 'Set a macro and name the object.',
      },
    ],
  },
  {
    name: 'inspect',
    summary: 'show what an object file holds',
    about: [
      'Lists the programs with their sections and types, the maps with the text form that their keys and values take, the global variables that `load --set` can change, and the licence. Reads only the file: no kernel, no privileges.',
    ],
    arguments: [
      {
        name: 'object',
        shown: 'OBJ',
        kind: 'object',
        required: true,
        about: 'An eBPF object file, or `builtin:NAME` for a function that comes with netkit.',
      },
    ],
    options: [],
    exits: [{ status: 1, about: 'The file is not an eBPF object, or is damaged.' }],
    examples: [{ command: 'netkit inspect firewall.bpf.o', about: 'Show programs, maps and variables.' }],
  },
  {
    name: 'gen types',
    summary: 'write a TypeScript module with the types of an object',
    about: [
      "The module declares the keys and values of the object's maps, its global variables, and the names of its programs and maps. With it `ObjectSpec.read(path, { types })` and `load` of the library give typed objects: a name, key or value that does not fit does not compile. The module imports types alone.",
      'The module also holds a digest of each type. An object of which a map, variable or program has changed since is refused when it is read.',
      'Reads only the file: no kernel, no privileges.',
    ],
    arguments: [
      {
        name: 'object',
        shown: 'OBJ',
        kind: 'object',
        required: true,
        about: 'An eBPF object file with BTF, or `builtin:NAME` for a function that comes with netkit.',
      },
    ],
    options: [
      {
        long: 'output',
        short: 'o',
        value: { name: 'FILE', kind: 'file' },
        about: 'The file to write, instead of standard output.',
      },
    ],
    exits: [{ status: 1, about: 'The file is not an eBPF object, is damaged, or has no BTF.' }],
    examples: [
      {
        command: 'netkit gen types firewall.bpf.o -o firewall.types.ts',
        about: 'Write the module, for `import { firewall } from "./firewall.types.js"`.',
      },
    ],
  },
  {
    name: 'gen vmlinux',
    summary: "write vmlinux.h, the types of this machine's kernel",
    about: [
      "Makes the C header with every type of the running kernel from the kernel's own BTF. `netkit build` makes and caches one by itself; this command is for other build systems.",
    ],
    arguments: [],
    options: [
      {
        long: 'output',
        short: 'o',
        value: { name: 'FILE', kind: 'file' },
        about: 'The file to write, instead of standard output.',
      },
    ],
    exits: [{ status: 6, about: 'This kernel was built without BTF.' }],
    examples: [{ command: 'netkit gen vmlinux -o vmlinux.h', about: 'Write the header.' }],
  },
] as const satisfies readonly CommandEntry[];
