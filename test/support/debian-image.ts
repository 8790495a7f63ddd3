import { MemoryFilesystem } from './memory-filesystem';

/** A stanza of dpkg's database for an installed package. */
function stanza([name, version]: [string, string], status = 'install ok installed'): string {
  return `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: ${version}\nDescription: ${name}\n\n`;
}

export interface DebianFiles {
  /** Version by name. */
  readonly packages?: Readonly<Record<string, string>>;
  /** What the security archive offers, by name; as apt-get update leaves it. */
  readonly offers?: Readonly<Record<string, string>>;
  /** Packages that an administrator holds. */
  readonly held?: readonly string[];
}

const LISTS = '/var/lib/apt/lists/security.debian.org_debian-security_dists_bookworm-security';

/** The files of a Debian machine from which packages and what is offered for them are read. */
export async function debianFilesystem({
  packages = {},
  offers,
  held = [],
}: DebianFiles): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await putPackages(filesystem, packages, held);
  await filesystem.put('/var/lib/dpkg/arch', 'amd64\n');
  await filesystem.put('/etc/apt/sources.list', 'deb http://security.debian.org bookworm-security main\n');
  if (offers !== undefined) {
    const release =
      'Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: bookworm-security\n';
    await filesystem.put(`${LISTS}_InRelease`, release);
    const offered = Object.entries(offers).map(
      ([name, version]) =>
        `Package: ${name}\nArchitecture: amd64\nVersion: ${version}\nFilename: ${name}.deb\n\n`,
    );
    await filesystem.put(`${LISTS}_main_binary-amd64_Packages`, offered.join(''));
  }
  return filesystem;
}

export async function putPackages(
  filesystem: MemoryFilesystem,
  packages: Readonly<Record<string, string>>,
  held: readonly string[] = [],
): Promise<void> {
  const stanzas = Object.entries(packages).map((entry) =>
    stanza(entry, held.includes(entry[0]) ? 'hold ok installed' : undefined),
  );
  await filesystem.put('/var/lib/dpkg/status', stanzas.join(''));
}
