import { parseFstab } from '../../../core/image/fstab';

describe('parseFstab', () => {
  it('reads what mount(8) reads', () => {
    const text = [
      '# /etc/fstab: static file system information.',
      'UUID=1b2c-34 /  ext4\tdefaults,noatime 0 1',
      '',
      'LABEL="my data" /srv/my\\040data/ ext4 nofail',
      '  /dev/xvdb\t/mnt',
      'tmpfs /tmp tmpfs size=1G 0 0',
      '/swapfile none swap sw 0 0',
      'broken',
    ].join('\n');
    expect(parseFstab(text)).toEqual([
      { source: 'UUID=1b2c-34', mountPoint: '/', type: 'ext4', options: ['defaults', 'noatime'] },
      { source: 'LABEL="my', mountPoint: 'data"', type: '/srv/my data/', options: ['ext4'] },
      { source: '/dev/xvdb', mountPoint: '/mnt', type: 'auto', options: ['defaults'] },
      { source: 'tmpfs', mountPoint: '/tmp', type: 'tmpfs', options: ['size=1G'] },
      { source: '/swapfile', mountPoint: 'none', type: 'swap', options: ['sw'] },
    ]);
  });

  it('undoes octal escapes and quotes of tags, and straightens paths', () => {
    expect(parseFstab('LABEL="my\\040data" //srv/my\\040data\\134x/./ ext4 nofail\r\n')).toEqual([
      { source: 'LABEL=my data', mountPoint: '/srv/my data\\x', type: 'ext4', options: ['nofail'] },
    ]);
  });

  it('finds nothing in an empty file', () => {
    expect(parseFstab('')).toEqual([]);
    expect(parseFstab('# nothing\n\n')).toEqual([]);
  });
});
