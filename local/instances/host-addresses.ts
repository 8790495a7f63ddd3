import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Addresses that lead back to this host, or to what only its neighbours should reach. */
function hostAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet('0.0.0.0', 8);
  list.addSubnet('127.0.0.0', 8);
  list.addSubnet('169.254.0.0', 16);
  list.addAddress('::', 'ipv6');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  for (const { address, family } of Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses ?? [],
  ))
    list.addAddress(address.split('%')[0] ?? address, family === 'IPv6' ? 'ipv6' : 'ipv4');
  return list;
}

/** Whether an address, not a name, leads back to this host. */
export function leadsToHost(address: string): boolean {
  const plain = address.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(plain);
  if (family === 0) return /^(localhost|.*\.localhost)$/i.test(plain);
  return hostAddresses().check(plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** Looks a name up for a connection, and refuses names of this host. */
export const lookupElsewhere: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, '');
    const elsewhere = (found as LookupAddress[]).filter(({ address }) => !leadsToHost(address));
    const [first] = elsewhere;
    if (!first) return callback(new Error(`${hostname} is this host, which machines do not reach`), '');
    if (options.all) callback(null, elsewhere);
    else callback(null, first.address, first.family);
  });
};
