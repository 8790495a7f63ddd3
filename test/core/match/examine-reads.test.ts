import { matchImage } from '../../../core/match/match-image';
import { codecFor } from '../../../core/records/registry';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { captureUpdate } from '../../support/pipeline';
import { recordingOf } from '../../support/recordings';

/**
 * One update of the package `app` on a small Debian machine, and members that are as the representative but for one thing.
 * The update would do something else on the first ones, and the same on the others.
 */
const plain = { mode: 0o644, uid: 0, gid: 0, xattrs: new Map<string, Uint8Array>() };
const ELF = '\x7fELF program';
const TIME = 1_600_000_000_000_000_000n;

const stanza = (name: string, version: string, fields = ''): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n${fields}Description: ${name}\n`;
const CONFFILES = `Conffiles:\n /etc/app.conf ${'0'.repeat(32)}\n /etc/logrotate.d/app ${'0'.repeat(32)}\n`;

interface Packages {
  readonly [name: string]: readonly [version: string, fields?: string];
}
const installed: Packages = {
  app: ['1.0-1', CONFFILES],
  libapp: ['1.0-1'],
  tool: ['2.0-1'],
  'man-db': ['2.11-1'],
};

async function put(filesystem: MemoryFilesystem, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const isProgram = /\/s?bin\/|postinst$/.test(path);
    await filesystem.makeParents(path);
    const metadata = { ...plain, mode: isProgram ? 0o755 : 0o644, mtimeNs: TIME };
    await filesystem.writeFile(path, new TextEncoder().encode(content), metadata);
  }
}

async function putStatus(filesystem: MemoryFilesystem, packages: Packages): Promise<void> {
  const names = Object.keys(packages).sort();
  const text = names.map((name) => stanza(name, ...packages[name]!)).join('\n');
  await put(filesystem, { '/var/lib/dpkg/status': `${text}\n` });
}

async function machine(hostname = 'web-17'): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await putStatus(filesystem, installed);
  await put(filesystem, {
    '/etc/hostname': `${hostname}\n`,
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nsvc:x:101:101::/:/bin/sh\n',
    '/etc/group': 'root:x:0:\n',
    '/etc/shadow': 'root:*:19000:0:99999:7:::\nsvc:$y$j9T$salt$hash:19000:0:90:7:::\n',
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    '/etc/app.conf': 'level = 1\n',
    '/etc/logrotate.d/app': 'weekly\n',
    '/etc/site.conf': `listen = ${hostname}\n`,
    '/etc/words.conf': 'mode = safe\n',
    '/etc/dpkg/dpkg.cfg.d/own': 'no-debsig\n',
    '/etc/systemd/system/multi-user.target.wants/cron.service': '',
    '/etc/localtime': 'UTC',
    '/etc/hosts': `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n`,
    '/etc/apt/apt.conf.d/20auto-upgrades': 'APT::Periodic::Unattended-Upgrade "1";\n',
    '/var/lib/dpkg/alternatives/awk': 'auto\n/usr/bin/awk\n\n/usr/bin/mawk\n5\n\n',
    '/srv/data/file': 'data',
    '/usr/bin/app': 'version 1, reads /etc/app.conf',
    '/usr/bin/tool': ELF,
    '/usr/bin/mawk': ELF,
    '/usr/bin/gawk': ELF,
    // The blank lines are searched for comments, which must not take minutes.
    '/usr/sbin/helper': `#!/bin/sh\n${'\n'.repeat(100_000)}  # /etc/only-in-a-comment\n[ -e /etc/app.flag ] && exec tool\n`,
    '/usr/share/tool/table': 'one\n',
    '/usr/share/app/same': 'the same in both versions',
    '/usr/share/man/man1/app.1': 'manual',
    '/var/lib/dpkg/info/app.list': '/usr/bin/app\n/usr/share/app/same\n/etc/app.conf\n/etc/logrotate.d/app\n',
    '/var/lib/dpkg/info/tool.list': '/usr/bin/tool\n/usr/sbin/helper\n/usr/share/tool/table\n',
    '/var/lib/dpkg/triggers/File': '/usr/share/man man-db\n',
    '/var/lib/dpkg/diversions': '',
    '/var/lib/dpkg/statoverride': '',
    '/var/cache/debconf/config.dat': 'Name: app/port\nValue: 80\nOwners: app\n\n',
  });
  await filesystem.makeParents('/etc/alternatives/awk');
  await filesystem.symlink('/etc/alternatives/awk', '/usr/bin/mawk', { ...plain, mtimeNs: TIME });
  return filesystem;
}

