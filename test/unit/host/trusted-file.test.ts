import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { refuseUntrusted } from '../../../src/host/trusted-file.js';
import { describeWith } from '../../support/requirements.js';

const me = process.getuid?.() ?? 0;
/** Root behind whom this user stands, so that what the test makes is trusted whoever runs it. */
const root = { euid: 0, sudoUid: me };

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'netkit trust-'));
  file = join(folder, 'fw.yaml');
  writeFileSync(file, '', { mode: 0o644 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is said of a path; undefined when it is trusted. */
function refusal(path: string, reader = root): string | undefined {
  try {
    refuseUntrusted(path, 'manifest', reader);
    return undefined;
  } catch (error) {
    if (!(error instanceof NetkitError)) throw error;
    return `${error.code}: ${error.message} (${error.hint})`;
  }
}

describe('a file that root is to obey', () => {
  it('is taken when only trusted users can write it, also below a sticky folder such as /tmp', () => {
    expect(refusal(file)).toBeUndefined();
    chmodSync(folder, 0o1777);
    expect(refusal(file)).toBeUndefined();
  });

  it('is refused when everybody can write it, with the command that mends that', () => {
    chmodSync(file, 0o646);
    expect(refusal(file)).toBe(
      `not-permitted: the manifest '${file}' is not trusted: it can be written by everybody (its mode is 0646), and netkit runs as root (chmod o-w '${file}')`,
    );
  });

  it('is refused when the folder that it is in can be written by everybody, and is not sticky', () => {
    chmodSync(folder, 0o757);
    expect(refusal(file)).toContain(`'${folder}' can be written by everybody (its mode is 0757)`);
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'fw.yaml'), '');
    expect(refusal(join(inner, 'fw.yaml'))).toContain(`'${folder}' can be written by everybody`);
  });

  it('is refused when a symbolic link in a folder of that kind leads to it', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o757);
    symlinkSync(file, join(open, 'link.yaml'));
    symlinkSync('open/link.yaml', join(folder, 'again.yaml'));
    expect(refusal(file)).toBeUndefined();
    expect(refusal(join(open, 'link.yaml'))).toContain(`'${open}' can be written by everybody`);
    expect(refusal(join(folder, 'again.yaml'))).toContain(`'${open}' can be written by everybody`);
    chmodSync(open, 0o755);
    expect(refusal(join(folder, 'again.yaml'))).toBeUndefined();
  });

  it('is judged by where its path really leads, not by its letters', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o757);
    mkdirSync(join(open, 'below'));
    symlinkSync('open/below', join(folder, 'way'));
    writeFileSync(join(open, 'fw.yaml'), '');
    // By its letters this is the trusted file beside the link.
    expect(refusal(`${join(folder, 'way')}/../fw.yaml`)).toContain(`'${open}' can be written`);
  });

  it('may be any when netkit does not run as root', () => {
    chmodSync(file, 0o666);
    expect(refusal(file, { euid: 1000, sudoUid: me })).toBeUndefined();
    expect(refusal(join(folder, 'none'), { euid: 1000, sudoUid: me })).toBeUndefined();
  });

  it('that is not there is not found, and a loop of links is one', () => {
    expect(refusal(join(folder, 'none.yaml'))).toContain('not-found: cannot read');
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    expect(refusal(join(folder, 'a'))).toContain('its symbolic links form a loop');
  });

  it('may be what this process has open, whose path means nothing', () => {
    for (const path of ['/proc/self/fd/0', '/dev/stdin', '/dev/fd/0']) expect(refusal(path)).toBeUndefined();
  });
});

const asRoot = { check: () => (process.geteuid?.() === 0 ? undefined : 'root, who alone gives files away') };

describeWith(asRoot, 'a file of somebody else', () => {
  const stranger = 54321;

  it('is refused', () => {
    chownSync(file, stranger, 0);
    expect(refusal(file)).toBe(
      `not-permitted: the manifest '${file}' is not trusted: it belongs to user ${stranger}, and netkit runs as root (chown root '${file}')`,
    );
  });

  it('is taken when that is the user behind sudo', () => {
    chownSync(file, stranger, 0);
    expect(refusal(file, { euid: 0, sudoUid: stranger })).toBeUndefined();
  });

  it('is refused below a folder of theirs, and behind a link of theirs', () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'fw.yaml'), '');
    chownSync(inner, stranger, 0);
    expect(refusal(join(inner, 'fw.yaml'))).toContain(`'${inner}' belongs to user ${stranger}`);
    const link = join(folder, 'link');
    symlinkSync(file, link);
    lchownSync(link, stranger, 0);
    expect(refusal(link)).toContain(`it belongs to user ${stranger}, and netkit runs as root (chown -h root`);
  });

  it('is refused when a group can write it, unless that is the group of root', () => {
    chownSync(file, 0, 0);
    chmodSync(file, 0o664);
    expect(refusal(file)).toBeUndefined();
    chownSync(file, 0, stranger);
    expect(refusal(file)).toContain(`it can be written by group ${stranger} (its mode is 0664)`);
    expect(refusal(file)).toContain('(chmod g-w ');
    chmodSync(file, 0o666);
    expect(refusal(file)).toContain('(chmod go-w ');
  });

  it('is refused also in a sticky folder, and so is a sticky folder of theirs', () => {
    chmodSync(folder, 0o1777);
    chownSync(file, stranger, 0);
    expect(refusal(file)).toContain('it belongs to user');
    chownSync(file, 0, 0);
    chownSync(folder, stranger, 0);
    expect(refusal(file)).toContain(`'${folder}' belongs to user ${stranger}`);
  });
});
