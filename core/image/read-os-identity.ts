import type { FilesystemReader } from '../filesystem/filesystem';
import { dpkgStatusText } from '../records/debian-packages';
import { readU16 } from '../bytes/little-endian';
import { followLinks, readHead, readText } from './follow-links';
import type { OsIdentity, PackageSystem } from './os-identity';

/** ELF e_machine, in Debian's spelling and in RPM's. */
const machines: Readonly<Record<number, { readonly dpkg: string; readonly rpm: string }>> = {
  3: { dpkg: 'i386', rpm: 'i686' },
  40: { dpkg: 'armhf', rpm: 'armv7hl' },
  62: { dpkg: 'amd64', rpm: 'x86_64' },
  183: { dpkg: 'arm64', rpm: 'aarch64' },
  243: { dpkg: 'riscv64', rpm: 'riscv64' },
};

/** Reads what system an image holds; `unknown` and `linux` where it does not say. Links are followed within the image. */
export async function readOsIdentity(image: FilesystemReader): Promise<OsIdentity> {
  const release = parseOsRelease(
    (await readText(image, '/etc/os-release')) ?? (await readText(image, '/usr/lib/os-release')) ?? '',
  );
  const packageSystem = await findPackageSystem(image);
  return {
    id: release.get('ID') ?? 'linux',
    versionId: release.get('VERSION_ID') ?? '',
    name: release.get('PRETTY_NAME') ?? release.get('NAME') ?? 'Linux',
    architecture:
      (packageSystem === 'dpkg' ? await dpkgArchitecture(image) : undefined) ??
      (await elfArchitecture(image, packageSystem)) ??
      'unknown',
    packageSystem,
  };
}

/** os-release(5): shell assignments, with the shell's quotes and escapes. */
export function parseOsRelease(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const assignment = /^([A-Za-z0-9_]+)=(.*)$/.exec(line.trim());
    if (assignment) values.set(assignment[1] ?? '', unquote(assignment[2] ?? ''));
  }
  return values;
}

function unquote(value: string): string {
  const single = /^'([^']*)'$/.exec(value);
  if (single) return single[1] ?? '';
  const double = /^"(.*)"$/.exec(value);
  return (double?.[1] ?? value).replace(/\\(["'$\\`])/g, '$1');
}

async function findPackageSystem(image: FilesystemReader): Promise<PackageSystem> {
  if (await image.lstat('/var/lib/dpkg/status')) return 'dpkg';
  for (const path of ['/usr/lib/sysimage/rpm', '/var/lib/rpm']) {
    for (const database of ['rpmdb.sqlite', 'Packages', 'Packages.db']) {
      if (await followLinks(image, `${path}/${database}`)) return 'rpm';
    }
  }
  return 'none';
}

/** dpkg's own: `arch` names the native architecture first, and exists where foreign ones were added. */
async function dpkgArchitecture(image: FilesystemReader): Promise<string | undefined> {
  const native = (await readText(image, '/var/lib/dpkg/arch'))?.split('\n')[0]?.trim();
  if (native) return native;
  const status = (await dpkgStatusText(image)) ?? '';
  for (const name of ['dpkg', 'libc6']) {
    const stanza = status.startsWith(`Package: ${name}\n`) ? 0 : status.indexOf(`\n\nPackage: ${name}\n`);
    if (stanza < 0) continue;
    const end = status.indexOf('\n\n', stanza + 2);
    const architecture = /^Architecture: *(\S+)/m.exec(status.slice(stanza, end < 0 ? undefined : end))?.[1];
    if (architecture && architecture !== 'all') return architecture;
  }
  return undefined;
}

async function elfArchitecture(image: FilesystemReader, system: PackageSystem): Promise<string | undefined> {
  for (const program of ['/bin/sh', '/usr/bin/env', '/sbin/init']) {
    const head = await readHead(image, program, 20);
    if (!head || head.length < 20 || Buffer.from(head).toString('latin1', 0, 4) !== '\x7fELF') continue;
    const machine = machines[readU16(head, 18)];
    if (machine) return system === 'rpm' ? machine.rpm : machine.dpkg;
  }
  return undefined;
}
