// apt on a configuration of its own: other suites than the system's can be read without the system knowing of them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** One Debian suite, read from the mirror that the system's own sources name. */
export class Suite {
  #name;
  #folder;

  /** @param folder where apt keeps the suite's package lists */
  constructor(name, folder) {
    this.#name = name;
    this.#folder = join(folder, name);
    if (!existsSync(keyring)) {
      throw new Error(`${keyring} is missing: apt-get install debian-archive-keyring`);
    }
    mkdirSync(join(this.#folder, 'lists/partial'), { recursive: true });
    mkdirSync(join(this.#folder, 'cache/archives/partial'), { recursive: true });
    writeFileSync(join(this.#folder, 'status'), '');
    writeFileSync(
      join(this.#folder, 'sources.list'),
      `deb [arch=amd64 signed-by=${keyring}] ${debianMirror()} ${name} main\n`,
    );
  }

  /** Fetches the suite's list of packages. */
  update() {
    this.#run('apt-get', ['update', '-q', '--error-on=any', '-o', 'Acquire::Retries=3']);
  }

  /** The names that a package depends on without alternatives. */
  dependencies(name) {
    const fields = this.#run('apt-cache', ['show', '--no-all-versions', name]);
    const depends = /^Depends: (.*)$/m.exec(fields)?.[1] ?? '';
    return depends
      .split(/, */)
      .filter((each) => !each.includes('|'))
      .map((each) => each.split(' ')[0]);
  }

  /** Downloads packages, in the newest version that the suite has, and unpacks them into `target`. */
  unpack(names, target) {
    const downloads = mkdtempSync(join(this.#folder, 'debs-'));
    try {
      this.#run('apt-get', ['download', '-q', '-o', 'Acquire::Retries=3', ...names], downloads);
      for (const file of readdirSync(downloads)) {
        check('dpkg', spawnSync('dpkg', ['-x', join(downloads, file), target], { encoding: 'utf8' }));
      }
    } finally {
      rmSync(downloads, { recursive: true });
    }
  }

  #run(program, args, cwd = this.#folder) {
    const options = [
      `Dir::Etc::sourcelist=${join(this.#folder, 'sources.list')}`,
      'Dir::Etc::sourceparts=-',
      'Dir::Etc::preferences=-',
      'Dir::Etc::preferencesparts=-',
      `Dir::State::lists=${join(this.#folder, 'lists')}`,
      `Dir::State::status=${join(this.#folder, 'status')}`,
      `Dir::Cache=${join(this.#folder, 'cache')}`,
      'APT::Default-Release=',
      'APT::Architecture=amd64',
      'APT::Sandbox::User=root',
    ].flatMap((option) => ['-o', option]);
    const result = spawnSync(program, [...options, ...args], {
      cwd,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return check(`${program} (${this.#name})`, result);
  }
}

/** The address of a Debian mirror: that of the first of the system's sources which has Debian's packages. */
function debianMirror() {
  const format = '$(REPO_URI) $(ORIGIN) $(LABEL)';
  const result = spawnSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const lines = check('apt-get indextargets', result).split('\n');
  const address = lines.find((line) => line.endsWith(' Debian Debian'))?.split(' ')[0];
  if (address === undefined) {
    throw new Error("none of the system's package sources is a Debian mirror (is its list up to date?)");
  }
  return address;
}

function check(what, { error, status, stdout, stderr }) {
  if (error !== undefined || status !== 0) {
    throw new Error(`${what} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
  }
  return stdout;
}
