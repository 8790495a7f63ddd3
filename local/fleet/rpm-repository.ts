import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from './run-program';

/** An RPM package to be built: files with their content, and what else its spec file says. */
export interface RpmPackage {
  readonly name: string;
  readonly version: string;
  readonly release?: string;
  /** Content by path; those of `configuration` are `%config(noreplace)`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly configuration?: Readonly<Record<string, string>>;
  /** What else its spec file says of some of `files`: `%ghost`, `%verify(not filedigest)`. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Lines of the preamble: `Requires: x`, `Obsoletes: y < 2`. */
  readonly preamble?: readonly string[];
  /** Further sections: `%post -p <lua>` and its lines. */
  readonly sections?: readonly string[];
}

/** Builds packages for any architecture into a folder. Needs rpmbuild. */
export async function buildRpms(packages: readonly RpmPackage[], folder: string): Promise<void> {
  const work = await mkdtemp(path.join(tmpdir(), 'rpm-build-'));
  try {
    await mkdir(folder, { recursive: true });
    for (const one of packages) {
      const spec = path.join(work, `${one.name}-${one.version}.spec`);
      await writeFile(spec, specOf(one));
      await runProgram('rpmbuild', [
        ...['-bb', '--quiet'],
        ...[
          '--define',
          `_topdir ${path.join(work, 'top')}`,
          '--define',
          `_rpmdir ${path.join(work, 'rpms')}`,
        ],
        // The same package on any day, wherever it is built.
        ...['--define', '_buildhost fleet', '--define', 'use_source_date_epoch_as_buildtime 1'],
        spec,
      ]);
    }
    const built = path.join(work, 'rpms', 'noarch');
    for (const file of await readdir(built)) await moveInto(path.join(built, file), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Across filesystems too. */
async function moveInto(file: string, folder: string): Promise<void> {
  await runProgram('cp', ['--preserve=timestamps', file, folder]);
  await rm(file);
}

function specOf({
  name,
  version,
  release = '1',
  files = {},
  configuration = {},
  attributes = {},
  ...rest
}: RpmPackage): string {
  const all = Object.entries({ ...files, ...configuration });
  return [
    `Name: ${name}`,
    `Version: ${version}`,
    `Release: ${release}`,
    `Summary: ${name} of the fleet`,
    'License: Apache-2.0',
    'BuildArch: noarch',
    'AutoReqProv: no',
    ...(rest.preamble ?? []),
    '%description',
    `The package ${name}.`,
    '%install',
    ...all.flatMap(([file, content], index) => [
      `mkdir -p %{buildroot}${path.posix.dirname(file)}`,
      `cat > %{buildroot}${file} <<'END_OF_FILE_${index}'`,
      content.replace(/\n$/, ''),
      `END_OF_FILE_${index}`,
      ...(file.includes('/bin/') ? [`chmod 755 %{buildroot}${file}`] : []),
    ]),
    ...(rest.sections ?? []),
    '%files',
    ...Object.keys(configuration).map((file) => `%config(noreplace) ${file}`),
    ...Object.keys(files).map((file) => `${attributes[file] ?? ''} ${file}`.trim()),
    '%changelog',
    '* Mon Jan 05 2026 Fleet Operations <fleet@example.com>',
    '- Built for a test',
    '',
  ].join('\n');
}

/** A security advisory: the packages that mend what it is about. */
export interface RpmAdvisory {
  readonly id: string;
  readonly packages: readonly RpmPackage[];
}

/** Indexes the packages of a folder as dnf reads them. Needs createrepo_c. */
export async function indexRpmRepository(
  folder: string,
  advisories: readonly RpmAdvisory[] = [],
): Promise<void> {
  await runProgram('createrepo_c', ['--quiet', '--update', folder]);
  if (advisories.length === 0) return;
  const work = await mkdtemp(path.join(tmpdir(), 'rpm-advisories-'));
  try {
    const file = path.join(work, 'updateinfo.xml');
    await writeFile(file, `<updates>${advisories.map(advisoryXml).join('')}</updates>\n`);
    await runProgram('modifyrepo_c', [file, path.join(folder, 'repodata')]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function advisoryXml({ id, packages }: RpmAdvisory): string {
  const listed = packages.map(
    ({ name, version, release = '1' }) =>
      `<package name="${name}" version="${version}" release="${release}" epoch="0" arch="noarch">` +
      `<filename>${name}-${version}-${release}.noarch.rpm</filename></package>`,
  );
  return (
    `<update from="fleet@example.com" status="final" type="security" version="1"><id>${id}</id>` +
    `<title>${id}</title><issued date="2026-01-05 00:00:00"/><severity>Important</severity><pkglist>` +
    `<collection short="fleet"><name>fleet</name>${listed.join('')}</collection></pkglist></update>`
  );
}
