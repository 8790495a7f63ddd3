import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { RecordFile } from '../../../core/records/record-codec';
import { codecFor } from '../../../core/records/registry';

const debian = join(__dirname, '../../fixtures/records/debian-12');

/** Files of a Debian 12 machine, the long ones cut to some stanzas; the paths are those of the image. */
const files = readdirSync(debian, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));

function parse(path: string): RecordFile {
  const codec = codecFor(path);
  if (!codec) throw new Error(`No codec for ${path}.`);
  return codec.parse(readFileSync(join(debian, path)));
}

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

describe('files of a real machine', () => {
  it.each(files.map((file) => [`/${relative(debian, file)}`, file]))(
    '%s keeps every byte when nothing changes',
    (path, file) => {
      const bytes = readFileSync(file);
      const { records, merge } = bind(parse(path));
      expect(Buffer.compare(merge(new Map()), bytes)).toBe(0);
      expect(Buffer.compare(merge(records), bytes)).toBe(0);
    },
  );

  it('are known by their paths', () => {
    expect(files.length).toBeGreaterThanOrEqual(13);
    expect(codecFor('/var/lib/dpkg/status-old')?.name).toBe('dpkg-status');
    expect(codecFor('/etc/gshadow-')?.name).toBe('gshadow');
    expect(codecFor('/var/cache/debconf/templates.dat-old')?.name).toBe('debconf');
    expect(codecFor('/etc/nginx/nginx.conf')).toBeUndefined();
    expect(codecFor('/srv/etc/passwd')).toBeUndefined();
  });

  it('have the records a reader of the file would name', () => {
    expect([...parse('/var/lib/dpkg/status').records.keys()]).toContain('libssl3:amd64');
    expect([...parse('/var/lib/dpkg/status').records.keys()]).toContain('adduser:all');
    expect(text(parse('/var/lib/dpkg/status').records.get('ucf:all'))).toMatch(
      /^Package: ucf\nStatus: install ok installed\n/,
    );
    expect([...parse('/var/lib/apt/extended_states').records.keys()]).toContain('libwrap0:amd64');
    expect([...parse('/var/cache/debconf/config.dat').records.keys()]).toContain('base-passwd/group-add');
    expect(text(parse('/etc/passwd').records.get('sshd'))).toBe(
      'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin',
    );
    expect([...parse('/etc/subgid').records.keys()]).toEqual(['ada:100000', 'ada:300000', 'bob:165536']);
  });

  it('lose a package when its record is removed, and nothing else', () => {
    const status = parse('/var/lib/dpkg/status');
    const merged = text(status.merge(new Map([['ucf:all', undefined]])));
    expect(merged).not.toContain('Package: ucf\n');
    expect(merged.split('\n\n')).toHaveLength(status.records.size);
  });

  it('take a new package where dpkg would write it', () => {
    const stanza = 'Package: nginx\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.22.1-9';
    const merged = parse('/var/lib/dpkg/status').merge(new Map([['nginx:amd64', Buffer.from(stanza)]]));
    const names = text(merged).match(/^Package: .*$/gm) ?? [];
    expect(names).toEqual([...names].sort());
    expect(text(merged)).toContain(`\n\n${stanza}\n\nPackage: openssh-server\n`);
  });
});

function bind(file: RecordFile): {
  records: RecordFile['records'];
  merge: (changes: ReadonlyMap<string, Uint8Array | undefined>) => Buffer;
} {
  return { records: file.records, merge: (changes) => Buffer.from(file.merge(changes)) };
}
