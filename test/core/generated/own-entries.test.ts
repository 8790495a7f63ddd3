import { generatedRule, OWN_ENTRY_RULES } from '../../../core/generated/own-entry-rules';
import { generatorOf } from '../../../core/generated/generators';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';
import { applyCaptured, captureUpdate } from '../../support/pipeline';

const none = new Map<string, Uint8Array>();
const root = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_800_000_000_000_000_000n, xattrs: none };
const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${'b3BlbnNzaC1rZXktdjEAAAAA'.repeat(3)}\n-----END OPENSSH PRIVATE KEY-----\n`;

async function machine(): Promise<MemoryFilesystem> {
  const filesystem = new MemoryFilesystem();
  await filesystem.put('/usr/bin/ssh-keygen', 'program', { mode: 0o755 });
  await filesystem.put('/usr/sbin/make-ssl-cert', 'program', { mode: 0o755 });
  await filesystem.put('/etc/systemd/system/multi-user.target.wants/other.service', '');
  await filesystem.put('/etc/ssl/certs/other.pem', '');
  await filesystem.put('/var/lib/imageelves', '');
  return filesystem;
}

async function captured(update: (filesystem: MemoryFilesystem) => Promise<void>, start = machine()) {
  const before = await start;
  const after = before.clone();
  await update(after);
  return { ...(await captureUpdate(new MemoryImage(before), new MemoryImage(after))), before };
}

async function openSsh(after: MemoryFilesystem): Promise<void> {
  await after.put('/etc/ssh/sshd_config', 'UsePAM yes\n');
  for (const type of ['rsa', 'ed25519']) {
    await after.put(`/etc/ssh/ssh_host_${type}_key`, KEY, { mode: 0o600 });
    await after.put(`/etc/ssh/ssh_host_${type}_key.pub`, `ssh-${type} AAAA\n`);
  }
}

describe('what every machine must have of its own', () => {
  it('is generated at first boot, and no byte of it is carried', async () => {
    const { manifest, packs, before } = await captured(openSsh);
    expect(manifest.onlyOnline).toBeUndefined();
    expect(manifest.deferred).toEqual([
      {
        id: 'ssh-host-keys',
        reason: 'each machine gets SSH host keys of its own (ssh-keygen)',
        before: ['ssh.service', 'sshd.service', 'ssh.socket', 'sshd.socket'],
        commands: [
          expect.stringContaining('ssh-keygen -q -t rsa '),
          expect.stringContaining('ssh-keygen -q -t ed25519 '),
        ],
      },
    ]);
    expect(manifest.decisions?.paths).toContainEqual({
      path: '/etc/ssh/ssh_host_rsa_key',
      decision: 'generated',
      reason: 'two machines must never have the same SSH host key',
    });
    expect(manifest.operations.map(({ path }) => path)).toEqual([
      '/etc/ssh',
      '/etc/ssh/sshd_config',
      expect.stringMatching(/^\/etc\/systemd\/system\/imageelves-first-boot-[0-9a-f]{8}\.sh$/),
      expect.stringMatching(/^\/etc\/systemd\/system\/imageelves-first-boot-[0-9a-f]{8}\.service$/),
      expect.stringMatching(
        /^\/etc\/systemd\/system\/multi-user\.target\.wants\/imageelves-first-boot-[0-9a-f]{8}\.service$/,
      ),
    ]);
    const member = new MemoryImage(before.clone());
    await applyCaptured({ manifest, packs }, member);
    expect(await member.lstat('/etc/ssh/ssh_host_rsa_key')).toBeUndefined();
    const unit = manifest.operations.at(-2)!.path;
    const text = Buffer.from(await member.readFile(unit)).toString();
    expect(text).toContain('Before=ssh.service ssh.socket sshd.service sshd.socket multi-user.target');
  });

  it('a machine that was patched is as it should be after its first boot, when the unit is gone', async () => {
    const { manifest, packs, before } = await captured(openSsh);
    const filesystem = before.clone();
    await applyCaptured({ manifest, packs }, new MemoryImage(filesystem));
    for (const { path } of manifest.operations.slice(-3)) await filesystem.remove(path);
    await filesystem.put('/etc/ssh/ssh_host_rsa_key', 'its own');
    const again = await applyCaptured({ manifest, packs }, new MemoryImage(filesystem));
    expect(again.alreadyPatched).toBe(true);
  });

  it('the self-signed certificate and the link that is named by its subject', async () => {
    const { manifest } = await captured(async (after) => {
      await after.put('/etc/ssl/certs/ssl-cert-snakeoil.pem', 'certificate');
      await after.put('/etc/ssl/private/ssl-cert-snakeoil.key', KEY.replace('OPENSSH ', ''));
      await after.symlink('/etc/ssl/certs/5de4b9e1.0', 'ssl-cert-snakeoil.pem', root);
      await after.symlink('/etc/ssl/certs/0a1b2c3d.0', 'other.pem', root);
    });
    expect(manifest.deferred?.map(({ commands }) => commands)).toEqual([
      ['make-ssl-cert generate-default-snakeoil'],
    ]);
    const paths = manifest.operations.map(({ path }) => path);
    expect(paths).toContain('/etc/ssl/certs/0a1b2c3d.0');
    expect(paths.filter((path) => /snakeoil|5de4b9e1/.test(path))).toEqual([]);
  });

  it('a new database cluster, with its settings; an old one is left to its machine', async () => {
    const start = machine().then(async (filesystem) => {
      await filesystem.put('/usr/bin/pg_createcluster', 'program', { mode: 0o755 });
      await filesystem.put('/var/lib/postgresql/13/main/PG_VERSION', '13');
      await filesystem.put('/var/lib/postgresql/13/main/base/1/2', 'rows');
      return filesystem;
    });
    const { manifest } = await captured(async (after) => {
      await after.put('/var/lib/postgresql/13/main/base/1/2', 'other rows');
      await after.put('/var/lib/postgresql/15/main/PG_VERSION', '15');
      await after.put('/var/lib/postgresql/15/main/base/1/2', 'rows');
      await after.put('/etc/postgresql/15/main/postgresql.conf', 'port = 5433\n');
    }, start);
    expect(manifest.onlyOnline).toBeUndefined();
    expect(manifest.decisions?.paths.map(({ path, decision }) => `${decision} ${path}`)).toEqual([
      'generated /etc/postgresql/15/main',
      'left-out /var/lib/postgresql/13/main/base/1',
      'generated /var/lib/postgresql/15/main',
    ]);
    expect(manifest.deferred?.[0]?.commands[0]).toContain('pg_createcluster -u postgres --no-status 15 main');
    expect(manifest.operations.slice(0, 3).map(({ path }) => path)).toEqual([
      '/etc/postgresql',
      '/etc/postgresql/15',
      '/var/lib/postgresql/15',
    ]);
  });

  it('a certificate comes before the cluster that speaks TLS with it, whatever the paths are called', async () => {
    const start = machine().then(async (filesystem) => {
      await filesystem.put('/usr/bin/pg_createcluster', 'program', { mode: 0o755 });
      return filesystem;
    });
    const { manifest } = await captured(async (after) => {
      await after.put('/var/lib/postgresql/15/main/PG_VERSION', '15');
      await after.put('/etc/postgresql/15/main/postgresql.conf', 'ssl = on\n');
      await after.put('/etc/ssl/certs/ssl-cert-snakeoil.pem', 'certificate');
    }, start);
    expect(manifest.deferred?.map(({ id }) => id)).toEqual(['snakeoil-certificate', 'postgresql-clusters']);
  });

  it.each([
    ['/etc/munge/munge.key', 'x'],
    ['/var/lib/rabbitmq/.erlang.cookie', 'x'],
    ['/var/lib/tor/service/hs_ed25519_secret_key', 'x'],
    ['/etc/wireguard/wg0.conf', `[Interface]\nPrivateKey = ${'A'.repeat(43)}=\nListenPort = 51820\n`],
    ['/root/key.txt', `# created\nAGE-SECRET-KEY-1${'Q'.repeat(58)}\n`],
  ])('is never carried to another machine: %s', async (path, text) => {
    const { manifest, packs } = await captured((after) => after.put(path, text));
    expect(manifest.onlyOnline).toEqual([expect.stringContaining(path)]);
    expect(manifest.operations.map((operation) => operation.path)).not.toContain(path);
    expect(packs.packs.size).toBe(0);
  });

  it.each([
    ['a database', '/var/lib/postgresql/15/main/base/16384/1', 'rows', 'holds databases'],
    ['a setting', '/etc/postgresql/15/main/postgresql.conf', "listen_addresses = '*'\n", 'listen_addresses'],
    ['ALTER SYSTEM', '/var/lib/postgresql/15/main/postgresql.auto.conf', "work_mem = '1GB'\n", 'work_mem'],
    ['access', '/etc/postgresql/15/main/pg_hba.conf', 'host all all 10.0.0.0/8 md5\n', '10.0.0.0/8'],
    ['an included file', '/etc/postgresql/15/main/conf.d/own.conf', 'x = 1\n', 'conf.d'],
  ])(
    'no machine is patched offline by an update that gives a new cluster %s',
    async (_, path, text, reason) => {
      const start = machine().then(async (filesystem) => {
        await filesystem.put('/usr/bin/pg_createcluster', 'program', { mode: 0o755 });
        return filesystem;
      });
      const { manifest } = await captured(async (after) => {
        for (const database of [1, 4, 5])
          await after.put(`/var/lib/postgresql/15/main/base/${database}/1`, '');
        await after.put('/var/lib/postgresql/15/main/PG_VERSION', '15');
        await after.put(
          '/etc/postgresql/15/main/postgresql.conf',
          "port = 5432\n#listen_addresses = 'localhost'\n",
        );
        await after.put(path, text);
      }, start);
      expect(manifest.onlyOnline).toEqual([expect.stringContaining(reason)]);
    },
  );

  it('a boot loader that was written to the boot sectors is online work, and one written as it was is none', async () => {
    const start = machine().then(async (filesystem) => {
      await filesystem.put('/boot/grub/i386-pc/core.img', 'loader 1');
      return filesystem;
    });
    const same = await captured((after) => after.put('/boot/grub/i386-pc/core.img', 'loader 1'), start);
    expect(same.manifest.onlyOnline).toBeUndefined();
    const other = await captured((after) => after.put('/boot/grub/i386-pc/core.img', 'loader 2'), start);
    expect(other.manifest.onlyOnline).toEqual([
      'the update changes /boot/grub/i386-pc/core.img: it also stands in the boot sectors of the disk, outside of all filesystems',
    ]);
  });

  it('refuses the class when the generator is not there, or cannot be run at boot', async () => {
    const without = machine().then(async (filesystem) => {
      await filesystem.remove('/usr/bin/ssh-keygen');
      return filesystem;
    });
    expect((await captured(openSsh, without)).manifest.onlyOnline).toEqual([
      'the update makes /etc/ssh/ssh_host_ed25519_key: two machines must never have the same SSH host key, and what makes it is not on the machine',
    ]);
    const notSystemd = new MemoryFilesystem();
    await notSystemd.put('/usr/bin/ssh-keygen', 'program');
    expect((await captured(openSsh, Promise.resolve(notSystemd))).manifest.onlyOnline).toEqual([
      expect.stringContaining('not booted by systemd'),
    ]);
  });

  it('a host key that an update changed is left to each machine, and said', async () => {
    const start = machine().then(async (filesystem) => {
      await openSsh(filesystem);
      return filesystem;
    });
    const { manifest } = await captured(async (after) => {
      await after.put('/etc/ssh/ssh_host_rsa_key', `${KEY}\n`);
    }, start);
    expect(manifest.operations).toEqual([]);
    expect(manifest.warnings).toEqual([
      '/etc/ssh/ssh_host_rsa_key changed and is left as it is on other machines: two machines must never have the same SSH host key',
    ]);
  });

  it('what an update removes of them is removed from each machine at its first boot', async () => {
    const start = machine().then(async (filesystem) => {
      await openSsh(filesystem);
      await filesystem.put('/etc/ssl/certs/ssl-cert-snakeoil.pem', 'certificate');
      await filesystem.symlink('/etc/ssl/certs/5de4b9e1.0', 'ssl-cert-snakeoil.pem', root);
      return filesystem;
    });
    const { manifest } = await captured(async (after) => {
      for (const path of ['ssh/ssh_host_rsa_key', 'ssh/ssh_host_rsa_key.pub', 'ssl/certs/5de4b9e1.0'])
        await after.remove(`/etc/${path}`);
    }, start);
    expect(manifest.deferred?.map(({ id, commands }) => [id, ...commands])).toEqual([
      ['remove-ssh-host-keys', "rm -f '/etc/ssh/ssh_host_rsa_key'", "rm -f '/etc/ssh/ssh_host_rsa_key.pub'"],
      [
        'remove-snakeoil-certificate',
        'find /etc/ssl/certs -maxdepth 1 -type l -lname ssl-cert-snakeoil.pem -delete',
      ],
    ]);
    expect(manifest.operations.map(({ path }) => path).filter((path) => !path.includes('systemd'))).toEqual(
      [],
    );
    expect(manifest.onlyOnline).toBeUndefined();
  });

  it('no machine is patched offline by an update that drops a database cluster', async () => {
    const start = machine().then(async (filesystem) => {
      await filesystem.put('/var/lib/postgresql/13/main/PG_VERSION', '13');
      return filesystem;
    });
    const { manifest } = await captured(
      (after) => after.remove('/var/lib/postgresql/13/main/PG_VERSION'),
      start,
    );
    expect(manifest.onlyOnline).toEqual([
      'the update removes /var/lib/postgresql/13/main/PG_VERSION: a database cluster holds the identifier and the data of one machine',
    ]);
  });

  it.each(['/etc/krb5.keytab', '/root/.gnupg/private-keys-v1.d/0123.key', '/etc/bind/rndc.key'])(
    'no machine is patched offline by an update that makes %s',
    async (path) => {
      const { manifest, before, packs } = await captured((after) => after.put(path, 'secret'));
      expect(manifest.onlyOnline).toEqual([
        `the update makes ${path}: a secret that no two machines may share`,
      ]);
      expect(manifest.operations.map((operation) => operation.path)).not.toContain(path);
      await expect(applyCaptured({ manifest, packs }, new MemoryImage(before.clone()))).rejects.toMatchObject(
        { name: 'ManifestMismatchError' },
      );
    },
  );

  it('every generated rule has what generates it', () => {
    const generated = OWN_ENTRY_RULES.filter(({ whenNew }) => whenNew === 'generated');
    expect(generated.filter(({ name }) => generatorOf(name) === undefined)).toEqual([]);
    expect(generated.length).toBeGreaterThan(3);
  });

  it('rules are for exact places', () => {
    expect(generatedRule('/etc/ssh/ssh_host_rsa_key')?.name).toBe('ssh-host-keys');
    expect(generatedRule('/etc/ssh/ssh_host_rsa_key-cert.pub')).toBeUndefined();
    expect(generatedRule('/etc/ssl/certs/5de4b9e1.0', 'ssl-cert-snakeoil.pem')).toBeDefined();
    expect(generatedRule('/etc/ssl/certs/5de4b9e1.0', 'ACCVRAIZ1.pem')).toBeUndefined();
    expect(generatedRule('/var/lib/postgresql/15')).toBeUndefined();
    expect(generatedRule('/var/lib/postgresql/15/main')).toBeDefined();
  });
});