const updated: Packages = {
  ...installed,
  app: ['1.1-1', `${CONFFILES}Depends: libapp (>= 1.0)\nBreaks: old-app\n`],
};
const recording = recordingOf({
  read: [
    '/etc/site.conf',
    '/etc/words.conf',
    '/etc/nsswitch.conf',
    '/etc/app.conf',
    '/etc/logrotate.d/app',
    '/usr/share/man/man1/app.1',
    '/usr/share/tool/table',
    '/usr/bin/app',
    '/var/lib/dpkg/status',
  ],
  executed: ['/usr/bin/tool', '/usr/bin/mawk', '/usr/sbin/helper'],
  listed: [
    '/etc/apt/apt.conf.d',
    '/etc/dpkg/dpkg.cfg.d',
    '/etc/systemd/system/multi-user.target.wants',
    '/srv/data',
    '/usr/share/man/man1',
    '/usr/bin',
  ],
  written: ['/usr/bin/app', '/usr/share/app/same', '/var/lib/dpkg/status', '/usr/share/man/man1/new.1'],
});

/** What tools read that a check calls, and that it does not name. */
const recordingOfCheck = recordingOf({
  read: [
    '/etc/localtime',
    '/etc/hosts',
    '/etc/shadow',
    '/etc/apt/apt.conf.d/20auto-upgrades',
    '/var/lib/dpkg/alternatives/awk',
  ],
  listed: ['/etc/apt/apt.conf.d'],
});

async function captured(commands?: readonly string[], kind: 'script' | 'compliance' = 'script') {
  const before = await machine();
  const after = before.clone();
  await putStatus(after, updated);
  await put(after, { '/usr/bin/app': 'version 2, reads /etc/app.conf', '/usr/share/man/man1/new.1': 'new' });
  await after.writeFile('/usr/share/app/same', new TextEncoder().encode('the same in both versions'), {
    ...plain,
    mtimeNs: TIME + 1n,
  });
  const { manifest } = await captureUpdate(
    new MemoryImage(before, { identity: { hostname: 'web-17' } }),
    new MemoryImage(after, { identity: { hostname: 'web-17' } }),
    {
      codecFor,
      recording: kind === 'compliance' ? recordingOfCheck : recording,
      update:
        commands === undefined
          ? { name: 'app', kind: 'packages', select: ['app'] }
          : { name: 'app', kind, commands: [...commands] },
    },
  );
  return { manifest, after };
}

type Change = (member: MemoryFilesystem) => Promise<void> | void;
const files =
  (changed: Readonly<Record<string, string>>): Change =>
  (member) =>
    put(member, changed);
const packages =
  (changed: Packages): Change =>
  (member) =>
    putStatus(member, { ...installed, ...changed });

async function differences(
  change: Change,
  commands?: readonly string[],
  hostname = 'web-17',
  kind: 'script' | 'compliance' = 'script',
): Promise<string[]> {
  const { manifest } = await captured(commands, kind);
  const member = await machine(hostname);
  await change(member);
  const image = new MemoryImage(member, { identity: { hostname } });
  const match = await matchImage(manifest, image, { codecFor });
  expect(match.matched).toBe(match.differences.length === 0);
  return match.differences.map(({ path, record, why }) => [path, record, why].filter(Boolean).join(' | '));
}

