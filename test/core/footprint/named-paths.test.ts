import fc from 'fast-check';
import { asksForAllPackages, namedPaths, namedWords, wholeTables } from '../../../core/footprint/named-paths';

const found = (text: string) => {
  const { paths, folders } = namedPaths(text);
  return { paths: [...paths], folders: [...folders] };
};

describe('namedPaths', () => {
  it.each<[string, string[], string[]]>([
    ['[ -f /etc/app.conf ] && . /etc/default/app', ['/etc/app.conf', '/etc/default/app'], []],
    [`cp "/srv/a b" '/opt/x/y.z'`, ['/srv/a', '/opt/x/y.z'], []],
    ['for f in /etc/app.d/*.conf; do cat $f; done', [], ['/etc/app.d']],
    ['find / -xdev -perm -4000', [], ['/']],
    ['ls /etc/cron.d/', ['/etc/cron.d'], []],
    ['a=/etc/app:/usr/share/app', ['/etc/app', '/usr/share/app'], []],
    ['cat $ROOT/etc/x ${D}/usr/x ./etc/y ../usr/y a/etc/z', [], []],
    ['cat /etc/$NAME /usr/lib/$(uname -r)/x', [], []],
    ['curl http://example.org/etc/x; sed s/a/b/', [], []],
    ['cat /proc/cpuinfo /sys/x /etc/../root/x', [], []],
  ])('%s', (text, paths, folders) => {
    expect(found(text)).toEqual({ paths, folders });
  });

  it('ends for any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('/', 'e', 't', 'c', '.', '*', '$', '{', ':', ' ', '"') }),
        (text) => {
          for (const path of namedPaths(`/etc/${text.repeat(20)}`).paths) expect(path).toMatch(/^\/[a-z]/);
        },
      ),
    );
  });
});

describe('namedWords', () => {
  it('are what could be names of packages and accounts', () => {
    expect([...namedWords('dpkg -s libssl3 && id www-data; echo "$HOME/x" > /etc/motd')]).toEqual([
      'dpkg',
      'libssl3',
      'id',
      'www-data',
      'echo',
    ]);
  });
});

describe('asksForAllPackages', () => {
  it.each([
    'dpkg -l',
    'dpkg -l | grep -c ii',
    'dpkg-query -W > /root/list',
    "dpkg-query -W -f='${Package}\\n' | sort",
    'apt-get -y upgrade',
    'apt list --installed',
    'apt-get autoremove -y',
    'unattended-upgrade -d',
    'rpm -qa',
    'dnf -y upgrade',
  ])('%s', (text) => {
    expect(asksForAllPackages(text)).toBe(true);
  });

  it.each([
    'dpkg -l nginx',
    'dpkg -s nginx',
    'apt-get install -y nginx',
    'rpm -q bash',
    'dnf install -y x',
    'echo upgrade',
  ])('not %s', (text) => {
    expect(asksForAllPackages(text)).toBe(false);
  });
});

test('getent without a key asks for the whole table', () => {
  expect(wholeTables('getent passwd | cut -d: -f1')).toEqual(['/etc/passwd']);
  expect(wholeTables('getent group adm')).toEqual([]);
});
