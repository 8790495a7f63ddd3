import { identitySearch } from '../../../core/capture/identity-search';
import type { IdentityValues } from '../../../core/image/identity-values';
import { NO_IDENTITY } from '../../../core/image/identity-values';

const identity: Partial<IdentityValues> = {
  hostname: 'web-17',
  machineId: '0123456789abcdef0123456789abcdef',
  filesystemUuids: ['6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76'],
  partUuids: ['1a2b3c4d-01'],
  ipAddresses: ['10.0.0.7'],
};

function found(path: string, content: string, given: Partial<IdentityValues> = identity): string[] {
  return identitySearch({ ...NO_IDENTITY, ...given })(path, new TextEncoder().encode(content));
}

describe('identitySearch', () => {
  it('finds the values of a machine where they stand as words', () => {
    expect(found('/etc/app.conf', 'listen 10.0.0.7;\nname web-17.example.org\n')).toEqual([
      'host name',
      'IP address',
    ]);
    expect(found('/boot/grub/grub.cfg', 'root=UUID=6f2c1a4e-9c3b-4b8e-8b3e-2f1d0c9b8a76 ro')).toEqual([
      'filesystem UUID',
    ]);
    expect(found('/usr/lib/x', '\0\x010123456789abcdef0123456789abcdef\0')).toEqual(['machine-id']);
  });

  it('does not find them inside other words', () => {
    expect(found('/etc/app.conf', 'web-170 myweb-17 110.0.0.7 10.0.0.71')).toEqual([]);
  });

  it('looks for names and addresses only where configuration stands, not in what packages bring', () => {
    const content = 'web-17 10.0.0.7 1a2b3c4d-01';
    expect(found('/usr/share/doc/app/example', content)).toEqual([]);
    expect(found('/var/lib/dpkg/status', content)).toEqual([]);
    expect(found('/var/lib/app/state', content)).toEqual(['host name', 'partition UUID', 'IP address']);
  });

  it('passes over names that are ordinary words or very short', () => {
    expect(found('/etc/motd', 'welcome to debian on web', { hostname: 'debian', fqdn: 'web' })).toEqual([]);
  });

  it('finds nothing of a machine that has no values', () => {
    expect(found('/etc/app.conf', 'anything', {})).toEqual([]);
  });
});
