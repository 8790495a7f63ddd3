import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { runProgram } from './run-program';

/**
 * A package of the fleet's own: a configuration file, a script and a text for the boot menu, in the two versions that the
 * demo's update lies between. It exists so that one configuration file is known to change on any day.
 */
export const BANNER_PACKAGE = 'fleet-banner';
export const BANNER_CONFIGURATION = '/etc/fleet-banner/banner.conf';

const bannerControl = (version: string): string => `Package: ${BANNER_PACKAGE}
Version: ${version}
Architecture: all
Maintainer: Fleet Operations <fleet@example.com>
Section: admin
Priority: optional
Description: greeting of the machines of the demo fleet
 A small package of the fleet's own with one configuration file.
`;

/** Builds `fleet-banner` in the given version and returns the path of the package file. */
export async function buildBannerPackage(version: '1.0' | '1.1', folder: string): Promise<string> {
  const tree = await mkdtemp(path.join(tmpdir(), 'fleet-banner-'));
  try {
    await mkdir(path.join(tree, 'DEBIAN'), { mode: 0o755 });
    await mkdir(path.join(tree, 'etc/fleet-banner'), { recursive: true });
    await mkdir(path.join(tree, 'usr/bin'), { recursive: true });
    await mkdir(path.join(tree, 'boot'));
    await writeFile(path.join(tree, 'DEBIAN/control'), bannerControl(version));
    await writeFile(path.join(tree, 'DEBIAN/conffiles'), `${BANNER_CONFIGURATION}\n`);
    const settings =
      version === '1.0'
        ? 'greeting=Welcome\n'
        : 'greeting=Welcome\n# Since 1.1: shown after the greeting.\nshow_release=yes\n';
    await writeFile(path.join(tree, BANNER_CONFIGURATION), settings);
    await writeFile(
      path.join(tree, 'usr/bin/fleet-banner'),
      `#!/bin/sh\n# fleet-banner ${version}\n. ${BANNER_CONFIGURATION}\necho "$greeting to $(hostname)"\n`,
      { mode: 0o755 },
    );
    // On machines with a /boot of its own, the update changes that filesystem too.
    await writeFile(path.join(tree, 'boot/fleet-banner.txt'), `fleet-banner ${version}\n`);
    const file = path.join(folder, `${BANNER_PACKAGE}_${version}_all.deb`);
    await runProgram('dpkg-deb', ['--root-owner-group', '-Zxz', '-b', tree, file]);
    return file;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/**
 * Repacks a package file with a higher version and a line added to its documentation, as a stand-in for a security
 * update on a day when the distribution has none pending.
 */
export async function repackWithHigherVersion(file: string, folder: string): Promise<string> {
  const tree = await mkdtemp(path.join(tmpdir(), 'repack-'));
  try {
    await runProgram('dpkg-deb', ['-R', file, tree]);
    const controlFile = path.join(tree, 'DEBIAN/control');
    const control = await readFile(controlFile, 'utf8');
    const name = /^Package: (.*)$/m.exec(control)?.[1];
    const version = /^Version: (.*)$/m.exec(control)?.[1];
    if (name === undefined || version === undefined)
      throw new Error(`${file} has no Package or Version field`);
    const raised = `${version}+fleet1`;
    // Packages of one source depend on each other by exact version.
    await writeFile(controlFile, control.replaceAll(version, raised));
    const documentation = path.join(tree, 'usr/share/doc', name);
    await mkdir(documentation, { recursive: true });
    const note = path.join(documentation, 'README.fleet');
    await writeFile(note, `${name} ${raised}: repacked for the demo fleet.\n`);
    const sums = path.join(tree, 'DEBIAN/md5sums');
    const line = (await runProgram('md5sum', [path.relative(tree, note)], { cwd: tree })).trim();
    await writeFile(
      sums,
      `${(await readFile(sums, 'utf8').catch(() => '')).trimEnd()}\n${line}\n`.trimStart(),
    );
    const target = path.join(
      folder,
      path.basename(file).replace(version.replace(/^\d+:/, ''), raised.replace(/^\d+:/, '')),
    );
    await runProgram('dpkg-deb', ['-Zgzip', '-z1', '-b', tree, target]);
    return target;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

/** Indexes the package files under `folder/pool` as the suite `fleet-security`, for `deb [trusted=yes] URL fleet-security main`. */
export async function indexRepository(folder: string): Promise<void> {
  const binary = path.join(folder, 'dists/fleet-security/main/binary-amd64');
  await mkdir(binary, { recursive: true });
  const packages = await runProgram('apt-ftparchive', ['packages', 'pool'], { cwd: folder });
  await writeFile(path.join(binary, 'Packages'), packages);
  const options = Object.entries({
    Origin: 'Fleet',
    Label: 'Fleet-Security',
    Suite: 'fleet-security',
    Codename: 'fleet-security',
    Architectures: 'amd64',
    Components: 'main',
  }).flatMap(([key, value]) => ['-o', `APT::FTPArchive::Release::${key}=${value}`]);
  const release = await runProgram('apt-ftparchive', [...options, 'release', 'dists/fleet-security'], {
    cwd: folder,
  });
  await writeFile(path.join(folder, 'dists/fleet-security/Release'), release);
}
