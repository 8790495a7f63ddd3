import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { QUIESCE } from '../../../core/update/quiesce';

test('an rpm that waits for another transaction does not hold the snapshot', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'quiesce-'));
  try {
    const write = (name: string, text: string) =>
      writeFileSync(path.join(folder, name), text, { mode: 0o755 });
    mkdirSync(path.join(folder, 'var/lib/rpm'), { recursive: true });
    write('var/lib/rpm/rpmdb.sqlite-wal', 'log');
    write('rpm', `#!/bin/sh\ntouch ${folder}/asked\nsleep 600\n`);
    write('sync', `#!/bin/sh\n[ -e ${folder}/asked ] && echo written\n`);
    const script = QUIESCE.join('\n')
      .replaceAll(' /var/lib/rpm', ` ${folder}/var/lib/rpm`)
      .replace(/ 60 /, ' 1 ');
    const { status, stdout } = spawnSync('sh', ['-c', script], {
      env: { PATH: `${folder}:${process.env['PATH']}` },
      encoding: 'utf8',
      timeout: 4_000,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'written\n' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
