import { parseFstab } from '../../../local/disks/fstab';

test('filesystems of disks are taken, in the order of the file', () => {
  const text = `# a comment
UUID="1-2" / ext4 defaults 0 1
LABEL=data\t/srv/with\\040blank xfs nofail,ro
/dev/mapper/fleet-var /var xfs defaults 0 0
`;
  expect(parseFstab(text)).toEqual([
    { source: 'UUID=1-2', mountPoint: '/', kind: 'ext4', options: ['defaults'] },
    { source: 'LABEL=data', mountPoint: '/srv/with blank', kind: 'xfs', options: ['nofail', 'ro'] },
    { source: '/dev/mapper/fleet-var', mountPoint: '/var', kind: 'xfs', options: ['defaults'] },
  ]);
});

test('swap, kernel filesystems, the network and noauto are not mounted', () => {
  const text = `UUID=3 none swap sw 0 0
tmpfs /tmp tmpfs defaults 0 0
server:/home /home nfs defaults 0 0
UUID=4 /backup ext4 noauto 0 0
`;
  expect(parseFstab(text)).toEqual([]);
});