describe('the update would do something else where', () => {
  it.each<[string, Change, RegExp]>([
    ['a setting that it read is another', files({ '/etc/site.conf': 'listen = *\n' }), /^\/etc\/site.conf /],
    ['its own setting is another', files({ '/etc/app.conf': 'level = 2\n' }), /^\/etc\/app.conf /],
    ['a setting is gone', (member) => member.remove('/etc/site.conf'), /site.conf .*is not on this machine/],
    ['there is one more piece of settings', files({ '/etc/dpkg/dpkg.cfg.d/more': '' }), /dpkg.cfg.d /],
    ['something stands where a script looks for it', files({ '/etc/app.flag': '' }), /app.flag .*here it is/],
    [
      'an alternative leads elsewhere',
      async (member) => {
        await member.remove('/etc/alternatives/awk');
        await member.symlink('/etc/alternatives/awk', '/usr/bin/gawk', { ...plain, mtimeNs: TIME });
      },
      /alternatives\/awk /,
    ],
    [
      'another program of that name comes first',
      files({ '/usr/local/bin/tool': ELF }),
      /^\/usr\/local\/bin /,
    ],
    ['a program is of another version', packages({ tool: ['2.1-1'] }), /tool:amd64 .* another version/],
    [
      'a program is not installed',
      (member) => {
        const { tool: _, ...others } = installed;
        return putStatus(member, others);
      },
      /tool:amd64 .* is not installed here/,
    ],
    [
      'a file of a package was changed and has its size',
      (member) =>
        member.writeFile('/usr/share/tool/table', new TextEncoder().encode('two\n'), {
          ...plain,
          mtimeNs: 5n,
        }),
      /^\/usr\/share\/tool\/table /,
    ],
    [
      'a script of a package may not be executed, as it was left at its time',
      async (member) =>
        member.writeFile('/usr/sbin/helper', await member.readFile('/usr/sbin/helper'), {
          ...plain,
          mtimeNs: TIME,
        }),
      /^\/usr\/sbin\/helper .*mode/,
    ],
    [
      'settings of apt stand among those of the daily job',
      files({
        '/etc/apt/apt.conf.d/50unattended-upgrades':
          'Unattended-Upgrade::Mail "root";\nDpkg::Options { "--force-confnew"; };\n',
      }),
      /50unattended-upgrades /,
    ],
    ['accounts come from elsewhere', files({ '/etc/nsswitch.conf': 'passwd: files ldap\n' }), /nsswitch/],
    [
      'a file that it writes is diverted',
      files({ '/var/lib/dpkg/diversions': '/usr/bin/app\n/usr/bin/app.own\n:\n' }),
      /^\/var\/lib\/dpkg\/diversions /,
    ],
    [
      'a file that it writes has a mode of its own',
      files({ '/var/lib/dpkg/statoverride': 'root root 700 /usr/bin/app\n' }),
      /statoverride /,
    ],
    [
      'another package is told of what it writes',
      files({ '/var/lib/dpkg/triggers/File': '/usr/share/man man-db\n/usr/share/man indexer\n' }),
      /triggers\/File /,
    ],
    [
      'a question of the package was answered otherwise',
      files({ '/var/cache/debconf/config.dat': 'Name: app/port\nValue: 81\nOwners: app\n\n' }),
      /config.dat /,
    ],
    [
      'a file that it puts back was changed',
      files({ '/usr/share/app/same': 'changed here, and of another size' }),
      /^\/usr\/share\/app\/same /,
    ],
    [
      'a package needs what it takes away',
      packages({ addon: ['1', 'Depends: app (= 1.0-1)\n'] }),
      /addon on this machine needs app \(= 1.0-1\)/,
    ],
    [
      'a package refuses what it brings',
      packages({ addon: ['1', 'Breaks: app (>= 1.1)\n'] }),
      /cannot stand beside app \(>= 1.1\)/,
    ],
    ['it refuses a package', packages({ 'old-app': ['1'] }), /app cannot stand beside old-app 1/],
    ['what it newly needs is too old', packages({ libapp: ['0.9-1'] }), /needs libapp \(>= 1.0\)/],
  ])('%s', async (_what, change, expected) => {
    const found = await differences(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it.each<[string, string, Change, RegExp]>([
    [
      'a package that it asks for is there',
      'dpkg -s nginx && exit 0',
      packages({ nginx: ['1'] }),
      /dpkg\/status /,
    ],
    [
      'it looks for a file that is called like the machine',
      'name=$(hostname -s); [ ! -e /etc/agents.d/$name.conf ] || exit 0',
      files({ '/etc/agents.d/web-17.conf': '' }),
      /^\/etc\/agents.d /,
    ],
    [
      'it looks for a file that is called like the machine',
      'test -e "/srv/hosts/$(cat /etc/hostname)"',
      files({ '/srv/hosts/web-17': '' }),
      /^\/srv\/hosts /,
    ],
    ['it asks for all packages', 'dpkg -l | wc -l', packages({ nginx: ['1'] }), /asks for all packages/],
    [
      'it asks for all accounts',
      "awk -F: '$3 == 0' /etc/passwd",
      files({ '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nann:x:0:0::/:/bin/sh\n' }),
      /^\/etc\/passwd /,
    ],
    [
      'an account that it names is there',
      'id deploy || true',
      files({ '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\ndeploy:x:7:7::/:/bin/sh\n' }),
      /^\/etc\/passwd /,
    ],
    [
      'it looks for a file',
      'test -e /srv/maintenance',
      files({ '/srv/maintenance': '' }),
      /\/srv\/maintenance /,
    ],
  ])('%s: %s', async (_what, command, change, expected) => {
    expect(await differences(change, [command])).toEqual([expect.stringMatching(expected)]);
    expect(await differences(() => undefined, [command])).toEqual([]);
  });

  const ALL_USERS = "awk -F: '$3 == 0' /etc/passwd";
  const ALL_PASSWORDS = 'cut -d: -f2,5 /etc/shadow';
  it.each<[string, string, Change, RegExp]>([
    [
      'an account is root by its number',
      ALL_USERS,
      files({ '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nsvc:x:0:101::/:/bin/sh\n' }),
      /^\/etc\/passwd /,
    ],
    [
      'an account is a person by its number',
      'getent passwd | cut -d: -f3',
      files({ '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nsvc:x:1001:101::/:/bin/sh\n' }),
      /^\/etc\/passwd /,
    ],
    [
      'an account needs no password',
      ALL_PASSWORDS,
      files({ '/etc/shadow': 'root:*:19000:0:99999:7:::\nsvc::19000:0:90:7:::\n' }),
      /^\/etc\/shadow /,
    ],
    [
      'a password has a weak form',
      ALL_PASSWORDS,
      files({ '/etc/shadow': 'root:*:19000:0:99999:7:::\nsvc:$1$salt$hash:19000:0:90:7:::\n' }),
      /^\/etc\/shadow /,
    ],
    [
      'a password does not end',
      'chage -l svc',
      files({ '/etc/shadow': 'root:*:19000:0:99999:7:::\nsvc:$y$j9T$salt$hash:19000:0:99999:7:::\n' }),
      /^\/etc\/shadow /,
    ],
    [
      'a package is held',
      'apt-mark showhold',
      async (member) => {
        const text = Buffer.from(await member.readFile('/var/lib/dpkg/status')).toString();
        await put(member, {
          '/var/lib/dpkg/status': text.replace(/(Package: tool\nStatus: )install/, '$1hold'),
        });
      },
      /dpkg\/status .*asks for all packages/,
    ],
    [
      'a package was brought along',
      'apt-mark showauto',
      files({
        '/var/lib/apt/extended_states': 'Package: tool\nArchitecture: amd64\nAuto-Installed: 1\n\n',
      }),
      /extended_states /,
    ],
  ])('%s: %s', async (_what, command, change, expected) => {
    expect(await differences(change, [command])).toEqual([expect.stringMatching(expected)]);
    expect(await differences(() => undefined, [command])).toEqual([]);
  });

  it.each([ALL_USERS, ALL_PASSWORDS])(
    'but not where only numbers, passwords and days are others: %s',
    async (command) => {
      const change = files({
        '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nsvc:x:120:120::/:/bin/sh\n',
        '/etc/shadow': 'root:*:19500:0:99999:7:::\nsvc:$y$j9T$other$hash:18000:0:90:7:::\n',
      });
      expect(await differences(change, [command])).toEqual([]);
    },
  );
});

describe('a check whose programs read what updates read by the way', () => {
  it.each<[string, Change, RegExp]>([
    ['the time zone', files({ '/etc/localtime': 'CET' }), /^\/etc\/localtime /],
    ['names of machines', files({ '/etc/hosts': '127.0.0.1 localhost\n10.0.0.1 ldap\n' }), /^\/etc\/hosts /],
    [
      'what the daily job does',
      files({ '/etc/apt/apt.conf.d/20auto-upgrades': 'APT::Periodic::Unattended-Upgrade "0";\n' }),
      /20auto-upgrades /,
    ],
    ['that there is one', files({ '/etc/apt/apt.conf.d/50unattended-upgrades': '' }), /apt.conf.d /],
    [
      'the passwords',
      files({ '/etc/shadow': 'root:*:19000:0:99999:7:::\nsvc::19000:0:90:7:::\n' }),
      /^\/etc\/shadow /,
    ],
    [
      'an alternative',
      files({ '/var/lib/dpkg/alternatives/awk': 'manual\n/usr/bin/awk\n\n/usr/bin/mawk\n5\n\n' }),
      /alternatives\/awk /,
    ],
  ])('is told of machines only where that is the same: %s', async (_what, change, expected) => {
    const check = ['rule_check a A true'];
    expect(await differences(() => undefined, check, 'db-4', 'compliance')).toEqual([]);
    expect(await differences(change, check, 'db-4', 'compliance')).toEqual([expect.stringMatching(expected)]);
    expect(await differences(change, check)).toEqual([]);
  });
});

describe('the update does the same where', () => {
  it.each<[string, Change]>([
    ['nothing is otherwise', () => undefined],
    ['a program is of another revision', packages({ tool: ['2.0-2'] })],
    ['there are other packages besides', packages({ nginx: ['1', 'Depends: app\nBreaks: app (<< 0.5)\n'] })],
    [
      'there are other accounts',
      files({ '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nann:x:7:7::/:/bin/sh\n' }),
    ],
    ['a manual is another', files({ '/usr/share/man/man1/app.1': 'another manual' })],
    ['another unit is enabled', files({ '/etc/systemd/system/multi-user.target.wants/nginx.service': '' })],
    ['a directory of programs has more in it', files({ '/usr/bin/other': ELF })],
    ['/usr/local has other programs', files({ '/usr/local/bin/other': ELF })],
    ['settings were changed that dpkg only compared', files({ '/etc/logrotate.d/app': 'daily\n' })],
    [
      'a file has another time',
      (member) => member.setModificationTimes([{ path: '/usr/share/tool/table', mtimeNs: 5n }]),
    ],
    [
      'packages added themselves to nsswitch.conf',
      files({ '/etc/nsswitch.conf': 'passwd: files systemd\nhosts: files mymachines\n' }),
    ],
    ['other files are diverted', files({ '/var/lib/dpkg/diversions': '/usr/bin/x\n/usr/bin/x.own\n:\n' })],
    [
      'the daily job is set otherwise',
      files({
        '/etc/apt/apt.conf.d/20auto-upgrades': 'APT::Periodic::Unattended-Upgrade "0"; // off\n',
        '/etc/apt/apt.conf.d/50unattended-upgrades':
          '# Dpkg::Options\nUnattended-Upgrade::Mail "root";\nUnattended-Upgrade::Origins-Pattern {\n  "a;b"; // "c";\n};\n',
        '/etc/apt/apt.conf.d/01autoremove':
          'APT\n{\n  NeverAutoRemove { "^linux-.*$"; };\n  VersionedKernelPackages { "linux-.*"; };\n}\n',
      }),
    ],
    ['a comment names what is there', files({ '/etc/only-in-a-comment': '' })],
    [
      'a question of another package was answered otherwise',
      files({
        '/var/cache/debconf/config.dat':
          'Name: app/port\nValue: 80\nOwners: app, nginx\n\nName: nginx/port\nValue: 8\nOwners: nginx\n\n',
      }),
    ],
  ])('%s', async (_what, change) => {
    expect(await differences(change)).toEqual([]);
  });

  it('the machine has another name, of which a word stands in its files by chance', async () => {
    expect(await differences(() => undefined, undefined, 'db-4')).toEqual([]);
    expect(await differences(() => undefined, undefined, 'safe')).toEqual([]);
  });

  it('the update was made already', async () => {
    const { manifest, after } = await captured();
    const image = new MemoryImage(after, { identity: { hostname: 'web-17' } });
    expect(await matchImage(manifest, image, { codecFor })).toMatchObject({
      matched: true,
      alreadyPatched: true,
    });
  });
});
