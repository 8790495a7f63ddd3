import { DirectEngine } from '../../../core/apply/direct-engine';
import { isolateClone } from '../../../core/clone/isolate-clone';
import { MemoryFilesystem } from '../../support/memory-filesystem';
import { MemoryImage } from '../../support/memory-image';

const FILES: Readonly<Record<string, string>> = {
  '/etc/hostname': 'mail-1\n',
  '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1\tmail-1.example.org mail-1 mail-10\n10.0.0.9 mail-1b\n',
  '/etc/machine-id': `${'a'.repeat(32)}\n`,
  '/etc/ssh/ssh_host_ed25519_key': 'secret\n',
  '/etc/ssh/ssh_host_ed25519_key.pub': 'public\n',
  '/etc/ssh/sshd_config': 'Port 22\n',
  '/etc/systemd/system/multi-user.target.wants/networking.service': '',
  '/etc/systemd/system/multi-user.target.wants/postfix.service': '',
  '/etc/systemd/system/multi-user.target.wants/amazon-ssm-agent.service': '',
  '/etc/systemd/system/sockets.target.wants/ssh.socket': '',
  '/etc/systemd/system/sockets.target.wants/systemd-networkd.socket': '',
  '/var/lib/dbus/machine-id': 'x\n',
  '/usr/sbin/nothing': '',
};

async function image(files: Readonly<Record<string, string>> = FILES): Promise<MemoryImage> {
  const filesystem = new MemoryFilesystem();
  for (const [path, text] of Object.entries(files)) await filesystem.put(path, text);
  return new MemoryImage(filesystem, { identity: { hostname: 'mail-1' } });
}

/** The image as the clone boots from it. */
async function isolated(): Promise<{ image: MemoryImage; text: (path: string) => Promise<string> }> {
  const clone = await image();
  const changes = await isolateClone(clone, { hostname: 'imageelves-clone-1', mtimeNs: 1n });
  await new DirectEngine().perform(
    clone.writableMounts,
    (async function* () {
      for (const { operation } of changes) yield operation;
    })(),
  );
  return { image: clone, text: async (path) => Buffer.from(await clone.readFile(path)).toString() };
}

test('boots into a target that wants the network and the agent, and nothing of the machine', async () => {
  const { image: clone, text } = await isolated();
  expect(await clone.readlink('/etc/systemd/system/default.target')).toBe('imageelves-clone.target');
  const target = await text('/etc/systemd/system/imageelves-clone.target');
  expect(target).toMatch(/^Wants=networking\.service$/m);
  expect(target).toMatch(/^Wants=amazon-ssm-agent\.service$/m);
  expect(target).not.toMatch(/multi-user|postfix|NetworkManager/);
});

test.each(['timers.target', 'cron.service', 'postfix.service', 'exim4.service', 'atd.service', 'ssh.socket'])(
  'nothing can start %s',
  async (unit) => {
    const { image: clone } = await isolated();
    expect(await clone.readlink(`/etc/systemd/system/${unit}`)).toBe('/dev/null');
  },
);

test('the clone finds its own name in the domain of its original, and other machines by theirs', async () => {
  const { text } = await isolated();
  expect(await text('/etc/hosts')).toBe(
    '127.0.0.1 localhost\n127.0.1.1\timageelves-clone-1.example.org imageelves-clone-1 mail-10\n10.0.0.9 mail-1b\n',
  );
});

test('what updates read of a clone has the rights that it has on the original', async () => {
  const filesystem = new MemoryFilesystem();
  for (const [path, text] of Object.entries(FILES))
    await filesystem.put(path, text, path === '/etc/machine-id' ? { mode: 0o644 } : { mode: 0o640, gid: 7 });
  const changes = await isolateClone(new MemoryImage(filesystem), { hostname: 'c', mtimeNs: 1n });
  const rights = (path: string) => {
    const operation = changes.map((change) => change.operation).find((one) => one.path === path);
    return operation?.kind === 'put-file' && [operation.metadata.mode, operation.metadata.gid];
  };
  expect(rights('/etc/machine-id')).toEqual([0o644, 0]);
  expect(rights('/etc/hostname')).toEqual([0o640, 7]);
});

test("the system's own sockets stay, and package scripts start no service", async () => {
  const { image: clone, text } = await isolated();
  expect(await clone.lstat('/etc/systemd/system/systemd-networkd.socket')).toBeUndefined();
  expect(await text('/usr/sbin/policy-rc.d')).toContain('exit 101');
  expect((await clone.lstat('/usr/sbin/policy-rc.d'))?.mode).toBe(0o755);
});

test('has another identity, and none of the secrets by which others know its original', async () => {
  const { image: clone, text } = await isolated();
  expect(await text('/etc/hostname')).toBe('imageelves-clone-1\n');
  expect(await text('/etc/machine-id')).toBe('');
  expect(await clone.lstat('/var/lib/dbus/machine-id')).toBeUndefined();
  expect(await text('/etc/ssh/ssh_host_ed25519_key')).toBe('');
  expect(await text('/etc/ssh/sshd_config')).toBe('Port 22\n');
});

test('every change has its reason', async () => {
  for (const { operation, why } of await isolateClone(await image(), { hostname: 'c', mtimeNs: 1n })) {
    expect(operation.path).toMatch(/^\/(etc\/|usr\/sbin\/|var\/lib\/dbus\/|var\/lib\/imageelves)/);
    expect(why.length).toBeGreaterThan(20);
  }
});

test('an image that systemd does not boot is refused', async () => {
  const plain = await image({ '/etc/inittab': 'x' });
  await expect(isolateClone(plain, { hostname: 'c', mtimeNs: 1n })).rejects.toMatchObject({
    name: 'CloneNotIsolatableError',
  });
});
