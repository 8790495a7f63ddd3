import { VOLATILE_PATHS, volatileRule } from '../../../core/capture/volatile-paths';

const ruleOf = volatileRule(VOLATILE_PATHS);

describe('volatile paths', () => {
  it.each([
    '/var/log/apt/history.log',
    '/run/lock/x',
    '/tmp/a b',
    '/etc/machine-id',
    '/etc/ssh/ssh_host_rsa_key.pub',
    '/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease',
    '/home/ann/.bash_history',
    '/lost+found/#12',
    '/home/lost+found/#12',
    '/var/lib/dpkg/lock-frontend',
    '/var/cache/ldconfig/aux-cache',
  ])('%s is left out', (path) => {
    expect(ruleOf(path)?.reason).toMatch(/\w+ \w+/);
  });

  it.each([
    '/var/log',
    '/tmp',
    '/etc/ssh/sshd_config',
    '/etc/machine-id.d',
    '/var/lib/dpkg/status',
    '/var/lib/dpkg/status-old',
    '/var/cache/debconf/config.dat-old',
    '/var/spool/cron/crontabs/root',
    '/usr/lib/python3/dist-packages/__pycache__/x.cpython-311.pyc',
    '/etc/ld.so.cache',
    '/opt/run/lock',
    '/home/ann/deep/.bash_history',
  ])('%s is part of an update', (path) => {
    expect(ruleOf(path)).toBeUndefined();
  });

  it('every pattern is absolute or for every folder, and said once', () => {
    const patterns = VOLATILE_PATHS.map(({ pattern }) => pattern);
    expect(patterns.filter((pattern) => !/^(\/|\*\*\/)/.test(pattern))).toEqual([]);
    expect(new Set(patterns).size).toBe(patterns.length);
  });
});
