import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from '../../../local/fleet/run-program';
import { smallCase } from './small-case';

/** Times of the files in the archive: compiled Python files hold those of their sources. */
const RELEASED = new Date('2026-03-01T12:00:00Z');

const FILES: Readonly<Record<string, string>> = {
  'ledger/__init__.py': '__version__ = "2.4.1"\n',
  'ledger/__main__.py': 'from ledger.report import totals\n\nprint(totals([("a", 1), ("b", 2), ("a", 3)]))\n',
  'ledger/report.py':
    'def totals(rows):\n    found = {}\n    for name, amount in rows:\n        found[name] = found.get(name, 0) + amount\n    return found\n',
  'ledger/data/accounts.csv': 'account,name\n1000,cash\n',
  'ledger-2.4.1.dist-info/METADATA': 'Metadata-Version: 2.1\nName: ledger\nVersion: 2.4.1\n',
};

/** Publishes the tree as a tar, as a build would. */
async function publishTree(repositoryFolder: string): Promise<void> {
  const tree = await mkdtemp(path.join(tmpdir(), 'ledger-'));
  try {
    for (const [name, text] of Object.entries(FILES)) {
      const file = path.join(tree, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, text);
      await utimes(file, RELEASED, RELEASED);
    }
    const owner = ['--owner=0', '--group=0', '--mode=u=rwX,go=rX', '--sort=name'];
    await runProgram('tar', [
      ...owner,
      '-C',
      tree,
      '-czf',
      path.join(repositoryFolder, 'ledger.tar.gz'),
      '.',
    ]);
  } finally {
    await rm(tree, { recursive: true });
  }
}

/** A tree of Python files without pip: fetched, unpacked, compiled, linked. */
export const pythonTree = smallCase({
  name: 'python-tree',
  about: 'a tree of Python files without pip: fetched, unpacked, compiled, with a command',
  publish: publishTree,
  commands: [
    'install -d -m 755 /opt/ledger',
    `python3 -c 'import urllib.request; urllib.request.urlretrieve("http://repository.local/ledger.tar.gz", "/tmp/ledger.tar.gz")'`,
    'tar -C /opt/ledger --no-same-owner -xzf /tmp/ledger.tar.gz',
    'rm /tmp/ledger.tar.gz',
    'python3 -m compileall -q /opt/ledger',
    `printf '#!/bin/sh\\nPYTHONPATH=/opt/ledger exec python3 -m ledger "$@"\\n' > /opt/ledger/run`,
    'chmod 755 /opt/ledger/run',
    'ln -sfn /opt/ledger/run /usr/local/bin/ledger',
  ],
  named: [],
  // Were the times of sources and compiled files apart, -v would tell of stale bytecode.
  same: [
    'ledger',
    'PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/ledger python3 -v -m ledger 2>&1 | grep -c "matches /opt/ledger"',
  ],
});
