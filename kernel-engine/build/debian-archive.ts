import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from './build-error';
import { type LockedPackage, sha256 } from './package-lock';
import { runProgram } from './run-program';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEFAULT_MIRROR = 'http://deb.debian.org';
const ARCHITECTURE = 'amd64';

export interface Candidate {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/**
 * One suite of the Debian archive by an apt configuration of its own: nothing of the host's is read or changed but its
 * proxies. apt checks the signatures.
 */
export class DebianArchive {
  private constructor(
    private readonly folder: string,
    private readonly options: readonly string[],
  ) {}

  /** @param folder for apt's state, and the packages that were fetched @throws BuildError */
  static async open(
    folder: string,
    { suite, mirror = DEFAULT_MIRROR }: { suite: string; mirror?: string },
  ): Promise<DebianArchive> {
    await access(KEYRING).catch((cause: unknown) => {
      throw new BuildError(`there is no ${KEYRING}`, 'Install it: apt-get install debian-archive-keyring', {
        cause,
      });
    });
    const apt = join(folder, 'apt');
    for (const made of ['etc/preferences.d', 'state/lists/partial', 'cache/archives/partial']) {
      await mkdir(join(apt, made), { recursive: true });
    }
    const sources = [
      [`${mirror}/debian`, suite],
      [`${mirror}/debian`, `${suite}-updates`],
      [`${mirror}/debian-security`, `${suite}-security`],
    ];
    await writeFile(
      join(apt, 'sources.list'),
      sources.map(([uri, name]) => `deb [signed-by=${KEYRING}] ${uri} ${name} main\n`).join(''),
    );
    await writeFile(join(apt, 'status'), '');
    const settings = {
      'Dir::Etc': join(apt, 'etc'),
      'Dir::Etc::sourcelist': join(apt, 'sources.list'),
      'Dir::Etc::sourceparts': '-',
      'Dir::State': join(apt, 'state'),
      'Dir::State::status': join(apt, 'status'),
      'Dir::Cache': join(apt, 'cache'),
      // Container images of Debian switch them off, and each call would parse all lists again.
      'Dir::Cache::pkgcache': 'pkgcache.bin',
      'Dir::Cache::srcpkgcache': 'srcpkgcache.bin',
      'APT::Architecture': ARCHITECTURE,
      'APT::Architectures': ARCHITECTURE,
      'APT::Sandbox::User': 'root',
      'Acquire::Languages': 'none',
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    return new DebianArchive(folder, options);
  }

  /** Fetches the lists of packages. */
  async update(): Promise<void> {
    await this.apt('apt-get', ['-qq', 'update']);
  }

  /** The newest version that the suite has. @throws BuildError when it has none */
  async newest(name: string): Promise<Candidate> {
    const [stanza = ''] = (await this.apt('apt-cache', ['show', '--no-all-versions', name]))
      .toString()
      .split('\n\n');
    const field = (key: string): string | undefined =>
      stanza
        .split('\n')
        .find((line) => line.startsWith(`${key}: `))
        ?.slice(key.length + 2);
    const [found, version, digest] = [field('Package'), field('Version'), field('SHA256')];
    if (found === undefined || version === undefined || digest === undefined) {
      throw new BuildError(`the archive has no package ${name}`);
    }
    return { name: found, version, sha256: digest };
  }

  /** The package that an empty package of this name needs: a kernel's name carries its version. */
  async dependencyOf(name: string, pattern: RegExp): Promise<string> {
    const text = (await this.apt('apt-cache', ['depends', name])).toString();
    const found = [...text.matchAll(/^\s*Depends: (\S+)$/gm)].map(([, dependency]) => dependency!);
    const wanted = found.find((dependency) => pattern.test(dependency));
    if (wanted === undefined) throw new BuildError(`the package ${name} needs no ${pattern}`);
    return wanted;
  }

  /** Names of the package and of all that must be there with it. */
  async withDependencies(name: string): Promise<string[]> {
    const simulated = await this.apt('apt-get', ['-s', '--no-install-recommends', 'install', name]);
    return [...simulated.toString().matchAll(/^Inst (\S+)/gm)].map(([, installed]) => installed!);
  }

  /** True when the suite still has exactly this version. */
  async offers({ name, version, sha256: digest }: LockedPackage): Promise<boolean> {
    const stanzas = (await this.apt('apt-cache', ['show', name]).catch(() => Buffer.from(''))).toString();
    return stanzas
      .split('\n\n')
      .some((stanza) => stanza.includes(`\nVersion: ${version}\n`) && stanza.includes(`\nSHA256: ${digest}`));
  }

  /**
   * The packages as files, by name. What was fetched before is used again.
   * @throws BuildError when the archive has a version no more, or the bytes are not those that were pinned
   */
  async fetch(wanted: readonly LockedPackage[]): Promise<Map<string, string>> {
    const missing: LockedPackage[] = [];
    for (const entry of wanted) if (!(await this.has(entry))) missing.push(entry);
    if (missing.length > 0) await this.download(missing);
    return new Map(wanted.map((entry) => [entry.name, this.keptPath(entry)]));
  }

  /** True when the package needs no archive. */
  async has(wanted: LockedPackage): Promise<boolean> {
    const known = await readFile(this.keptPath(wanted)).catch(() => undefined);
    return known !== undefined && sha256(known) === wanted.sha256;
  }

  private async download(wanted: readonly LockedPackage[]): Promise<void> {
    await mkdir(join(this.folder, 'packages'), { recursive: true });
    const download = await mkdtemp(join(this.folder, 'download-'));
    try {
      const names = wanted.map(({ name, version }) => `${name}=${version}`);
      await this.apt('apt-get', ['-qq', 'download', ...names], download);
      const files = await readdir(download);
      for (const entry of wanted) {
        const file = files.find((candidate) => candidate.startsWith(`${entry.name}_`));
        if (file === undefined) throw new BuildError(`apt-get downloaded no file of ${entry.name}`);
        const digest = sha256(await readFile(join(download, file)));
        if (digest !== entry.sha256) {
          throw new BuildError(
            `the package ${entry.name} ${entry.version} is not the one that was pinned: its SHA-256 is ${digest}`,
            'Do not use this mirror.',
          );
        }
        await rename(join(download, file), this.keptPath(entry));
      }
    } finally {
      await rm(download, { recursive: true });
    }
  }

  private keptPath({ name, sha256: digest }: LockedPackage): string {
    return join(this.folder, 'packages', `${name}_${digest.slice(0, 16)}.deb`);
  }

  private apt(program: 'apt-get' | 'apt-cache', args: readonly string[], cwd?: string): Promise<Buffer> {
    return runProgram(program, [...this.options, ...args], {
      cwd,
      nextStep: 'The build needs a Debian or Ubuntu system and its archive. Check that it can be reached.',
    });
  }
}
