import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import * as path from 'node:path';

/**
 * Makes `target` hold what `made` holds. What is the same already is not touched, and what is not comes whole by a rename:
 * whoever reads `target` meanwhile, such as a synthesis that runs beside this one, never sees half of a file.
 */
export function putInPlace(made: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target, { recursive: true, encoding: 'utf8' })) {
    if (!existsSync(path.join(made, name))) rmSync(path.join(target, name), { recursive: true, force: true });
  }
  for (const entry of readdirSync(made, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const from = path.join(entry.parentPath, entry.name);
    const to = path.join(target, path.relative(made, from));
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    mkdirSync(path.dirname(to), { recursive: true });
    renameSync(from, to);
  }
}
