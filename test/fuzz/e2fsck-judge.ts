import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Judge } from './writer-target';

/** Codes of e2fsck(8) that say that it could look at the filesystem. */
const CLEAN = 0;
const PROBLEMS = 4;

/**
 * What e2fsck finds clean before is clean afterwards. What it does not can become another inconsistency of the same root
 * (a name of an inode that is free, when the inode is taken into use): no local check can know, nor does the kernel's.
 * But nothing gets a wrong checksum or an impossible number then, and the filesystem stays one that e2fsck can mend.
 */
export function e2fsckJudge(): Judge {
  const folder = mkdtempSync(join(tmpdir(), 'judge-'));
  const file = join(folder, 'image');
  const look = (bytes: Uint8Array): { code: number | null; grave: Set<string> } => {
    writeFileSync(file, bytes);
    const { status, stdout } = spawnSync('e2fsck', ['-fn', file], { encoding: 'utf8' });
    return { code: status, grave: graveFindings(stdout) };
  };
  return (before, after) => {
    const then = look(after);
    if (then.code === CLEAN) return '';
    const first = look(before);
    if (first.code === CLEAN) return 'e2fsck was content before';
    if (then.code !== PROBLEMS && first.code === PROBLEMS) return `e2fsck ended with ${then.code}`;
    return [...then.grave].filter((kind) => !first.grave.has(kind)).join('; ');
  };
}

/** Without their numbers and names, so that the same finding about another block is the same. */
function graveFindings(output: string): Set<string> {
  const lines = output.split('\n').filter((line) => /checksum|illegal|invalid|corrupt|bad block/i.test(line));
  return new Set(
    lines.map((line) =>
      line
        .replace(/[-+]?\(?\d[\d, ()-]*/g, '#')
        .replace(/'.*'/g, 'name')
        .trim(),
    ),
  );
}
