import { createHash } from 'node:crypto';
import type { FilesystemReader } from '../filesystem/filesystem';
import { fileNames, readText } from './follow-links';
import type { IdentityValues } from './identity-values';

/** The identifiers that stand outside the filesystems' content. */
export type DiskIdentifiers = Pick<
  IdentityValues,
  'filesystemUuids' | 'filesystemLabels' | 'diskUuids' | 'partUuids'
>;

const networkFiles = ['/etc/network/interfaces', '/etc/udev/rules.d/70-persistent-net.rules'];
/** Folders of network configuration: Debian, netplan, systemd-networkd, NetworkManager, Red Hat, cloud-init. */
const networkFolders: readonly { path: string; name: RegExp }[] = [
  { path: '/etc/network/interfaces.d', name: /./ },
  { path: '/etc/netplan', name: /\.yaml$/ },
  { path: '/etc/systemd/network', name: /\.(network|link|netdev)$/ },
  { path: '/etc/NetworkManager/system-connections', name: /./ },
  { path: '/etc/sysconfig/network-scripts', name: /^ifcfg-/ },
];
const MOST_NETWORK_FILES = 100;

/** Reads by what this machine differs from its twins. What is missing in the image is missing here. */
export async function readIdentityValues(
  image: FilesystemReader,
  disk: DiskIdentifiers,
): Promise<IdentityValues> {
  const hostname = firstWord(await readText(image, '/etc/hostname'));
  const network = await readNetworkTexts(image);
  return {
    ...disk,
    hostname,
    fqdn: hostname && fqdnIn((await readText(image, '/etc/hosts')) ?? '', hostname),
    machineId: /^[0-9a-f]{32}$/.exec(firstWord(await readText(image, '/etc/machine-id')) ?? '')?.[0],
    sshHostKeys: await readSshHostKeys(image),
    macAddresses: sortedSet(network.flatMap(macAddressesIn)),
    ipAddresses: sortedSet(network.flatMap(ipAddressesIn)),
    cloudInstanceId: firstWord(await readText(image, '/var/lib/cloud/data/instance-id')),
  };
}

function firstWord(text: string | undefined): string | undefined {
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '' && !line.startsWith('#'));
}

/** hosts(5): the first name of a line is the canonical one. */
function fqdnIn(hosts: string, hostname: string): string | undefined {
  for (const line of hosts.split('\n')) {
    const [address, canonical, ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (!address || !canonical?.includes('.')) continue;
    if (canonical.startsWith(`${hostname}.`) || (canonical === hostname && aliases.length > 0))
      return canonical;
  }
  return hostname.includes('.') ? hostname : undefined;
}

async function readSshHostKeys(image: FilesystemReader): Promise<Record<string, string>> {
  const keys: Record<string, string> = {};
  for (const name of await fileNames(image, '/etc/ssh')) {
    if (!/^ssh_host_[a-z0-9_]+_key\.pub$/.test(name)) continue;
    const path = `/etc/ssh/${name}`;
    const text = await readText(image, path);
    if (text !== undefined) keys[path] = createHash('sha256').update(text).digest('hex');
  }
  return keys;
}

async function readNetworkTexts(image: FilesystemReader): Promise<string[]> {
  const paths = [...networkFiles];
  for (const { path, name: pattern } of networkFolders) {
    const names = (await fileNames(image, path)).filter((name) => pattern.test(name));
    paths.push(...names.map((name) => `${path}/${name}`));
  }
  const texts = await Promise.all(paths.slice(0, MOST_NETWORK_FILES).map((path) => readText(image, path)));
  return texts.flatMap((text) => (text === undefined ? [] : [withoutComments(text)]));
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');
}

function macAddressesIn(text: string): string[] {
  return (text.match(/(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])/gi) ?? []).map((mac) =>
    mac.toLowerCase(),
  );
}

function ipAddressesIn(text: string): string[] {
  const v4 = (text.match(/(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g) ?? []).filter(
    (address) => address.split('.').every((part) => Number(part) <= 255) && !/^(?:0|127|255)\./.test(address),
  );
  const v6 = (text.match(/(?<![0-9a-z:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![0-9a-z:])/gi) ?? []).filter(
    (address) => isIpv6(address) && address !== '::' && address !== '::1',
  );
  return [...v4, ...v6.map((address) => address.toLowerCase())];
}

/** RFC 4291: eight groups, or `::` once in the place of some. */
function isIpv6(text: string): boolean {
  const shortened = text.split('::').length - 1;
  const groups = text.split(':').filter((group) => group !== '').length;
  return shortened === 1 ? groups < 8 : shortened === 0 && groups === 8;
}

function sortedSet(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