describe('private keys, by content', () => {
  const pem = (label: string) =>
    `-----BEGIN ${label}-----\n${'MIIEvQIBADANBgkqhkiG9w0B'.repeat(2)}\n-----END ${label}-----\n`;

  it.each(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'])(
    'a file with a %s anywhere in it is never carried, nor a link to it',
    async (label) => {
      const { manifest, packs } = await captured(async (after) => {
        await after.put('/etc/app/both.pem', `${pem('CERTIFICATE')}${pem(label)}`, { mode: 0o600 });
        await after.link('/etc/app/both.pem', '/etc/app/link.pem');
        await after.put('/etc/app/app.conf', 'key = /etc/app/both.pem\n');
      });
      expect(manifest.onlyOnline).toEqual([
        'the update makes /etc/app/both.pem: a private key, which is never copied from one machine to another',
      ]);
      const operations = manifest.operations.map(({ kind, path }) => `${kind} ${path}`);
      expect(operations).toEqual(['make-directory /etc/app', 'put-file /etc/app/app.conf']);
      expect(packs).toBeDefined();
    },
  );

  it('what only speaks of keys, or belongs to a package, is no secret', async () => {
    const { manifest } = await captured(async (after) => {
      await after.put('/etc/app/certificate.pem', pem('CERTIFICATE'));
      await after.put('/etc/app/public.pem', pem('PUBLIC KEY'));
      await after.put('/etc/app/check.sh', 'grep -q "-----BEGIN PRIVATE KEY-----" "$1"\n');
      await after.put('/usr/share/doc/libssl-dev/examples/server.pem', pem('RSA PRIVATE KEY'));
    });
    expect(manifest.onlyOnline).toBeUndefined();
    expect(manifest.operations.filter(({ kind }) => kind === 'put-file')).toHaveLength(4);
  });
});
