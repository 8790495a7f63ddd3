import { isIsolationPath } from '../clone/isolation-paths';
import { normalisedPath } from '../manifest/image-path';
import type { ManifestRead } from '../manifest/read-schema';
import type { ReadQuestion } from './read-state';

/** Gathers what an update asked, each once; of two questions about an entry the one that asks for more. */
export class Questions {
  private readonly byKey = new Map<string, ReadQuestion & { hasPackageTime?: boolean }>();

  /** @param hasPackageTime whether the file has the time that its package gives it on every machine */
  ask(question: ReadQuestion, hasPackageTime = false): void {
    const { kind, record = '', asked } = question;
    // Names come from scripts too, as somebody wrote them.
    const path = normalisedPath(question.path);
    if (path === undefined || isIsolationPath(path)) return;
    const grade = GRADES.indexOf(kind);
    const key =
      grade < 0 ? `${kind} ${path} ${record}${asked === undefined ? '' : ' asked'}` : `entry ${path}`;
    const known = this.byKey.get(key);
    if (known !== undefined && grade <= GRADES.indexOf(known.kind)) return;
    this.byKey.set(key, { ...question, path, ...(hasPackageTime && { hasPackageTime }) });
  }

  all(): (ReadQuestion & { readonly hasPackageTime?: boolean })[] {
    return [...this.byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, question]) => question);
  }
}

/** Each asks for what the one before asks for, and more. */
const GRADES: readonly ManifestRead['kind'][] = ['type', 'metadata', 'entry'];
