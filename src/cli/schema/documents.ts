import { z } from 'zod';
import { batchDocuments } from './batch-documents.js';
import { benchDocuments } from './bench-documents.js';
import { declaredDocuments } from './declared-documents.js';
import { declaredViewDocuments } from './declared-view-documents.js';
import { entryDocuments } from './entry-documents.js';
import { entryFileDocuments } from './entry-file-documents.js';
import { featureDocuments } from './feature-documents.js';
import { hookDocuments } from './hook-documents.js';
import { mapDocuments } from './map-documents.js';
import { seeingDocuments } from './seeing-documents.js';
import { serviceDocuments } from './service-documents.js';
import {
  awaitsConfirmation,
  change,
  count,
  decoded,
  diagnostic,
  flag,
  link,
  loadedFunction,
  maybe,
  pendingChange,
  program,
  returnedChange,
  text,
} from './shapes.js';
import { watchDocuments } from './watch-documents.js';
import { wayBackDocuments } from './way-back-documents.js';

const others = {
  build: z.strictObject({
    objects: z
      .array(
        z.strictObject({
          file: text('The object file that was written.'),
          sources: z.array(z.string()).meta({ description: 'What it was compiled from.' }),
          bytes: count('Its size.'),
          programs: z.array(z.string()).meta({ description: 'The names of its programs.' }),
          maps: z.array(z.string()).meta({ description: 'The names of its maps.' }),
        }),
      )
      .meta({ description: 'One object for each source.' }),
    diagnostics: z
      .array(diagnostic)
      .meta({ description: 'What the compiler remarked; with --watch also its errors.' }),
  }),
  inspect: z.strictObject({
    file: text('The object file.'),
    bytes: count('Its size.'),
    endian: z.enum(['little', 'big']).meta({ description: 'Its byte order.' }),
    licence: maybe(z.string(), 'The licence that it declares.'),
    btf: flag('Whether it has BTF.'),
    programs: z
      .array(
        z.strictObject({
          name: text('Its name.'),
          section: text('The section that it is in.'),
          type: maybe(
            z.string(),
            "The kernel's word for its type; null when the section's name does not tell.",
          ),
          attachType: maybe(z.string(), "The kernel's word for how it attaches."),
          target: maybe(z.string(), "What the section's name says that it attaches to."),
          instructions: count('How many instructions it has.'),
          autoload: flag('Whether it is loaded unless told otherwise: SEC("?…") is not.'),
          problem: maybe(z.string(), 'Why it cannot be loaded, where the file alone tells.'),
        }),
      )
      .meta({ description: 'Its programs.' }),
    maps: z
      .array(
        z.strictObject({
          name: text('Its name.'),
          type: text("The kernel's word for its type."),
          keySize: count('Bytes of a key.'),
          valueSize: count('Bytes of a value.'),
          maxEntries: count('How many entries it can hold; 0 when that is left to the loader.'),
          flags: z.array(z.string()).meta({ description: "The kernel's words for its flags." }),
          pinned: flag('Whether the object asks for it to be shared by name.'),
          keyType: maybe(z.string(), 'The C type of its keys.'),
          valueType: maybe(z.string(), 'The C type of its values.'),
          keyForm: maybe(z.string(), 'How a key is written on the command line.'),
          valueForm: maybe(z.string(), 'How a value is written on the command line.'),
          problem: maybe(z.string(), 'Why it cannot be loaded, where the file alone tells.'),
        }),
      )
      .meta({ description: 'Its maps.' }),
    globals: z
      .array(
        z.strictObject({
          name: text('Its name.'),
          type: text('Its C type.'),
          size: count('Its size in bytes.'),
          section: text('The section that it is in: .rodata, .data, .bss, …'),
          readOnly: flag('Whether the program cannot change it.'),
          value: decoded(
            'Its value before `load --set`; null where its type has no values, or where it takes more than 4096 bytes.',
          ),
          form: maybe(z.string(), 'How a value is written for `load --set`.'),
        }),
      )
      .meta({ description: 'Its global variables.' }),
    externs: z
      .array(
        z.strictObject({
          name: text('Its name.'),
          kind: z.enum(['kconfig', 'ksym']).meta({
            description: "A setting of the kernel's build, or a variable or function of the kernel.",
          }),
          type: text('Its C type.'),
          required: flag('Whether loading fails on a kernel without it.'),
        }),
      )
      .meta({ description: 'What it expects of the kernel.' }),
    types: z
      .array(
        z.strictObject({
          name: text('Its C name, such as struct rule.'),
          size: count('Its size in bytes.'),
          declaration: text('Its declaration in C.'),
        }),
      )
      .meta({ description: 'The types that its maps and global variables use.' }),
  }),
  'gen types': z.strictObject({
    file: maybe(z.string(), 'The file that was written.'),
    module: maybe(z.string(), 'The module, when no file was asked for.'),
    bytes: count('Its size.'),
    object: text('The object file that it was made from.'),
    constant: text('The name of the constant that it exports.'),
    type: text('The name of the type of the whole object.'),
  }),
  'gen vmlinux': z.strictObject({
    file: maybe(z.string(), 'The file that was written.'),
    header: maybe(z.string(), 'The header, when no file was asked for.'),
    bytes: count('Its size.'),
    kernel: text('The release of the kernel that it describes.'),
  }),
  load: z.strictObject({
    function: loadedFunction,
    replaced: flag('Whether it took the place of a function of that name.'),
    ...awaitsConfirmation,
    ...change,
  }),
  attach: z.strictObject({
    function: text('The function.'),
    links: z
      .array(
        z.strictObject({
          link,
          already: flag('Whether it was attached in just that way before.'),
          note: maybe(z.string(), 'A word about how it was attached, such as why it runs in generic mode.'),
        }),
      )
      .meta({ description: 'Where its programs are attached now.' }),
    ...awaitsConfirmation,
    ...change,
  }),
  detach: z.strictObject({
    links: z.array(link).meta({ description: 'What was detached, as it was before.' }),
    ...awaitsConfirmation,
    ...change,
  }),
  unload: z.strictObject({
    functions: z
      .array(
        z.strictObject({
          name: text('The name of the function.'),
          programs: count('How many programs it had.'),
          maps: count('How many maps it had.'),
          links: count('How many links it had.'),
        }),
      )
      .meta({ description: 'What was unloaded.' }),
    ...awaitsConfirmation,
    ...change,
  }),
  list: z.strictObject({
    functions: z.array(loadedFunction).meta({ description: 'The functions, by name.' }),
    pending: z.array(pendingChange).meta({ description: 'Changes that wait for `netkit confirm`.' }),
  }),
  recover: z.strictObject({
    commands: z
      .array(
        z.strictObject({
          command: text('The command line that was killed.'),
          startedAt: maybe(z.iso.datetime(), 'When it was started.'),
          outcome: z.enum(['undone', 'finished']).meta({ description: 'What became of its steps.' }),
        }),
      )
      .meta({ description: 'What killed commands had left; empty when there was nothing.' }),
    returned: z.array(returnedChange).meta({ description: 'Changes that nobody had confirmed in time.' }),
    pending: z.array(pendingChange).meta({ description: 'Changes that still wait for `netkit confirm`.' }),
    restored: z
      .array(z.string())
      .meta({ description: 'Functions of before the reboot that were brought back.' }),
    ...change,
  }),
  'prog list': z.strictObject({
    programs: z.array(program).meta({ description: 'The programs.' }),
  }),
  'prog show': z.strictObject({ program }),
  'prog run': z.strictObject({
    program: z
      .strictObject({ id: count("The kernel's id of the program."), name: text('Its name.') })
      .meta({ description: 'The program.' }),
    runs: z
      .array(
        z.strictObject({
          in: text('The packet, in hexadecimal.'),
          out: maybe(z.string(), 'The packet that came out, in hexadecimal; null when the type gives none.'),
          verdict: z.int().meta({ description: 'What the program returned.' }),
          verdictName: maybe(z.string(), "The verdict's name: pass, drop, …"),
          repeat: count('How often it ran.'),
          nanoseconds: maybe(
            z.int().min(0),
            'The mean time of a run; null where the kernel does not tell, as of programs that take no packet.',
          ),
        }),
      )
      .meta({
        description:
          'One for each packet; one for a program that takes none, whose context is `in` and `out`.',
      }),
  }),
  'link list': z.strictObject({
    links: z.array(link).meta({ description: 'The links.' }),
  }),
  'link show': z.strictObject({
    link,
    order: maybe(
      z.strictObject({
        priority: maybe(
          z.int().min(1).max(65_535),
          'Lower ones run first; null for what netkit did not attach.',
        ),
        place: z.int().min(1).meta({ description: 'Its place among them, from 1.' }),
        of: z.int().min(1).meta({ description: 'How many programs are on the hook.' }),
      }),
      'Where it stands among the programs on its hook; null for hooks that run one program only, and for what this user may not see.',
    ),
  }),
  ...mapDocuments,
  ...entryDocuments,
  ...entryFileDocuments,
  ...watchDocuments,
  ...hookDocuments,
  ...seeingDocuments,
  ...featureDocuments,
  ...wayBackDocuments,
  ...declaredDocuments,
  ...declaredViewDocuments,
  ...serviceDocuments,
  completion: z.strictObject({
    shell: z.enum(['bash', 'zsh', 'fish']).meta({ description: 'The shell.' }),
    script: text('The script.'),
  }),
  version: z.strictObject({
    netkit: text('The version of netkit.'),
    node: text('The version of Node.'),
    koffi: maybe(z.string(), 'The version of koffi; null when it is not installed.'),
    libbpf: maybe(z.string(), 'The version of libbpf; null when it is not found.'),
    kernel: text('The release of the kernel.'),
  }),
} as const;

/** The JSON document of every command, without `schemaVersion`, which every one has. */
export const documents = { ...others, ...benchDocuments, ...batchDocuments(others) } as const;
