/** A file system that is mounted nowhere: nobody else sees it, and it goes with its descriptor. Kernel 5.2. */
import { declareAs, invoke } from './call.js';
import { Fd } from './fd.js';
import { cString } from './libc.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declareAs('fsopen', 'libc', 'long syscall(long number, void *type, unsigned int flags)');
declareAs(
  'fsconfig',
  'libc',
  'long syscall(long number, int fd, unsigned int command, void *key, void *value, int extra)',
);
declareAs(
  'fsmount',
  'libc',
  'long syscall(long number, int fd, unsigned int flags, unsigned int attributes)',
);

/** The same numbers on every machine. */
const numbers = { fsopen: 430, fsconfig: 431, fsmount: 432 } as const;

/** A file system of this type; its files are below /proc/self/fd/N. Needs CAP_SYS_ADMIN. @throws SysError ENODEV without such a type */
export function openFileSystem(type: string): Fd {
  const operation = `open a file system of type ${type}`;
  using context = new Fd(
    checked(operation, invoke('fsopen', [numbers.fsopen, cString(type), uapi.FSOPEN_CLOEXEC])),
  );
  const configured = [numbers.fsconfig, context.value, uapi.FSCONFIG_CMD_CREATE, null, null, 0];
  checked(operation, invoke('fsconfig', configured));
  return new Fd(
    checked(operation, invoke('fsmount', [numbers.fsmount, context.value, uapi.FSMOUNT_CLOEXEC, 0])),
  );
}
