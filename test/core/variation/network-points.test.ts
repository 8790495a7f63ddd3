import { networkPoints } from '../../../core/variation/network-points';
import { imageOf, machineOf } from '../../support/value-machines';

const own = {
  host: 'web01',
  machineId: '0123456789abcdef0123456789abcdef',
  uuid: '6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76',
};

async function addressesOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  return (await networkPoints(await imageOf(await machineOf(own, files)))).map(({ value }) => value);
}

describe('the address of a machine', () => {
  it.each([
    ['/etc/network/interfaces', 'iface eth0 inet static\n\taddress 10.0.0.5/24\n  gateway 10.0.0.1\n'],
    ['/etc/systemd/network/eth.network', '[Network]\n Address = 10.0.0.5/24\nDNS=10.0.0.2\n'],
    ['/etc/sysconfig/network-scripts/ifcfg-eth0', 'IPADDR="10.0.0.5"\nGATEWAY=10.0.0.1\n'],
    ['/etc/NetworkManager/system-connections/eth', '[ipv4]\naddress1=10.0.0.5/24,10.0.0.1\n'],
    ['/etc/netplan/eth.yaml', 'addresses:\n  - 10.0.0.5/24\nnameservers:\n  - 10.0.0.2\n'],
    ['/etc/netplan/eth.yaml', 'addresses: [\n  "10.0.0.5/24" ]\n'],
  ])('is told by %s', async (path, text) => {
    expect(await addressesOf({ [path]: text })).toEqual(['10.0.0.5']);
  });

  it.each([
    '/etc/network/interfaces',
    '/etc/systemd/network/eth.network',
    '/etc/sysconfig/network-scripts/ifcfg-eth0',
    '/etc/NetworkManager/system-connections/eth',
    '/etc/netplan/eth.yaml',
  ])(
    'is looked for once in a file of empty lines: %s',
    async (path) => {
      expect(await addressesOf({ [path]: '\n'.repeat(300_000) })).toEqual([]);
    },
    3000,
  );
});
