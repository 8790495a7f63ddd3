import { fileNames, readText } from '../image/follow-links';
import type { Image } from '../image/image';
import type { PointOfVariation } from './points-of-variation';
import { macForms } from './value-forms';

/**
 * Where an address of the machine's own is set, and not a gateway's or a name server's: one group, the address. Blanks do
 * not reach over lines: a file of empty ones would be searched from each of them to the end.
 */
const SETTINGS: readonly { readonly folder: string; readonly name: RegExp; readonly address: RegExp }[] = [
  // interfaces(5)
  { folder: '/etc/network', name: /^interfaces$/, address: /^[ \t]*address[ \t]+([0-9a-f.:]+)/gim },
  { folder: '/etc/network/interfaces.d', name: /./, address: /^[ \t]*address[ \t]+([0-9a-f.:]+)/gim },
  // systemd.network(5)
  {
    folder: '/etc/systemd/network',
    name: /\.network$/,
    address: /^[ \t]*Address[ \t]*=[ \t]*([0-9a-f.:]+)/gim,
  },
  // Red Hat's network scripts (/usr/share/doc/initscripts/sysconfig.txt)
  {
    folder: '/etc/sysconfig/network-scripts',
    name: /^ifcfg-/,
    address: /^[ \t]*IPADDR\d?[ \t]*=[ \t]*["']?([0-9a-f.:]+)/gim,
  },
  // nm-settings-keyfile(5)
  {
    folder: '/etc/NetworkManager/system-connections',
    name: /./,
    address: /^[ \t]*address\d*[ \t]*=[ \t]*([0-9a-f.:]+)/gim,
  },
  // netplan(5): `addresses: [10.0.0.5/24]`, or a list with a dash; those of name servers have no prefix length.
  {
    folder: '/etc/netplan',
    name: /\.yaml$/,
    address: /(?:^[ \t]*-[ \t]*|[[,]\s*)["']?([0-9a-f.:]+)\/\d{1,3}\b/gim,
  },
];
const MOST_FILES = 100;

/**
 * Addresses of a machine's own network cards, as far as its configuration sets them. Only one that is alone of its kind is
 * known for what it is on every machine; where there are more, none is.
 */
export async function networkPoints(image: Image): Promise<PointOfVariation[]> {
  const addresses = new Set<string>();
  let files = 0;
  for (const { folder, name, address } of SETTINGS) {
    for (const file of await fileNames(image, folder)) {
      if (!name.test(file) || files++ >= MOST_FILES) continue;
      const text = (await readText(image, `${folder}/${file}`)) ?? '';
      for (const [, found] of text.matchAll(address)) addresses.add(found!.toLowerCase());
    }
  }
  const own = [...addresses].filter((address) => image.identity.ipAddresses.includes(address));
  const v4 = own.filter((address) => address.includes('.'));
  const v6 = own.filter((address) => address.includes(':'));
  const points: PointOfVariation[] = [];
  const addOnly = (name: string, found: readonly string[]): void => {
    if (found.length !== 1) return;
    points.push({ name, value: found[0]!, label: 'IP address', strength: 'word', where: 'configuration' });
  };
  addOnly('ip-address', v4);
  addOnly('ipv6-address', v6);
  const { macAddresses } = image.identity;
  if (macAddresses.length === 1) points.push(...macForms('mac-address', macAddresses[0]!));
  return points;
}
